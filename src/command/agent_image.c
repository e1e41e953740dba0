/* SPDX-License-Identifier: MIT */
#include "command/agent_image.h"

__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".globl agent_image_start\n"
	".globl agent_image_end\n"
	"agent_image_start:\n"
	".incbin \"" AGENT_FILE "\"\n"
	"agent_image_end:\n"
	".byte 0\n"
	".popsection\n");

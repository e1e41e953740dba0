/* SPDX-License-Identifier: MIT */
/*
 * agent_image.h - the guest's first process (agent/agent.c), an ELF file that
 * the build made and put into this program.
 */
#ifndef COMMAND_AGENT_IMAGE_H
#define COMMAND_AGENT_IMAGE_H

#include <stdint.h>

extern const uint8_t agent_image_start[];
extern const uint8_t agent_image_end[];

#endif

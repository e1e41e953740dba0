/* SPDX-License-Identifier: MIT */
#include "hypercalls/page.h"

#include <string.h>

#include "proto/hv_hypercall.h"

/* A four-byte operand; how far a short jump goes. */
#define LE32(v)                                                  \
	(uint8_t)(v), (uint8_t)((v) >> 8), (uint8_t)((v) >> 16), \
		(uint8_t)((v) >> 24)
#define JUMP(from, to) (uint8_t)((to) - (from))

/* The control word of a signal that is passed in RDX. */
#define SIGNAL (HVCALL_SIGNAL_EVENT | (uint32_t)HV_HYPERCALL_FAST_BIT)

/* Offsets in the page. */
#define CALL      35
#define IS_SIGNAL 38
#define RING      57

/*
 * A hypercall changes no register but those that return something (TLFS
 * "Volatile Registers"), so neither does this, not even the flags: sums by LEA
 * and NOT, and the one branch that does not want flags.
 */
void hypercall_page_fill(uint8_t page[HV_PAGE_SIZE])
{
	static const uint8_t code[] = {
		/*  0 */ 0xF3, 0x0F, 0x1E, 0xFA, /* endbr64 */
		/*
		 * Two no-ops whose displacement is shorter where the code is
		 * not of 64 bits: there its end is a jump.
		 */
		/*  4 */ 0x0F, 0x1F, 0x80, 0, 0, 0xEB, JUMP(11, CALL), /* 16 */
		/* 11 */ 0x67, 0x0F, 0x1F, 0x80, 0, 0, 0xEB,
		/* 18 */ JUMP(19, CALL), /* 32 bits */
		/* The control word: is it a signal, and fast? */
		/* 19 */ 0x48, 0x8D, 0x89, LE32(-SIGNAL), /* lea rcx, [rcx-] */
		/* 26 */ 0xE3, JUMP(28, IS_SIGNAL), /* jrcxz */
		/* 28 */ 0x48, 0x8D, 0x89, LE32(SIGNAL), /* lea rcx, [rcx+] */
		/* 35, CALL */ 0xE6, HYPERCALL_PORT, /* out port, al */
		/* 37 */ 0xC3, /* ret */
		/* RDX is a connection id: is all above its 32 bits zero? */
		/* 38, IS_SIGNAL */ 0x89, 0xD0, /* mov eax, edx */
		/* 40 */ 0x48, 0xF7, 0xD0, /* not rax */
		/* 43 */ 0x48, 0x8D, 0x4C, 0x10, 1, /* lea rcx, [rax+rdx+1] */
		/* 48 */ 0xE3, JUMP(50, RING), /* jrcxz */
		/* 50 */ 0xB9, LE32(SIGNAL), /* mov ecx, */
		/* 55 */ 0xEB, JUMP(57, CALL), /* jmp */
		/* 57, RING */ 0xB9, LE32(SIGNAL), /* mov ecx, */
		/* 62 */ 0x89, 0xD0, /* mov eax, edx */
		/* 64 */ 0xE7, DOORBELL_PORT, /* out port, eax */
		/* What was added to EAX there is the result: RAX - RDX. */
		/* 66 */ 0x48, 0xF7, 0xD2, /* not rdx */
		/* 69 */ 0x48, 0x8D, 0x44, 0x10, 1, /* lea rax, [rax+rdx+1] */
		/* 74 */ 0x48, 0xF7, 0xD2, /* not rdx */
		/* 77 */ 0xC3, /* ret */
	};

	/* A jump anywhere else in the page is caught as a breakpoint. */
	memset(page, 0xCC, HV_PAGE_SIZE);
	memcpy(page, code, sizeof(code));
}

/* SPDX-License-Identifier: MIT */
/*
 * trap_entry.S - the first and last instructions of every trap; the rest is
 * trap_handle() in traps.c.
 *
 * 32-bit guests return without IRET, which a KVM that emulates ring 0 may not
 * have outside long mode: trap_handle() leaves flags and return address on
 * the stack that is returned to, and that stack's pointer in the frame's
 * vector.
 */
#include "cpu_area.h"

#ifdef __x86_64__
#define WORD .quad
#define FRAME_WORD 8
#else
#define WORD .long
#define FRAME_WORD 4
#endif

	.text
	.set vector, 0
	.globl trap_entries
	.balign 16
trap_entries:
	.rept 256
	.balign 16
	/* those that push an error code */
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
	.else
	push $0
	.endif
	push $vector
	jmp trap
	.set vector, vector + 1
	.endr

trap:
#ifdef __x86_64__
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rbp
	mov %rsp, %rdi
	and $-16, %rsp
	call trap_handle
	mov %rbp, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp
	iretq
#else
	pusha
	cld
	mov %esp, %ebp
	push %esp
	call trap_handle
	mov %ebp, %esp
	popa
	mov (%esp), %esp
	popf
	ret
#endif
	.section .note.GNU-stack, "", @progbits

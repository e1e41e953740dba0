/* SPDX-License-Identifier: MIT */
/*
 * register_call.S - call an address with chosen contents of every register,
 * and see what is in them afterwards; also from 32-bit code in long mode, and
 * from CPL 3.  The contracts are in register_call.h.
 */
#include "cpu_area.h"

/* struct registers */
#define R_AX 0
#define R_BX 8
#define R_CX 16
#define R_DX 24
#define R_SI 32
#define R_DI 40
#define R_BP 48
#define R_8 56
#define R_9 64
#define R_10 72
#define R_11 80
#define R_12 88
#define R_13 96
#define R_14 104
#define R_15 112
#define R_XMM 128
#define R_XMM8 256

	.text
	.globl call_with_registers

.macro load_xmm0_to_7 base
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	movdqu R_XMM + 16 * \n(\base), %xmm\n
	.endr
.endm
.macro store_xmm0_to_7 base
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	movdqu %xmm\n, R_XMM + 16 * \n(\base)
	.endr
.endm

#ifdef __x86_64__
.macro load_xmm8_to_15 base
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu R_XMM + 16 * \n(\base), %xmm\n
	.endr
.endm
.macro store_xmm8_to_15 base
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu %xmm\n, R_XMM + 16 * \n(\base)
	.endr
.endm
.macro load_r8_to_r15 base
	mov R_8(\base), %r8
	mov R_9(\base), %r9
	mov R_10(\base), %r10
	mov R_11(\base), %r11
	mov R_12(\base), %r12
	mov R_13(\base), %r13
	mov R_14(\base), %r14
	mov R_15(\base), %r15
.endm
.macro store_r8_to_r15 base
	mov %r8, R_8(\base)
	mov %r9, R_9(\base)
	mov %r10, R_10(\base)
	mov %r11, R_11(\base)
	mov %r12, R_12(\base)
	mov %r13, R_13(\base)
	mov %r14, R_14(\base)
	mov %r15, R_15(\base)
.endm
.macro push_callee_saved
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
.endm
.macro pop_callee_saved
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
.endm

/* (%rdi: registers, %rsi: target); the target is kept on the stack. */
call_with_registers:
	push_callee_saved
	push %rsi
	mov %rsp, %rax
	and $-CPU_BLOCK_BYTES, %rax
	mov %rdi, CPU_CALL_REGS(%rax)
	mov %rsp, CPU_RESUME_SP(%rax)
	movq $1f, CPU_RESUME_IP(%rax)
	load_xmm0_to_7 %rdi
	load_xmm8_to_15 %rdi
	load_r8_to_r15 %rdi
	mov R_AX(%rdi), %rax
	mov R_BX(%rdi), %rbx
	mov R_CX(%rdi), %rcx
	mov R_DX(%rdi), %rdx
	mov R_SI(%rdi), %rsi
	mov R_BP(%rdi), %rbp
	mov R_DI(%rdi), %rdi
	call *(%rsp)
	/* also where an exception in the target goes on */
1:	push %rax
	mov %rsp, %rax
	and $-CPU_BLOCK_BYTES, %rax
	movq $0, CPU_RESUME_IP(%rax)
	mov CPU_CALL_REGS(%rax), %rax
	mov %rbx, R_BX(%rax)
	mov %rcx, R_CX(%rax)
	mov %rdx, R_DX(%rax)
	mov %rsi, R_SI(%rax)
	mov %rdi, R_DI(%rax)
	mov %rbp, R_BP(%rax)
	store_r8_to_r15 %rax
	store_xmm0_to_7 %rax
	store_xmm8_to_15 %rax
	mov %rax, %rdi
	pop R_AX(%rdi)
	add $8, %rsp
	pop_callee_saved
	ret

/*
 * (%rdi: registers, %rsi: target), which is called in compatibility mode.
 * R8 to R15 cannot be seen there; they are loaded before and stored after.
 */
	.globl call_in_compatibility_mode
call_in_compatibility_mode:
	push_callee_saved
	push %rsi
	mov %rsp, %rax
	and $-CPU_BLOCK_BYTES, %rax
	mov %rdi, CPU_CALL_REGS(%rax)
	mov %rsp, CPU_RESUME_SP(%rax)
	movq $3f, CPU_RESUME_IP(%rax)
	load_xmm0_to_7 %rdi
	load_xmm8_to_15 %rdi
	load_r8_to_r15 %rdi
	pushq $SELECTOR_CODE32
	pushq $1f
	lretq
	.code32
1:	mov R_AX(%edi), %eax
	mov R_BX(%edi), %ebx
	mov R_CX(%edi), %ecx
	mov R_DX(%edi), %edx
	mov R_SI(%edi), %esi
	mov R_BP(%edi), %ebp
	mov R_DI(%edi), %edi
	call *(%esp)
	ljmp $SELECTOR_CODE64, $2f
	.code64
2:	mov %esp, %esp
	/* also where an exception in the target goes on */
3:	push %rax
	mov %rsp, %rax
	and $-CPU_BLOCK_BYTES, %rax
	movq $0, CPU_RESUME_IP(%rax)
	mov CPU_CALL_REGS(%rax), %rax
	mov %ebx, R_BX(%rax)
	mov %ecx, R_CX(%rax)
	mov %edx, R_DX(%rax)
	mov %esi, R_SI(%rax)
	mov %edi, R_DI(%rax)
	mov %ebp, R_BP(%rax)
	store_r8_to_r15 %rax
	store_xmm0_to_7 %rax
	store_xmm8_to_15 %rax
	mov %rax, %rdi
	pop %rax
	mov %eax, R_AX(%rdi)
	add $8, %rsp
	pop_callee_saved
	ret

/*
 * (%rdi: target, %rsi: top of the user stack, %rdx: flags, %rcx: code
 * selector): whatever trap comes first ends it.
 */
	.globl enter_user_mode, user_mode_end
enter_user_mode:
	push_callee_saved
	mov %rsp, %rax
	and $-CPU_BLOCK_BYTES, %rax
	mov %rsp, CPU_RESUME_SP(%rax)
	movq $1f, CPU_RESUME_IP(%rax)
	pushq $SELECTOR_USER_DATA
	push %rsi
	push %rdx
	push %rcx
	pushq $user_mode_start
	mov %rdi, %rbx
	iretq
1:	mov $SELECTOR_DATA, %eax
	mov %eax, %ss
	mov %rsp, %rax
	and $-CPU_BLOCK_BYTES, %rax
	movq $0, CPU_RESUME_IP(%rax)
	pop_callee_saved
	ret

/* The same bytes in 64-bit and in compatibility mode. */
user_mode_start:
	call *%rbx
user_mode_end:
	ud2

#else

/* (registers, target) on the stack; the target is found there again. */
call_with_registers:
	push %ebx
	push %ebp
	push %esi
	push %edi
	mov 20(%esp), %edi
	pushl 24(%esp)
	mov %esp, %eax
	and $-CPU_BLOCK_BYTES, %eax
	mov %edi, CPU_CALL_REGS(%eax)
	mov %esp, CPU_RESUME_SP(%eax)
	movl $1f, CPU_RESUME_IP(%eax)
	load_xmm0_to_7 %edi
	mov R_AX(%edi), %eax
	mov R_BX(%edi), %ebx
	mov R_CX(%edi), %ecx
	mov R_DX(%edi), %edx
	mov R_SI(%edi), %esi
	mov R_BP(%edi), %ebp
	mov R_DI(%edi), %edi
	call *(%esp)
	/* also where an exception in the target goes on */
1:	push %eax
	mov %esp, %eax
	and $-CPU_BLOCK_BYTES, %eax
	movl $0, CPU_RESUME_IP(%eax)
	mov CPU_CALL_REGS(%eax), %eax
	mov %ebx, R_BX(%eax)
	mov %ecx, R_CX(%eax)
	mov %edx, R_DX(%eax)
	mov %esi, R_SI(%eax)
	mov %edi, R_DI(%eax)
	mov %ebp, R_BP(%eax)
	store_xmm0_to_7 %eax
	mov %eax, %edi
	pop R_AX(%edi)
	add $4, %esp
	pop %edi
	pop %esi
	pop %ebp
	pop %ebx
	ret

#endif
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT */
/*
 * start.S - from the multiboot entry, and from an application processor's
 * start-up interrupt, to C: flat 32-bit mode without paging, or 64-bit mode
 * with the first 4 GiB mapped one to one, for CPL 3 too.
 *
 * The 32-bit guests do without paging because a KVM that emulates ring 0 has
 * paging in long mode only.
 */
#include "cpu_area.h"

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0

#define CR0_BITS 0x80000033 /* PG NE ET MP PE */
#define CR0_BITS_NO_PAGING 0x33
#define CR4_BITS 0x620 /* OSXMMEXCPT OSFXSR PAE */
#define CR4_BITS_NO_PAGING 0x600
#define MSR_EFER 0xC0000080
#define EFER_LME 0x100

#define PTE_LARGE 0x87 /* 2 MiB, user, write, present */
#define PTE_TABLE 0x07

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC
	.long MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.text
	.code32
	.globl start
start:
	cli
	cld
	mov %ebx, boot_info
	mov $cpu_blocks + CPU_BLOCK_BYTES, %esp
	call make_page_tables
	jmp enter

/* An application processor, in protected mode; smp_start() set ap_stack. */
ap_start:
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	mov ap_stack, %esp
enter:
#ifdef __x86_64__
	mov $CR4_BITS, %eax
	mov %eax, %cr4
	mov $page_map, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	mov $CR0_BITS, %eax
	mov %eax, %cr0
	lgdt start_gdt_pointer
	ljmp $SELECTOR_CODE64, $enter64
	.code64
enter64:
	mov %esp, %esp
#else
	mov $CR4_BITS_NO_PAGING, %eax
	mov %eax, %cr4
	mov $CR0_BITS_NO_PAGING, %eax
	mov %eax, %cr0
	lgdt start_gdt_pointer
	ljmp $SELECTOR_CODE32, $enter32
enter32:
#endif
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	xor %ebp, %ebp
	call start_c
1:	hlt
	jmp 1b

	.code32
make_page_tables:
#ifdef __x86_64__
	mov $page_directories, %edi
	mov $PTE_LARGE, %eax
	mov $2048, %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x200000, %eax
	dec %ecx
	jnz 1b
	mov $page_pointers, %edi
	mov $page_directories + PTE_TABLE, %eax
	mov $4, %ecx
2:	mov %eax, (%edi)
	add $8, %edi
	add $0x1000, %eax
	dec %ecx
	jnz 2b
	movl $page_pointers + PTE_TABLE, page_map
#endif
	ret

/*
 * Copied to AP_TRAMPOLINE, where it starts in real mode with CS there and
 * nothing else known.
 */
	.code16
	.globl ap_trampoline
ap_trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl AP_TRAMPOLINE + (ap_gdt_pointer - ap_trampoline)
	mov $0x11, %eax
	mov %eax, %cr0
	ljmpl $SELECTOR_CODE32, $ap_start
	.balign 4
ap_gdt_pointer:
	.word start_gdt_end - start_gdt - 1
	.long start_gdt
ap_trampoline_end:

	.data
	.globl start_gdt, boot_info, ap_stack, ap_trampoline_bytes
	.balign 8
start_gdt:
	.quad 0
	.quad 0x00CF9B000000FFFF /* code, 32-bit */
	.quad 0x00CF93000000FFFF /* data */
	.quad 0x00AF9B000000FFFF /* code, 64-bit */
	.quad 0x00CFF3000000FFFF /* data, CPL 3 */
	.quad 0x00CFFB000000FFFF /* code, 32-bit, CPL 3 */
	.quad 0x00AFFB000000FFFF /* code, 64-bit, CPL 3 */
start_gdt_end:
start_gdt_pointer:
	.word start_gdt_end - start_gdt - 1
	.long start_gdt
	.long 0
	.balign 8
boot_info:
	.long 0, 0
ap_stack:
	.long 0, 0
ap_trampoline_bytes:
	.long ap_trampoline_end - ap_trampoline

	.bss
	.globl cpu_blocks
	.balign CPU_BLOCK_BYTES
cpu_blocks:
	.skip CPU_BLOCK_BYTES * CPUS_MAX
#ifdef __x86_64__
	.globl page_directories
	.balign 4096
page_map:
	.skip 4096
page_pointers:
	.skip 4096
page_directories:
	.skip 4 * 4096
#endif
	.section .note.GNU-stack, "", @progbits

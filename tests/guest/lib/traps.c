/* SPDX-License-Identifier: MIT */
#include "lib/traps.h"

#include "lib/apic.h"
#include "lib/console.h"
#include "lib/instructions.h"

#define GATE_INTERRUPT 0x8E00u
#define GATES          256
#define ENTRY_BYTES    16

#ifdef __x86_64__
#define WORD_SUFFIX "q"
#else
#define WORD_SUFFIX "l"
#endif

/* As trap_entry.S leaves it on the stack. */
struct trap_frame {
#ifdef __x86_64__
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t bp, di, si, dx, cx, bx, ax;
#else
	uint32_t di, si, bp, unused, bx, dx, cx, ax;
#endif
	unsigned long vector, error, ip, cs, flags;
#ifdef __x86_64__
	uint64_t sp, ss;
#endif
};

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t kind;
	uint16_t offset_high;
#ifdef __x86_64__
	uint32_t offset_top;
	uint32_t reserved;
#endif
};

struct idt_pointer {
	uint16_t limit;
	unsigned long base;
} __attribute__((packed));

extern const uint8_t trap_entries[GATES][ENTRY_BYTES];

static struct gate idt[GATES] __attribute__((aligned(16)));
static void (*volatile hooks[GATES])(struct cpu *cpu);
static volatile bool not_ended[GATES];

void trap_handle(struct trap_frame *frame);

void traps_load(void)
{
	struct idt_pointer pointer = {
		.limit = sizeof(idt) - 1,
		.base = (unsigned long)idt,
	};

	for (unsigned int i = 0; i < GATES; i++) {
		unsigned long entry = (unsigned long)trap_entries[i];

		idt[i].offset_low = (uint16_t)entry;
		idt[i].selector = SELECTOR_CODE;
		idt[i].kind = GATE_INTERRUPT;
		idt[i].offset_high = (uint16_t)(entry >> 16);
	}
	asm volatile("lidt %0" : : "m"(pointer) : "memory");
}

void trap_set_hook(uint8_t vector, void (*hook)(struct cpu *cpu))
{
	hooks[vector] = hook;
}

void trap_set_end(uint8_t vector, bool end)
{
	not_ended[vector] = !end;
}

static void handle_interrupt(struct cpu *cpu, uint8_t vector)
{
	cpu->interrupts[vector]++;
	if (hooks[vector])
		hooks[vector](cpu);
	if (vector != VECTOR_SPURIOUS && !not_ended[vector])
		apic_end_of_interrupt();
}

static void die(const struct trap_frame *frame, const struct cpu *cpu)
{
	print("Bail out! exception %u error 0x%lx at 0x%lx address 0x%lx on "
	      "processor %u\n",
	      (unsigned int)frame->vector, frame->error, frame->ip, read_cr2(),
	      cpu->index);
	end_run(2);
}

/* Go on at resume_ip instead, on the stack at resume_sp. */
static void resume(struct trap_frame *frame, struct cpu *cpu, unsigned long *sp)
{
	cpu->caught_vector = (uint32_t)frame->vector;
	cpu->caught_error = (uint32_t)frame->error;
	cpu->caught_ip = frame->ip;
	frame->ip = cpu->resume_ip;
	frame->cs = SELECTOR_CODE;
	if (cpu->resume_sp)
		*sp = cpu->resume_sp;
	cpu->resume_ip = 0;
	cpu->resume_sp = 0;
}

void trap_handle(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();
	bool from_user = frame->cs & 3;
#ifdef __x86_64__
	unsigned long *sp = &frame->sp;
#else
	unsigned long top = (unsigned long)(&frame->flags + 1);
	unsigned long *sp = &top;
#endif

	if (frame->vector >= 32)
		handle_interrupt(cpu, (uint8_t)frame->vector);
	if (frame->vector < 32 || from_user) {
		if (!cpu->resume_ip)
			die(frame, cpu);
		resume(frame, cpu, sp);
	}
#ifdef __x86_64__
	if (from_user)
		frame->ss = SELECTOR_DATA;
#else
	/* See trap_entry.S. */
	unsigned long *stack = (unsigned long *)top;
	unsigned long ip = frame->ip, flags = frame->flags;

	stack[-1] = ip;
	stack[-2] = flags;
	frame->vector = (unsigned long)(stack - 2);
#endif
}

uint32_t rdmsr_trying(uint32_t msr, uint64_t *value)
{
	struct cpu *cpu = this_cpu();
	uint32_t low = 0, high = 0;

	cpu->caught_vector = NO_VECTOR;
	asm volatile("mov" WORD_SUFFIX " $1f, %[resume]\n\t"
		     "rdmsr\n"
		     "1:\tmov %[zero], %[resume]"
		     : [resume] "+m"(cpu->resume_ip), "+a"(low), "+d"(high)
		     : "c"(msr), [zero] "r"(0ul)
		     : "memory");
	*value = (uint64_t)high << 32 | low;
	return cpu->caught_vector;
}

uint32_t wrmsr_trying(uint32_t msr, uint64_t value)
{
	struct cpu *cpu = this_cpu();

	cpu->caught_vector = NO_VECTOR;
	asm volatile("mov" WORD_SUFFIX " $1f, %[resume]\n\t"
		     "wrmsr\n"
		     "1:\tmov %[zero], %[resume]"
		     : [resume] "+m"(cpu->resume_ip)
		     : "c"(msr), "a"((uint32_t)value),
		       "d"((uint32_t)(value >> 32)), [zero] "r"(0ul)
		     : "memory");
	return cpu->caught_vector;
}

/* SPDX-License-Identifier: MIT */
/*
 * The code in the hypercall page, run as it is: who is not allowed to write to
 * a port gets a signal, whose handler is the machine.
 */
#include "hypercalls/page.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <glib.h>

#include "proto/hv_hypercall.h"
#include "support/check_main.h"

#define OUT_AL  0xE6
#define OUT_EAX 0xE7
#define JMP     0xEB
#define INT3    0xCC

#define SIGNAL (HVCALL_SIGNAL_EVENT | HV_HYPERCALL_FAST_BIT)

/* All that a caller may see of a call; RAX is what it gets. */
struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, r8, flags;
};

static uint8_t page[HV_PAGE_SIZE] __attribute__((aligned(HV_PAGE_SIZE)));
static struct {
	unsigned int n, port;
	bool of_four;
	uint64_t result; /* that the handler puts in RAX, or adds to it */
	uint64_t rax, rcx, rdx, r8;
} out;

static void on_out(int number, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *at = (const uint8_t *)r[REG_RIP];

	(void)number;
	(void)info;
	if (at < page || at >= page + HV_PAGE_SIZE ||
	    (at[0] != OUT_AL && at[0] != OUT_EAX))
		_exit(99);
	out.n++;
	out.of_four = at[0] == OUT_EAX;
	out.port = at[1];
	out.rax = (uint64_t)r[REG_RAX];
	out.rcx = (uint64_t)r[REG_RCX];
	out.rdx = (uint64_t)r[REG_RDX];
	out.r8 = (uint64_t)r[REG_R8];
	if (out.of_four)
		r[REG_RAX] += (greg_t)out.result;
	else
		r[REG_RAX] = (greg_t)out.result;
	r[REG_RIP] += 2;
}

static void page_setup(void)
{
	struct sigaction action = {.sa_sigaction = on_out,
				   .sa_flags = SA_SIGINFO};

	hypercall_page_fill(page);
	ck_assert(!mprotect(page, HV_PAGE_SIZE, PROT_READ | PROT_EXEC));
	sigaction(SIGSEGV, &action, NULL);
	memset(&out, 0, sizeof(out));
}

static void page_teardown(void)
{
	signal(SIGSEGV, SIG_DFL);
	mprotect(page, HV_PAGE_SIZE, PROT_READ | PROT_WRITE);
}

/* The flags that code might change. */
#define FLAGS 0x8D5ull

/* Call the page with all of @r, which then has what it left. */
static void call(struct registers *r)
{
	uint64_t flags = r->flags, rax = r->rax, rbx = r->rbx;

	__asm__ volatile("mov %[r8], %%r8\n\t"
			 "sub $128, %%rsp\n\t" /* the red zone */
			 "push %[flags]\n\t"
			 "popf\n\t"
			 "call *%[page]\n\t"
			 "pushf\n\t"
			 "pop %[flags]\n\t"
			 "lea 128(%%rsp), %%rsp\n\t"
			 "mov %%r8, %[r8]\n\t"
			 : [flags] "+&r"(flags), "+a"(rax), "+b"(rbx),
			   "+c"(r->rcx), "+d"(r->rdx), "+S"(r->rsi),
			   "+D"(r->rdi), [r8] "+m"(r->r8)
			 : [page] "r"(page)
			 : "r8", "memory", "cc");
	r->flags = flags & FLAGS;
	r->rax = rax;
	r->rbx = rbx;
}

/* As called by one with flags and registers that are worth keeping. */
static struct registers caller(uint64_t rcx, uint64_t rdx)
{
	return (struct registers){.rax = ~0ull,
				  .rbx = 0x1111111111111111,
				  .rcx = rcx,
				  .rdx = rdx,
				  .rsi = 0x2222222222222222,
				  .rdi = 0x3333333333333333,
				  .r8 = 0x4444444444444444,
				  .flags = 0x202 | FLAGS};
}

static void check_kept(const struct registers *r, uint64_t rcx, uint64_t rdx)
{
	struct registers want = caller(rcx, rdx);

	want.rax = r->rax;
	want.flags = FLAGS;
	ck_assert_mem_eq(r, &want, sizeof(want));
}

static const uint32_t connections[] = {1, 0x2001, 0xFFFFFF, 0x80000000,
				       UINT32_MAX};

/* Nobody takes it out of the processor: RAX stays what was written. */
START_TEST(doorbell)
{
	struct registers r = caller(SIGNAL, connections[_i]);

	call(&r);
	ck_assert_uint_eq(out.n, 1);
	ck_assert_uint_eq(out.port, DOORBELL_PORT);
	ck_assert(out.of_four);
	ck_assert_uint_eq(out.rax, connections[_i]);
	ck_assert_uint_eq(out.rcx, SIGNAL);
	ck_assert_uint_eq(out.rdx, connections[_i]);
	ck_assert_uint_eq(r.rax, HV_STATUS_SUCCESS);
	check_kept(&r, SIGNAL, connections[_i]);
}
END_TEST

START_TEST(doorbell_of_nobody)
{
	struct registers r = caller(SIGNAL, connections[_i]);

	out.result = HV_STATUS_INVALID_CONNECTION_ID;
	call(&r);
	ck_assert_uint_eq(out.port, DOORBELL_PORT);
	ck_assert_uint_eq(r.rax, HV_STATUS_INVALID_CONNECTION_ID);
	check_kept(&r, SIGNAL, connections[_i]);
}
END_TEST

static const struct {
	uint64_t rcx, rdx;
} others[] = {
	{HVCALL_SIGNAL_EVENT, 0x1000}, /* in memory */
	{SIGNAL, 1ull << 32 | 0x2001}, /* another flag than 0 */
	{SIGNAL, 1ull << 48 | 0x2001}, /* a reserved field */
	{SIGNAL, ~0ull},
	{SIGNAL | 1ull << 32, 0x2001}, /* a count */
	{SIGNAL | 1ull << 63, 0x2001}, /* a reserved bit */
	{SIGNAL - 1, 0x2001},
	{SIGNAL + 1, 0x2001},
	{0, 0},
	{~0ull, 0x2001},
};

START_TEST(any_other_call)
{
	uint64_t rcx = others[_i].rcx, rdx = others[_i].rdx;
	struct registers r = caller(rcx, rdx);

	out.result = 2ull << 32 | 5;
	call(&r);
	ck_assert_uint_eq(out.n, 1);
	ck_assert_uint_eq(out.port, HYPERCALL_PORT);
	ck_assert(!out.of_four);
	ck_assert_uint_eq(out.rcx, rcx);
	ck_assert_uint_eq(out.rdx, rdx);
	ck_assert_uint_eq(out.r8, 0x4444444444444444);
	ck_assert_uint_eq(r.rax, 2ull << 32 | 5);
	check_kept(&r, rcx, rdx);
}
END_TEST

/* Linux looks for the first; 16- and 32-bit code find a jump to the OUT. */
START_TEST(beginning)
{
	static const uint8_t endbr64[] = {0xF3, 0x0F, 0x1E, 0xFA};

	ck_assert_mem_eq(page, endbr64, sizeof(endbr64));
	ck_assert_uint_eq(page[9], JMP);
	ck_assert_uint_eq(page[11 + page[10]], OUT_AL);
	ck_assert_uint_eq(page[11 + page[10] + 1], HYPERCALL_PORT);
	ck_assert_uint_eq(page[17], JMP);
	ck_assert_uint_eq(page[19 + page[18]], OUT_AL);
}
END_TEST

#define CODE_BYTES 78u

START_TEST(rest_is_int3)
{
	uint8_t more[HV_PAGE_SIZE + 1] = {0};

	hypercall_page_fill(more);
	ck_assert_uint_ne(more[CODE_BYTES - 1], INT3);
	for (unsigned int i = CODE_BYTES; i < HV_PAGE_SIZE; i++)
		ck_assert_uint_eq(more[i], INT3);
	ck_assert_uint_eq(more[HV_PAGE_SIZE], 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hypercalls/page");
	TCase *t = tcase_create("page");

	tcase_add_checked_fixture(t, page_setup, page_teardown);
	tcase_add_loop_test(t, doorbell, 0, G_N_ELEMENTS(connections));
	tcase_add_loop_test(t, doorbell_of_nobody, 0,
			    G_N_ELEMENTS(connections));
	tcase_add_loop_test(t, any_other_call, 0, G_N_ELEMENTS(others));
	tcase_add_test(t, beginning);
	tcase_add_test(t, rest_is_int3);
	suite_add_tcase(s, t);
	return check_main(s);
}

/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation.  A hypercall goes through four steps, each of which
 * can end it:
 *
 *  1. mode:   from ring 0 of protected mode only, else #UD;
 *  2. word:   the call code finds the row; then the row's privilege, then the
 *             bits and counts of the control word.  Privilege comes before
 *             form, so that a caller without it learns nothing;
 *  3. block:  from the row and the counts follow the sizes of input and
 *             output.  They are registers (fast) or lie in guest memory, each
 *             8-byte aligned within one page.  The input is copied here, once,
 *             into a buffer on this stack;
 *  4. handler: works on the copy, and its output is copied out, all of it for
 *             a simple call that succeeded, and the elements that were done
 *             for a rep call.
 *
 * A call runs to its end: none of ours takes long, so none is ever continued,
 * and RCX is left alone.  A guest may ask for continuation all the same, by a
 * rep start index other than 0.
 *
 * Where the TLFS leaves a case open we do as follows: a control word with the
 * nested bit has a reserved bit set, since no guest of ours is nested; a fast
 * call too big for any registers is INVALID_HYPERCALL_INPUT, as in OpenVMM
 * hv1_hypercall; memory that is not RAM counts as outside of the GPA space.
 * Input and output may overlap: Linux lets them
 * (arch/x86/hyperv/hv_vtl.c), and the copy makes it harmless.
 */
#include "hypercalls/hypercall.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/checked.h"
#include "base/coverage.h"
#include "base/findings.h"
#include "base/trace.h"
#include "hypercalls/table.h"
#include "mem/gmem.h"

struct hypercalls {
	/* set once */
	struct hypercalls_params params;
	/* counted from any thread */
	struct coverage_set *coverage;
};

/* The control word, taken apart, and where the parameters are. */
struct request {
	const struct hypercall_row *row;
	struct hypercalls *calls;
	uint32_t vp;
	bool long_mode;
	bool fast;
	unsigned int n_var, rep_count, rep_start;
	/* GPAs, or the first 16 bytes of a fast call's input */
	uint64_t param[2];
	uint32_t input_bytes, output_bytes;
};

/* What a fast call's parameters look like: RDX and R8, then XMM0 to XMM5. */
union fast_block {
	uint8_t bytes[HV_HYPERCALL_XMM_FAST_BYTES];
	struct {
		uint64_t gp[2];
		uint8_t xmm[HV_HYPERCALL_MAX_XMM_REGISTERS][16];
	};
};
WIRE_SIZE(union fast_block, HV_HYPERCALL_XMM_FAST_BYTES);

#define RSVD_MASK                                            \
	(HV_HYPERCALL_RSVD0_MASK | HV_HYPERCALL_RSVD1_MASK | \
	 HV_HYPERCALL_RSVD2_MASK | HV_HYPERCALL_NESTED)

struct hypercalls *hypercalls_new(const struct hypercalls_params *params)
{
	struct hypercalls *calls = g_new0(struct hypercalls, 1);
	unsigned int n_rows;
	const struct hypercall_row *row = hypercall_table(&n_rows);

	calls->params = *params;
	calls->coverage = coverage_new("hypercalls", n_rows);
	for (unsigned int i = 0; i < n_rows; i++) {
		calls->coverage->entries[i].name = row[i].name;
		calls->coverage->entries[i].number = row[i].code;
	}
	return calls;
}

void hypercalls_free(struct hypercalls *calls)
{
	if (!calls)
		return;
	coverage_free(calls->coverage);
	g_free(calls);
}

const struct coverage_set *hypercalls_coverage(const struct hypercalls *calls)
{
	return calls->coverage;
}

static struct coverage_entry *entry_of(const struct hypercalls *calls,
				       const struct hypercall_row *row)
{
	return &calls->coverage->entries[row - hypercall_table(NULL)];
}

void hypercalls_signalled(struct hypercalls *calls, uint64_t n)
{
	coverage_add(entry_of(calls, hypercall_find(HVCALL_SIGNAL_EVENT)), n);
}

/* Two 32-bit registers as one value. */
static uint64_t pair(uint64_t high, uint64_t low)
{
	return high << 32 | (uint32_t)low;
}

/* May this partition make the call at all? */
static hv_status_t check_rights(const struct hypercall_row *row,
				const struct hypercalls_params *params)
{
	if (row->needs_hint && !(params->hints & row->hint))
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	if (row->privilege & ~params->privileges)
		return HV_STATUS_ACCESS_DENIED;
	if (!row->handler)
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	return HV_STATUS_SUCCESS;
}

/* Take the control word apart; sizes follow. */
static hv_status_t decode_control(struct request *req, uint64_t control)
{
	const struct hypercall_row *row = req->row;

	req->fast = control & HV_HYPERCALL_FAST_BIT;
	req->n_var = control >> HV_HYPERCALL_VARHEAD_OFFSET &
		     HV_HYPERCALL_VARHEAD_MASK;
	req->rep_count = control >> HV_HYPERCALL_REP_COMP_OFFSET &
			 HV_HYPERCALL_REP_COUNT_MASK;
	req->rep_start = control >> HV_HYPERCALL_REP_START_OFFSET &
			 HV_HYPERCALL_REP_START_MASK;

	if (control & RSVD_MASK)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	if (req->n_var && !row->var_header)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	if (row->rep ? req->rep_start >= req->rep_count
		     : req->rep_count || req->rep_start)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;

	req->input_bytes = row->input_bytes +
			   req->n_var * (uint32_t)sizeof(uint64_t) +
			   req->rep_count * row->rep_input_bytes;
	req->output_bytes =
		row->output_bytes + req->rep_count * row->rep_output_bytes;
	return HV_STATUS_SUCCESS;
}

/* Sixteen bytes are one register pair, or one XMM register. */
static uint32_t fast_pairs(uint32_t bytes)
{
	return (bytes + HV_HYPERCALL_FAST_BYTES - 1) / HV_HYPERCALL_FAST_BYTES;
}

static hv_status_t check_fast(const struct request *req, bool *ud)
{
	uint32_t features = req->calls->params.features_edx;

	if (fast_pairs(req->input_bytes) + fast_pairs(req->output_bytes) >
	    fast_pairs(HV_HYPERCALL_XMM_FAST_BYTES))
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	/* Fast output is limited to x64. */
	if (req->output_bytes && !req->long_mode)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	*ud = (req->input_bytes > HV_HYPERCALL_FAST_BYTES &&
	       !(features & HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE)) ||
	      (req->output_bytes &&
	       !(features & HV_X64_HYPERCALL_XMM_OUTPUT_AVAILABLE));
	return HV_STATUS_SUCCESS;
}

/* One parameter list in memory: aligned, in one page, in RAM. */
static hv_status_t check_list(const struct request *req, uint64_t gpa,
			      uint32_t bytes)
{
	if (!bytes)
		return HV_STATUS_SUCCESS;
	if (!is_aligned(gpa, sizeof(uint64_t)) ||
	    !range_fits(gpa % HV_PAGE_SIZE, bytes, HV_PAGE_SIZE) ||
	    !gmem_contains(req->calls->params.mem, gpa, bytes))
		return HV_STATUS_INVALID_ALIGNMENT;
	return HV_STATUS_SUCCESS;
}

/* Put the input block, however it is passed, into @input. */
static hv_status_t fetch_input(const struct request *req, uint8_t *input,
			       union fast_block *block)
{
	const struct hypercalls_params *p = &req->calls->params;
	hv_status_t status;

	if (req->fast) {
		uint32_t pairs = fast_pairs(req->input_bytes) +
				 fast_pairs(req->output_bytes);

		block->gp[0] = req->param[0];
		block->gp[1] = req->param[1];
		if (pairs > 1 && p->ops->read_xmm(p->ctx, req->vp, block->xmm))
			return HV_STATUS_OPERATION_DENIED;
		memcpy(input, block->bytes, req->input_bytes);
		return HV_STATUS_SUCCESS;
	}

	status = check_list(req, req->param[0], req->input_bytes);
	if (!status)
		status = check_list(req, req->param[1], req->output_bytes);
	if (!status && req->input_bytes &&
	    gmem_read(p->mem, req->param[0], input, req->input_bytes))
		status = HV_STATUS_INVALID_ALIGNMENT;
	return status;
}

/* Fast output follows the input, from the next register pair on. */
static hv_status_t return_fast(const struct request *req,
			       struct hypercall_regs *regs,
			       union fast_block *block, const uint8_t *output,
			       uint32_t from, uint32_t to)
{
	const struct hypercalls_params *p = &req->calls->params;
	uint32_t first = fast_pairs(req->input_bytes) * HV_HYPERCALL_FAST_BYTES;

	memcpy(block->bytes + first + from, output + from, to - from);
	if (first == 0) {
		regs->rdx = block->gp[0];
		regs->r8 = block->gp[1];
	}
	if (first + to > HV_HYPERCALL_FAST_BYTES &&
	    p->ops->write_xmm(p->ctx, req->vp, block->xmm))
		return HV_STATUS_OPERATION_DENIED;
	return HV_STATUS_SUCCESS;
}

/* Give the guest what the handler has put out. */
static hv_status_t return_output(const struct request *req,
				 const struct hypercall *call,
				 struct hypercall_regs *regs,
				 union fast_block *block, hv_status_t status)
{
	uint32_t from = 0, to = 0;

	if (req->row->rep) {
		from = req->rep_start * req->row->rep_output_bytes;
		to = call->reps_done * req->row->rep_output_bytes;
	} else if (!status) {
		to = req->output_bytes;
	}
	if (from >= to)
		return status;
	if (req->fast) {
		hv_status_t failed =
			return_fast(req, regs, block, call->output, from, to);

		return failed ? failed : status;
	}
	/* It was RAM when we looked, and RAM never goes away. */
	gmem_write(req->calls->params.mem, req->param[1] + from,
		   call->output + from, to - from);
	return status;
}

/*
 * Steps 3 and 4.  *@reps is how many elements are done, from the first.
 */
static hv_status_t run(const struct request *req, struct hypercall_regs *regs,
		       unsigned int *reps)
{
	_Alignas(16) uint8_t input[HV_PAGE_SIZE];
	_Alignas(16) uint8_t output[HV_PAGE_SIZE];
	union fast_block block;
	struct hypercall call;
	hv_status_t status;

	status = fetch_input(req, input, &block);
	if (status)
		return status;
	memset(output, 0, req->output_bytes);
	call = (struct hypercall){
		.params = &req->calls->params,
		.vp = req->vp,
		.header = input,
		.var = input + req->row->input_bytes,
		.n_var = req->n_var,
		.rep_input = input + req->row->input_bytes +
			     req->n_var * sizeof(uint64_t),
		.rep_start = req->rep_start,
		.rep_count = req->rep_count,
		.output = output,
		.reps_done = req->rep_start,
	};
	status = req->row->handler(&call);
	*reps = call.reps_done;
	return return_output(req, &call, regs, &block, status);
}

/* Step 2, then the rest; *@ud for the forms that are not offered. */
static hv_status_t dispatch(struct request *req, uint64_t control,
			    struct hypercall_regs *regs, unsigned int *reps,
			    bool *ud)
{
	hv_status_t status = check_rights(req->row, &req->calls->params);

	if (!status)
		status = decode_control(req, control);
	if (!status && req->fast)
		status = check_fast(req, ud);
	if (status || *ud)
		return status;
	return run(req, regs, reps);
}

/* Which rule does an answer stand for? */
static enum finding rule_of(const struct request *req, hv_status_t status)
{
	switch (status) {
	case HV_STATUS_INVALID_HYPERCALL_CODE:
		return FINDING_HYPERCALL_UNKNOWN;
	case HV_STATUS_ACCESS_DENIED:
		return FINDING_HYPERCALL_RIGHTS;
	case HV_STATUS_INVALID_HYPERCALL_INPUT:
		return FINDING_HYPERCALL_INPUT;
	case HV_STATUS_INVALID_ALIGNMENT:
		return FINDING_HYPERCALL_MEMORY;
	case HV_STATUS_INVALID_CONNECTION_ID:
		/* A signal may have met a channel's rescind. */
		return req->row->code == HVCALL_POST_MESSAGE
			       ? FINDING_POST_CONNECTION
			       : N_FINDINGS;
	case HV_STATUS_INVALID_PARAMETER:
	case HV_STATUS_INVALID_PARTITION_ID:
	case HV_STATUS_INVALID_VP_INDEX:
	case HV_STATUS_INVALID_PORT_ID:
	case HV_STATUS_INVALID_REGISTER_VALUE:
		return FINDING_HYPERCALL_PARAMETER;
	default:
		return N_FINDINGS;
	}
}

static void blame(const struct request *req, uint64_t control,
		  enum finding rule)
{
	char where[16];

	if (rule == N_FINDINGS)
		return;
	snprintf(where, sizeof(where), "0x%04x", (uint16_t)control);
	findings_hit(rule, req->row ? req->row->name : where,
		     "control 0x%" PRIx64 ", parameters 0x%" PRIx64
		     " and 0x%" PRIx64 ", by VP %u",
		     control, req->param[0], req->param[1], req->vp);
}

/* Return: false: #UD. */
static bool call_row(struct request *req, uint64_t control,
		     struct hypercall_regs *regs, unsigned int *reps,
		     hv_status_t *status)
{
	struct coverage_entry *entry = entry_of(req->calls, req->row);
	bool ud = false;

	coverage_hit(entry);
	*status = dispatch(req, control, regs, reps, &ud);
	if (!ud) {
		coverage_status(entry, *status);
		return true;
	}
	coverage_refuse(entry);
	trace_event(hypercall, req->vp, TRACE_NO_DEVICE, control, 0,
		    req->param[0], req->param[1], 1);
	blame(req, control, FINDING_HYPERCALL_MODE);
	return false;
}

enum hypercall_outcome hypercalls_call(struct hypercalls *calls, uint32_t vp,
				       struct hypercall_regs *regs,
				       bool long_mode, unsigned int cpl,
				       bool protected_mode)
{
	struct request req = {.calls = calls, .vp = vp, .long_mode = long_mode};
	hv_status_t status = HV_STATUS_INVALID_HYPERCALL_CODE;
	unsigned int reps = 0;
	uint64_t control, result;

	if (cpl || !protected_mode) {
		blame(&req, regs->rcx, FINDING_HYPERCALL_MODE);
		return HYPERCALL_UD;
	}

	if (long_mode) {
		control = regs->rcx;
		req.param[0] = regs->rdx;
		req.param[1] = regs->r8;
	} else {
		control = pair(regs->rdx, regs->rax);
		req.param[0] = pair(regs->rbx, regs->rcx);
		req.param[1] = pair(regs->rdi, regs->rsi);
	}

	req.row = hypercall_find((uint16_t)(control & HV_HYPERCALL_CODE_MASK));
	if (req.row) {
		if (!call_row(&req, control, regs, &reps, &status))
			return HYPERCALL_UD;
	} else {
		coverage_unknown(calls->coverage);
	}
	if (status)
		blame(&req, control, rule_of(&req, status));

	result = status | (uint64_t)reps << HV_HYPERCALL_REP_COMP_OFFSET;
	trace_event(hypercall, vp, TRACE_NO_DEVICE, control, result,
		    req.param[0], req.param[1]);
	if (long_mode) {
		regs->rax = result;
	} else {
		regs->rdx = result >> 32;
		regs->rax = (uint32_t)result;
	}
	return HYPERCALL_DONE;
}

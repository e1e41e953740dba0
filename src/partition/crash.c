/* SPDX-License-Identifier: MIT */
/*
 * CRASH_P0 to P4 and CRASH_CTL: what a guest says when it dies.
 *
 * Reading CRASH_CTL tells what is supported: the parameters, and a message of
 * up to 4096 bytes that P3 and P4 point to.  Writing it with the notify bit
 * reports them.  A guest in this state deserves no more faults: reserved bits
 * are ignored, and a message that cannot be read is left out.
 *
 * Source: TLFS "Partition Crash Enlightenment", HV_CRASH_CTL_REG_CONTENTS;
 * Linux drivers/hv/hv_common.c.
 */
#include <stddef.h>
#include <string.h>

#include "mem/gmem.h"
#include "partition/partition_impl.h"

#define MESSAGE_MAX 4096u
#define SUPPORTED   (HV_CRASH_CTL_CRASH_NOTIFY | HV_CRASH_CTL_CRASH_NOTIFY_MSG)

int crash_parameter_read(struct partition *p, uint32_t vp, uint32_t msr,
			 uint64_t *value)
{
	(void)vp;
	pthread_mutex_lock(&p->lock);
	*value = p->crash[msr - HV_X64_MSR_CRASH_P0];
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int crash_parameter_write(struct partition *p, uint32_t vp, uint32_t msr,
			  uint64_t value)
{
	(void)vp;
	pthread_mutex_lock(&p->lock);
	p->crash[msr - HV_X64_MSR_CRASH_P0] = value;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int crash_control_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value)
{
	(void)p;
	(void)vp;
	(void)msr;
	*value = SUPPORTED;
	return 0;
}

/* Make text that a terminal can be trusted with of @len raw bytes. */
static void sanitise(char *text, size_t len)
{
	size_t out = 0;

	for (size_t in = 0; in < len && text[in]; in++) {
		char c = text[in];

		if (c == '\r')
			continue;
		if (c != '\n' && c != '\t' && (c < ' ' || c > '~'))
			c = '?';
		text[out++] = c;
	}
	text[out] = '\0';
}

/* Copy the message; false if there is none that can be read. */
static bool copy_message(const struct partition *p, uint64_t gpa,
			 uint64_t bytes, char text[MESSAGE_MAX + 1])
{
	if (!bytes || bytes > MESSAGE_MAX ||
	    gmem_read(p->params.mem, gpa, text, bytes))
		return false;
	sanitise(text, bytes);
	return true;
}

int crash_control_write(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t value)
{
	uint64_t params[CRASH_PARAMETERS];
	char text[MESSAGE_MAX + 1];
	const char *message = NULL;

	(void)msr;
	if (!(value & HV_CRASH_CTL_CRASH_NOTIFY))
		return 0;
	pthread_mutex_lock(&p->lock);
	memcpy(params, p->crash, sizeof(params));
	pthread_mutex_unlock(&p->lock);
	if (value & HV_CRASH_CTL_CRASH_NOTIFY_MSG &&
	    copy_message(p, params[3], params[4], text))
		message = text;
	p->params.ops->crash(p->params.ctx, vp, params, value, message);
	return 0;
}

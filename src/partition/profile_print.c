/* SPDX-License-Identifier: MIT */
/*
 * What `kvmbus profiles` prints.
 */
#include <errno.h>
#include <inttypes.h>

#include "hypercalls/vp_set.h"
#include "partition/features.h"
#include "partition/profile.h"

static int result(FILE *out)
{
	return ferror(out) ? -EIO : 0;
}

int profile_list_print(FILE *out)
{
	const struct profile *p;

	for (unsigned int i = 0; (p = profile_at(i)); i++)
		fprintf(out,
			"%-9s %-23s build %5" PRIu32 ", VMbus %" PRIu32
			".%" PRIu32 "%s\n",
			p->name, p->title, p->build, p->vmbus_version >> 16,
			p->vmbus_version & 0xFFFF,
			p == profile_newest() ? " (default)" : "");
	return result(out);
}

static void source(FILE *out, const struct profile *p, enum profile_field field)
{
	fprintf(out, "      source: %s\n", p->sources[field]);
}

/* What becomes of a bit that the profile has, or that we add. */
static void print_bit(FILE *out, enum feature_word word, unsigned int bit,
		      uint32_t offered)
{
	const char *name = feature_name(word, bit);
	const char *note = feature_note(word, bit);

	fprintf(out, "      bit %2u  %-38s ", bit,
		name ? name : "(no public name)");
	if (offered & 1u << bit)
		fprintf(out, "offered");
	else if (!note)
		fprintf(out, "not implemented");
	else
		fprintf(out, "not offered");
	fprintf(out, "%s%s\n", note ? ": " : "", note ? note : "");
}

static void print_word(FILE *out, const struct profile *p, const char *title,
		       enum feature_word word, enum profile_field field,
		       uint32_t real, uint32_t offered)
{
	fprintf(out, "  %s: 0x%08" PRIx32 ", offered 0x%08" PRIx32 "\n", title,
		real, offered);
	source(out, p, field);
	for (unsigned int bit = 0; bit < 32; bit++)
		if ((real | offered) & 1u << bit)
			print_bit(out, word, bit, offered);
}

static void print_version(FILE *out, const struct profile *p)
{
	fprintf(out, "%s: %s\n", p->name, p->title);
	fprintf(out, "  version: %u.%u, build %" PRIu32 "\n", p->major,
		p->minor, p->build);
	source(out, p, PROFILE_VERSION);
	fprintf(out,
		"  service: pack %" PRIu32 ", branch %u, number %" PRIu32 "\n",
		p->service_pack, p->service_branch, p->service_number);
	source(out, p, PROFILE_SERVICE);
	fprintf(out, "  CPUID leaves: up to 0x%08" PRIx32 "\n", p->max_leaf);
	source(out, p, PROFILE_MAX_LEAF);
}

static void print_limits(FILE *out, const struct profile *p,
			 const struct partition_features *f)
{
	fprintf(out, "  spin-lock retries before a notice: %" PRIu32 "\n",
		p->spin_retries);
	source(out, p, PROFILE_SPIN_RETRIES);
	fprintf(out,
		"  processors: %" PRIu32 " virtual (offered %" PRIu32
		"), %" PRIu32 " logical\n",
		p->max_vps, f->max_vps, p->max_lps);
	source(out, p, PROFILE_LIMITS);
	fprintf(out, "  VMbus: version %" PRIu32 ".%" PRIu32 " and older\n",
		p->vmbus_version >> 16, p->vmbus_version & 0xFFFF);
	source(out, p, PROFILE_VMBUS);
	fprintf(out, "  shared by GPADLs: at most %" PRIu32 " MiB\n",
		p->gpadl_mib);
	source(out, p, PROFILE_GPADL);
	fprintf(out, "  MADT: %s\n",
		p->madt_possible_cpus
			? "also lists processors that are not there, disabled"
			: "lists the processors that are there");
	source(out, p, PROFILE_MADT);
}

int profile_print(const struct profile *p, FILE *out)
{
	struct partition_features f;

	partition_features_init(&f, p, true, 1, HV_MAX_VPS);
	partition_features_recommend_apic(&f);
	print_version(out, p);
	print_word(out, p, "privileges, low (leaf 0x40000003 EAX)", FEATURE_EAX,
		   PROFILE_FEATURES_EAX, p->features_eax, f.eax);
	print_word(out, p, "privileges, high (leaf 0x40000003 EBX)",
		   FEATURE_EBX, PROFILE_FEATURES_EBX, p->features_ebx, f.ebx);
	print_word(out, p, "features (leaf 0x40000003 EDX)", FEATURE_EDX,
		   PROFILE_FEATURES_EDX, p->features_edx, f.edx);
	print_word(out, p, "recommendations (leaf 0x40000004 EAX)",
		   FEATURE_HINTS, PROFILE_HINTS, p->hints_eax, f.hints);
	print_word(out, p, "hardware in use (leaf 0x40000006 EAX)",
		   FEATURE_HARDWARE, PROFILE_HARDWARE, p->hardware_eax,
		   f.hardware);
	print_limits(out, p, &f);
	return result(out);
}

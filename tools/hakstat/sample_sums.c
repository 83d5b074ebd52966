/* SPDX-License-Identifier: MIT */
/*
 * Sums that samples come to and go from.
 */
#include "sample_sums.h"

void hakstat_sample_sums_add(struct hakstat_sample_sums *sums, const struct hakstat_sample_part *part, int by)
{
	double r = part->requested, u = part->usable;
	double w = by * part->weight, v = by * part->v;

	sums->samples += (uint64_t)by * part->samples;
	if (sums->samples == 0) { /* no rounding errors stay behind */
		*sums = (struct hakstat_sample_sums) { 0 };
		return;
	}
	sums->weight += w;
	sums->requested += w * r;
	sums->usable += w * u;
	sums->v += v;
	sums->v_requested += v * r;
	sums->v_requested2 += v * r * r;
	sums->v_requested3 += v * r * r * r;
	sums->v_usable += v * u;
	sums->v_usable2 += v * u * u;
	sums->v_both += v * r * u;
}

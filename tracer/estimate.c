/* SPDX-License-Identifier: MIT */
/*
 * Two sums of weighted samples, begun anew with each sampling session. A fork child has its
 * parent's blocks, so it goes on with its parent's sums.
 */
#include "estimate.h"

#include <stdatomic.h>

static _Atomic(uint32_t) session;
static _Atomic(int64_t) usable, requested;

void hak_estimate_begin(uint32_t since)
{
	uint32_t before = atomic_load_explicit(&session, memory_order_relaxed);
	if (before != since && atomic_compare_exchange_strong(&session, &before, since)) {
		atomic_store(&usable, 0);
		atomic_store(&requested, 0);
	}
}

static void add(_Atomic(int64_t) *sum, uint64_t bytes, double weight, int sign)
{
	atomic_fetch_add_explicit(sum, sign * (int64_t)(weight * (double)bytes), memory_order_relaxed);
}

void hak_estimate_add(uint32_t since, const struct hak_trace_op *op, double weight, int sign)
{
	if (since != 0 && since == atomic_load_explicit(&session, memory_order_relaxed)) {
		add(&usable, op->usable, weight, sign);
		add(&requested, op->requested, weight, sign);
	}
}

unsigned hak_estimate_waste_percent(void)
{
	int64_t u = atomic_load_explicit(&usable, memory_order_relaxed);
	int64_t r = atomic_load_explicit(&requested, memory_order_relaxed);
	return u > 0 && r >= 0 && r < u ? (unsigned)((double)(u - r) * 100 / (double)u) : 0;
}

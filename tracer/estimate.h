/* SPDX-License-Identifier: MIT */
/* How much of the live blocks is waste, estimated from samples as they come and go. Thread-safe. */
#ifndef HAK_TRACER_ESTIMATE_H
#define HAK_TRACER_ESTIMATE_H

#include <stdint.h>

#include "hakmem_trace.h"

/* A sampling session is seen, the same one or another, of which blocks of earlier ones are no part. */
void hak_estimate_begin(uint32_t since);

/* A block that was sampled in the session `since` came (sign 1) or went (sign -1). */
void hak_estimate_add(uint32_t since, const struct hak_trace_op *op, double weight, int sign);

/* Waste of live blocks in percent of their usable bytes; 0 while nothing is sampled. */
unsigned hak_estimate_waste_percent(void);

#endif

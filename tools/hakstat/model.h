/* SPDX-License-Identifier: MIT */
/*
 * From events to a summary: pure aggregation without I/O, clock or globals. Events of one
 * process come in the order of time; processes may be interleaved in any way.
 */
#ifndef HAKSTAT_MODEL_H
#define HAKSTAT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "summary.h"
#include "symbol.h"

struct hakstat_model;

/* `symbolizer` names the call sites; NULL leaves addresses. It must outlive the model. */
struct hakstat_model *hakstat_model_new(struct hakstat_symbolizer *symbolizer);
void hakstat_model_free(struct hakstat_model *model);

/* From now on only this process counts; what has no process id counts as before. */
void hakstat_model_only_pid(struct hakstat_model *model, uint32_t pid);

/* The processes that were left out for it: "17 (redis), 19 (sh)"; NULL: none. Free with g_free. */
char *hakstat_model_left_out(const struct hakstat_model *model);

void hakstat_model_feed(struct hakstat_model *model, const struct hakstat_event *event);

/* From now on call sites stay addresses: naming them takes time. */
void hakstat_model_forget_symbols(struct hakstat_model *model);

/* Events of the provider so far: 0 means that the trace is not about this allocator. */
uint64_t hakstat_model_events(const struct hakstat_model *model);

/* The result, once; the caller frees it. */
struct hakstat_summary *hakstat_model_finish(struct hakstat_model *model);

#endif

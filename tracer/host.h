/* SPDX-License-Identifier: MIT */
/*
 * The allocator's functions as the tracer sees them: weak, so that a process that preloads
 * the tracer without the allocator starts as if nothing were there. hak_host_present() is
 * asked once, at start; everything else relies on it.
 */
#ifndef HAK_TRACER_HOST_H
#define HAK_TRACER_HOST_H

#include "hakmem.h"
#include "hakmem_trace.h"

#pragma weak hak_trace_attach
#pragma weak hak_trace_detach
#pragma weak hak_trace_notice
#pragma weak hak_trace_run_unseen
#pragma weak hak_trace_is_inside
#pragma weak hakmem_config_read
#pragma weak hakmem_stats_classes
#pragma weak hakmem_stats_heap
#pragma weak hakmem_stats_resident
#pragma weak hakmem_version

static inline bool hak_host_present(void)
{
	return hak_trace_attach && hak_trace_notice && hak_trace_run_unseen && hak_trace_is_inside &&
	       hak_trace_detach && hakmem_config_read && hakmem_stats_classes && hakmem_stats_heap &&
	       hakmem_stats_resident && hakmem_version;
}

#endif

/* SPDX-License-Identifier: MIT */
/* From the page heap's changes to a tracer's. */
#include "tell.h"

#include "page_heap.h"
#include "trace.h"

/* A thread inside a tracer leaves them to the next. */
void hak_tell_superslabs(void)
{
	struct hak_superslab_change change;
	while (!hak_trace_unseen && hak_page_heap_next_change(&change)) {
		hak_trace_change(change.holds_pages ? HAK_CHANGE_SUPERSLAB_MAP : HAK_CHANGE_SUPERSLAB_UNMAP,
				 change.start, change.bytes, UINT32_MAX);
	}
}

void hak_tell_purged(void *start, uint64_t bytes)
{
	hak_trace_change(HAK_CHANGE_PURGE, start, bytes, UINT32_MAX);
}

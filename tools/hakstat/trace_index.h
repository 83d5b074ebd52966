/* SPDX-License-Identifier: MIT */
/*
 * index/NAME.idx, which LTTng writes beside a stream NAME: where each of its packets is. The reading library
 * trusts an index blindly; here it tells what a stream should hold. An index that is absent or no index of
 * LTTng has no entries.
 */
#ifndef HAKSTAT_TRACE_INDEX_H
#define HAKSTAT_TRACE_INDEX_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hakstat_trace_index {
	unsigned char *data;   /* NULL: there is none that can be read */
	size_t length, entry;  /* bytes */
	size_t at;	       /* of the next packet's entry */
	bool disagrees;	       /* with a packet of the stream */
	uint64_t stream_bytes; /* where the packets of all entries end; 0: it tells nothing */
};

/* Frees with hakstat_trace_index_clear. */
void hakstat_trace_index_read(const char *folder, const char *name, struct hakstat_trace_index *index);
void hakstat_trace_index_clear(struct hakstat_trace_index *index);

/* Compares the next entry with the next packet of the stream: its offset in bytes, its sizes in bits. */
void hakstat_trace_index_take(struct hakstat_trace_index *index, uint64_t offset, uint64_t content,
			      uint64_t packet);

/* When all packets of the stream were taken: true when the index has just them, or there is none. */
bool hakstat_trace_index_fits(const struct hakstat_trace_index *index);
/* True when it has them, and more behind. */
bool hakstat_trace_index_goes_on(const struct hakstat_trace_index *index);

/* When the last packet ended, by the trace's clock; 0: there is none. */
uint64_t hakstat_trace_index_end(const struct hakstat_trace_index *index);

/* The streams that have an index: char *, free with g_ptr_array_unref. */
GPtrArray *hakstat_trace_index_names(const char *folder);

#endif

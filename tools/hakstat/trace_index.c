/* SPDX-License-Identifier: MIT */
/*
 * The layout of an index: a header of four big-endian words, and entries of the size that the last of them
 * says. An entry begins with a packet's offset in bytes, its sizes in bits and the times of its begin and
 * end.
 */
#include "trace_index.h"

#include <string.h>

#define INDEX_MAGIC UINT32_C(0xC1F1DCC1)

enum {
	HEADER = 16, /* magic, major, minor, bytes of an entry */
	ENTRY_SIZE_AT = 12,
	ENTRY_LEAST = 56,
	ENTRY_END_AT = 32,
};

static const char suffix[] = ".idx";

static uint64_t u64_at(const unsigned char *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof value);
	return GUINT64_FROM_BE(value);
}

static uint32_t u32_at(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof value);
	return GUINT32_FROM_BE(value);
}

static bool has_entry(const struct hakstat_trace_index *index)
{
	return index->entry >= ENTRY_LEAST && index->entry <= index->length &&
	       index->at <= index->length - index->entry;
}

/* Packets follow one another. Anything else is no index of a stream, and tells nothing of one. */
static uint64_t stream_bytes(struct hakstat_trace_index index)
{
	uint64_t end = 0;

	for (; has_entry(&index); index.at += index.entry) {
		const unsigned char *entry = index.data + index.at;
		uint64_t bits = u64_at(entry + 8);
		if (u64_at(entry) != end || bits == 0 || bits % 8 || bits / 8 > INT64_MAX - end) {
			return 0;
		}
		end += bits / 8;
	}
	return index.at == index.length ? end : 0;
}

void hakstat_trace_index_read(const char *folder, const char *name, struct hakstat_trace_index *index)
{
	g_autofree char *file = g_strconcat(name, suffix, NULL);
	g_autofree char *path = g_build_filename(folder, "index", file, NULL);
	gchar *data = NULL;
	gsize length = 0;

	memset(index, 0, sizeof *index);
	if (!g_file_get_contents(path, &data, &length, NULL)) {
		return;
	}
	index->data = (unsigned char *)data;
	index->length = length;
	index->at = HEADER;
	if (length >= HEADER) {
		index->entry = u32_at(index->data + ENTRY_SIZE_AT);
		index->stream_bytes = u32_at(index->data) == INDEX_MAGIC ? stream_bytes(*index) : 0;
	}
}

void hakstat_trace_index_clear(struct hakstat_trace_index *index)
{
	g_free(index->data);
}

void hakstat_trace_index_take(struct hakstat_trace_index *index, uint64_t offset, uint64_t content,
			      uint64_t packet)
{
	const unsigned char *entry;

	if (!index->data) {
		return;
	}
	if (!has_entry(index)) {
		index->disagrees = true;
		return;
	}
	entry = index->data + index->at;
	index->at += index->entry;
	index->disagrees |=
		u64_at(entry) != offset || u64_at(entry + 8) != packet || u64_at(entry + 16) != content;
}

bool hakstat_trace_index_fits(const struct hakstat_trace_index *index)
{
	return !index->data || (!index->disagrees && index->at == index->length);
}

bool hakstat_trace_index_goes_on(const struct hakstat_trace_index *index)
{
	return index->stream_bytes && !index->disagrees && index->at < index->length;
}

uint64_t hakstat_trace_index_end(const struct hakstat_trace_index *index)
{
	size_t entries = index->entry >= ENTRY_LEAST ? (index->length - HEADER) / index->entry : 0;

	return entries ? u64_at(index->data + HEADER + (entries - 1) * index->entry + ENTRY_END_AT) : 0;
}

GPtrArray *hakstat_trace_index_names(const char *folder)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *path = g_build_filename(folder, "index", NULL);
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		if (g_str_has_suffix(name, suffix)) {
			g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(suffix)));
		}
	}
	if (dir) {
		g_dir_close(dir);
	}
	return names;
}

/* SPDX-License-Identifier: MIT */
/*
 * The call sites as pprof's profile.proto, compressed: alloc_objects, alloc_space,
 * inuse_objects, inuse_space and, shown first, waste_space. The message is flat enough for the
 * few lines of encoding below; zlib compresses.
 */
#include <string.h>
#include <zlib.h>

#include "frame.h"
#include "render.h"
#include "text.h"

/* Numbers of fields, as profile.proto has them. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME = 9,
	PROFILE_DURATION = 10,
	PROFILE_DEFAULT_TYPE = 14,
};

enum { VALUES = 5 };

static const char *const value_types[VALUES][2] = {
	{ "alloc_objects", "count" }, { "alloc_space", "bytes" }, { "inuse_objects", "count" },
	{ "inuse_space", "bytes" },   { "waste_space", "bytes" },
};

struct profile {
	GByteArray *bytes;
	GHashTable *strings;   /* text -> index */
	GHashTable *mappings;  /* module and build id -> id */
	GHashTable *functions; /* name and file -> id */
	GHashTable *locations; /* the frames of one address -> id */
	uint64_t string_count;
};

/* Encoding ---------------------------------------------------------------------------------- */

static void put_varint(GByteArray *to, uint64_t value)
{
	do {
		guint8 byte = (guint8)((value & 127) | (value > 127 ? 128 : 0));
		g_byte_array_append(to, &byte, 1);
		value >>= 7;
	} while (value);
}

static void put_number(GByteArray *to, unsigned field, uint64_t value)
{
	if (value) { /* 0 is what an absent field means */
		put_varint(to, field << 3);
		put_varint(to, value);
	}
}

static void put_bytes(GByteArray *to, unsigned field, const void *data, size_t length)
{
	put_varint(to, field << 3 | 2);
	put_varint(to, length);
	g_byte_array_append(to, data, (guint)length);
}

/* Appends a message that was built aside, and ends it. */
static void put_message(GByteArray *to, unsigned field, GByteArray *message)
{
	put_bytes(to, field, message->data, message->len);
	g_byte_array_unref(message);
}

static uint64_t string_id(struct profile *p, const char *text)
{
	char *clean = hakstat_text_clean(text ? text : "");
	gpointer found;

	if (g_hash_table_lookup_extended(p->strings, clean, NULL, &found)) {
		g_free(clean);
		return GPOINTER_TO_SIZE(found);
	}
	put_bytes(p->bytes, PROFILE_STRING, clean, strlen(clean));
	g_hash_table_insert(p->strings, clean, GSIZE_TO_POINTER(p->string_count));
	return p->string_count++;
}

/* The id under `key` (taken over), counting from 1; *is_new when it was just given. */
static uint64_t id_of(GHashTable *ids, char *key, bool *is_new)
{
	gpointer found = g_hash_table_lookup(ids, key);

	*is_new = found == NULL;
	if (found) {
		g_free(key);
		return GPOINTER_TO_SIZE(found);
	}
	g_hash_table_insert(ids, key, GSIZE_TO_POINTER(g_hash_table_size(ids) + 1));
	return g_hash_table_size(ids);
}

/* Objects ----------------------------------------------------------------------------------- */

static uint64_t mapping_id(struct profile *p, const struct hakstat_frame *f)
{
	bool is_new;
	GByteArray *m;
	uint64_t id;

	if (!f->module) {
		return 0;
	}
	id = id_of(p->mappings, g_strdup_printf("%s\n%s", f->module, f->build_id ? f->build_id : ""),
		   &is_new);
	if (is_new) {
		m = g_byte_array_new();
		put_number(m, 1, id);
		put_number(m, 5, string_id(p, f->module));
		put_number(m, 6, string_id(p, f->build_id));
		put_number(m, 7, f->function != NULL);
		put_number(m, 8, f->file != NULL);
		put_number(m, 9, f->line != 0);
		put_message(p->bytes, PROFILE_MAPPING, m);
	}
	return id;
}

static uint64_t function_id(struct profile *p, const struct hakstat_frame *f)
{
	g_autofree char *name = hakstat_frame_name(f);
	bool is_new;
	uint64_t id = id_of(p->functions, g_strdup_printf("%s\n%s", name, f->file ? f->file : ""), &is_new);

	if (is_new) {
		GByteArray *m = g_byte_array_new();
		put_number(m, 1, id);
		put_number(m, 2, string_id(p, name));
		put_number(m, 3, string_id(p, name));
		put_number(m, 4, string_id(p, f->file));
		put_message(p->bytes, PROFILE_FUNCTION, m);
	}
	return id;
}

static void put_location(struct profile *p, uint64_t id, const GPtrArray *stack, guint first, guint count)
{
	const struct hakstat_frame *outer = g_ptr_array_index(stack, first + count - 1);
	GByteArray *m = g_byte_array_new();

	put_number(m, 1, id);
	put_number(m, 2, mapping_id(p, outer));
	put_number(m, 3, outer->offset);
	for (guint i = first; i < first + count; i++) {
		const struct hakstat_frame *f = g_ptr_array_index(stack, i);
		GByteArray *line = g_byte_array_new();
		put_number(line, 1, function_id(p, f));
		put_number(line, 2, f->line);
		put_message(m, 4, line);
	}
	put_message(p->bytes, PROFILE_LOCATION, m);
}

/* The frames first .. first + count - 1 lie at one address: all but the last were inlined. */
static uint64_t location_id(struct profile *p, const GPtrArray *stack, guint first, guint count)
{
	GString *key = g_string_new(NULL);
	bool is_new;
	uint64_t id;

	for (guint i = first; i < first + count; i++) {
		const struct hakstat_frame *f = g_ptr_array_index(stack, i);
		g_string_append_printf(key, "%s\n%s\n%u\n%s\n%#lx\n", f->function ? f->function : "",
				       f->file ? f->file : "", f->line, f->module ? f->module : "",
				       (unsigned long)f->offset);
	}
	id = id_of(p->locations, g_string_free(key, FALSE), &is_new);
	if (is_new) {
		put_location(p, id, stack, first, count);
	}
	return id;
}

static void put_site(struct profile *p, const struct hakstat_row *row)
{
	const uint64_t values[VALUES] = { row->n.allocs, row->n.requested_bytes, row->n.live,
					  row->n.live_requested_bytes, hakstat_counts_waste(&row->n) };
	GByteArray *sample = g_byte_array_new();
	GByteArray *locations = g_byte_array_new();
	GByteArray *packed = g_byte_array_new();

	for (guint i = 0, count; i < row->stack->len; i += count) {
		count = 1;
		while (i + count < row->stack->len &&
		       ((const struct hakstat_frame *)g_ptr_array_index(row->stack, i + count - 1))
			       ->inlined) {
			count++;
		}
		put_varint(locations, location_id(p, row->stack, i, count));
	}
	for (int i = 0; i < VALUES; i++) {
		put_varint(packed, values[i]);
	}
	put_message(sample, 1, locations);
	put_message(sample, 2, packed);
	put_message(p->bytes, PROFILE_SAMPLE, sample);
}

static void put_types(struct profile *p)
{
	for (int i = 0; i < VALUES; i++) {
		GByteArray *m = g_byte_array_new();
		put_number(m, 1, string_id(p, value_types[i][0]));
		put_number(m, 2, string_id(p, value_types[i][1]));
		put_message(p->bytes, PROFILE_SAMPLE_TYPE, m);
	}
	put_number(p->bytes, PROFILE_DEFAULT_TYPE, string_id(p, value_types[VALUES - 1][0]));
}

static int write_gzip(const GByteArray *bytes, FILE *out)
{
	enum { GZIP_WINDOW = 15 + 16 };
	z_stream stream = { 0 };
	unsigned char buffer[1 << 15];
	int status;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK) {
		return -1;
	}
	stream.next_in = bytes->data;
	stream.avail_in = bytes->len;
	do {
		stream.next_out = buffer;
		stream.avail_out = sizeof buffer;
		status = deflate(&stream, Z_FINISH);
		/* cppcheck-suppress uninitvar ; deflate wrote that part */
		fwrite(buffer, 1, sizeof buffer - stream.avail_out, out);
	} while (status == Z_OK);
	deflateEnd(&stream);
	return status == Z_STREAM_END && !ferror(out) ? 0 : -1;
}

int hakstat_render_pprof(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	struct profile p = { .bytes = g_byte_array_new() };
	guint rows =
		hakstat_view_rows(view, r->tables[HAKSTAT_BY_SITE]->len, r->tables[HAKSTAT_BY_SITE]->len);
	int status;

	p.strings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	p.mappings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	p.functions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	p.locations = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	string_id(&p, ""); /* string 0 is the empty one */
	put_types(&p);
	for (guint i = 0; i < rows; i++) {
		put_site(&p, g_ptr_array_index(r->tables[HAKSTAT_BY_SITE], i));
	}
	if (r->summary->end_ns > r->summary->begin_ns) {
		put_number(p.bytes, PROFILE_TIME, (uint64_t)r->summary->begin_ns);
		put_number(p.bytes, PROFILE_DURATION,
			   (uint64_t)r->summary->end_ns - (uint64_t)r->summary->begin_ns);
	}
	status = write_gzip(p.bytes, out);
	g_hash_table_destroy(p.strings);
	g_hash_table_destroy(p.mappings);
	g_hash_table_destroy(p.functions);
	g_hash_table_destroy(p.locations);
	g_byte_array_unref(p.bytes);
	return status;
}

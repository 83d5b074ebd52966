/* SPDX-License-Identifier: MIT */
/*
 * Input: a recording. Packet headers are made around what the input has as contents, so that the
 * reading library gets as far as the events; a few inputs ask for wrong ones, and for edits of the
 * metadata. Reading is done as hakstat does it, in a child that may die of the library.
 *
 *   1 byte    1: events.tsdl instead of full.tsdl; 2: edits of the metadata follow; 4: an index file;
 *             8: the last packet of each stream is cut short; 16..128: what to render
 *   edits     a number of them; each 2 bytes offset, 1 byte length, the bytes
 *   packets   1 byte: stream id (2 bits), file (2 bits), flags: wrong packet size, wrong content size,
 *             losses, a clock that goes back; 2 bytes length, the contents
 */
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forked.h"
#include "input.h"
#include "rendering.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	USES_EVENTS = 1,
	EDITS_METADATA = 2,
	HAS_INDEX = 4,
	IS_CUT = 8,
	STREAMS = 16,
	PAGE = 4096,
	HEADER = 84,
	MOST_PACKETS = 64,
};

enum { BAD_PACKET_SIZE = 16, BAD_CONTENT_SIZE = 32, HAS_LOSSES = 64, CLOCK_BACK = 128 };

#define MAGIC UINT32_C(0xC1FC1FC1)

struct stream {
	GByteArray *bytes, *index;
	uint64_t packets, lost, clock;
};

struct recording {
	struct stream streams[STREAMS];
	uint8_t uuid[16];
	uint64_t clock;
};

static void append(GByteArray *to, const void *data, size_t length)
{
	g_byte_array_append(to, data, (guint)length);
}

static void append_u32(GByteArray *to, uint32_t value)
{
	append(to, &value, sizeof value);
}

static void append_u64(GByteArray *to, uint64_t value)
{
	append(to, &value, sizeof value);
}

static void append_big(GByteArray *to, uint64_t value)
{
	append_u64(to, GUINT64_TO_BE(value));
}

static void add_index(struct stream *s, uint64_t offset, uint64_t packet, uint64_t content, unsigned id)
{
	if (s->index->len == 0) {
		append_u32(s->index, GUINT32_TO_BE(UINT32_C(0xC1F1DCC1)));
		append_u32(s->index, GUINT32_TO_BE(1));
		append_u32(s->index, GUINT32_TO_BE(1));
		append_u32(s->index, GUINT32_TO_BE(72));
	}
	append_big(s->index, offset);
	append_big(s->index, packet);
	append_big(s->index, content);
	append_big(s->index, s->clock);
	append_big(s->index, s->clock + 1000);
	append_big(s->index, s->lost);
	append_big(s->index, id);
	append_big(s->index, 0);
	append_big(s->index, s->packets);
}

static void add_packet(struct recording *r, struct bytes *b)
{
	unsigned flags = bytes_u8(b);
	struct stream *s = &r->streams[flags % STREAMS];
	uint64_t length = bytes_fixed(b, 2);
	uint64_t content, packet, start = s->bytes->len;

	length = MIN(length, bytes_left(b));
	content = 8 * (HEADER + length);
	packet = 8 * (((HEADER + length) + PAGE - 1) / PAGE * PAGE);
	content = flags & BAD_CONTENT_SIZE ? bytes_number(b) : content;
	packet = flags & BAD_PACKET_SIZE ? bytes_number(b) : packet;
	length = MIN(length, bytes_left(b));
	s->lost += flags & HAS_LOSSES ? bytes_number(b) : 0;
	length = MIN(length, bytes_left(b));
	s->clock = flags & CLOCK_BACK ? bytes_number(b) << 20 : s->clock + 1000;
	length = MIN(length, bytes_left(b));
	append_u32(s->bytes, MAGIC);
	append(s->bytes, r->uuid, sizeof r->uuid);
	append_u32(s->bytes, flags % 4);
	append_u64(s->bytes, flags / 4 % 4);
	append_u64(s->bytes, s->clock);
	append_u64(s->bytes, s->clock + 1000);
	append_u64(s->bytes, content);
	append_u64(s->bytes, packet);
	append_u64(s->bytes, s->packets++);
	append_u64(s->bytes, s->lost);
	append_u32(s->bytes, flags / 4 % 4);
	append(s->bytes, b->at, length);
	b->at += length;
	g_byte_array_set_size(s->bytes, (guint)((s->bytes->len + PAGE - 1) / PAGE * PAGE));
	memset(s->bytes->data + start + HEADER + length, 0, s->bytes->len - start - HEADER - length);
	add_index(s, start, packet, content, flags % 4);
}

static void put_file(const char *folder, const char *name, const void *data, size_t length)
{
	char *path = g_build_filename(folder, name, NULL);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	expect(fd >= 0 && write(fd, data, length) == (ssize_t)length);
	close(fd);
	g_free(path);
}

/* The trace's id is in the metadata's text and in each packet. */
static void take_uuid(const char *metadata, uint8_t uuid[16])
{
	const char *p = strstr(metadata, "uuid = \"");

	memset(uuid, 0, 16);
	p = p ? p + 8 : "";
	for (int i = 0; i < 16 && g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1]); i++) {
		uuid[i] = (uint8_t)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));
		p += p[2] == '-' ? 3 : 2;
	}
}

static void put_metadata(const char *folder, struct bytes *b, unsigned options, uint8_t uuid[16])
{
	const char *name = options & USES_EVENTS ? "events.tsdl" : "full.tsdl";
	char *path = g_build_filename(FUZZ_TRACE_FOLDER, name, NULL);
	gchar *text;
	gsize length;
	unsigned edits = options & EDITS_METADATA ? bytes_u8(b) % 16 : 0;

	expect(g_file_get_contents(path, &text, &length, NULL));
	take_uuid(text, uuid);
	for (unsigned i = 0; i < edits; i++) {
		size_t at = bytes_fixed(b, 2) % length;
		size_t count = bytes_u8(b);
		count = MIN(MIN(count, bytes_left(b)), length - at);
		memcpy(text + at, b->at, count);
		b->at += count;
	}
	put_file(folder, "metadata", text, length);
	g_free(text);
	g_free(path);
}

static void put_streams(const char *folder, const struct recording *r, unsigned options)
{
	char *index = g_build_filename(folder, "index", NULL);

	mkdir(index, 0700);
	for (unsigned i = 0; i < STREAMS; i++) {
		const struct stream *s = &r->streams[i];
		char name[24];
		guint length = s->bytes->len - (options & IS_CUT ? MIN(s->bytes->len, PAGE / 2) : 0);
		g_snprintf(name, sizeof name, "stream_%u", i);
		if (s->bytes->len) {
			put_file(folder, name, s->bytes->data, length);
		}
		g_snprintf(name, sizeof name, "stream_%u.idx", i);
		if (s->bytes->len && options & HAS_INDEX) {
			put_file(index, name, s->index->data, s->index->len);
		}
	}
	g_free(index);
}

static void write_recording(const char *folder, struct bytes *b, unsigned options)
{
	struct recording r = { .clock = 0 };

	put_metadata(folder, b, options, r.uuid);
	for (unsigned i = 0; i < STREAMS; i++) {
		r.streams[i].bytes = g_byte_array_new();
		r.streams[i].index = g_byte_array_new();
	}
	for (unsigned i = 0; bytes_left(b) && i < MOST_PACKETS; i++) {
		add_packet(&r, b);
	}
	put_streams(folder, &r, options);
	for (unsigned i = 0; i < STREAMS; i++) {
		g_byte_array_unref(r.streams[i].bytes);
		g_byte_array_unref(r.streams[i].index);
	}
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hakstat_input_options reading = { .sysroot = "/nonexistent" };
	struct bytes b = { data, data + size };
	struct hakstat_summary *summary;
	struct hakstat_err err = { 0 };
	char folder[] = "/dev/shm/hakstat-fuzz-XXXXXX";
	unsigned options = bytes_u8(&b);

	expect(mkdtemp(folder) != NULL);
	write_recording(folder, &b, options);
	summary = hakstat_input_read(folder, &reading, &err);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	expect(summary || (err.status == HAKSTAT_TRACE && err.text[0]));
	if (summary) {
		rendering_check(summary, options);
	}
	return 0;
}

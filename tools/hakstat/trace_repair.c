/* SPDX-License-Identifier: MIT */
/*
 * Packets of CTF 1.8 as LTTng lays them out: a stream's packet says its size in the 76 bytes
 * at its beginning, a metadata packet in the 37 bytes at its own.
 */
#include "trace_repair.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace_index.h"
#include "write_all.h"

#define STREAM_MAGIC   UINT32_C(0xC1FC1FC1)
#define METADATA_MAGIC UINT32_C(0x75D11D57)

enum {
	STREAM_HEADER = 76, /* magic to cpu_id */
	CONTENT_SIZE_AT = 48,
	PACKET_SIZE_AT = 56,
	METADATA_HEADER = 37,
	METADATA_CONTENT_AT = 24,
	METADATA_PACKET_AT = 28,
	LARGEST_METADATA = 64 << 20,
};

/* Where a stream file stops being made of whole packets. */
struct cut {
	uint64_t whole;	       /* bytes of whole packets */
	uint64_t size;	       /* of the file */
	uint64_t content_bits; /* what the incomplete packet says it holds; 0: nothing of it is usable */
};

struct repair {
	struct hakstat_repaired *out;
	struct hakstat_err *err;
	guint made; /* folders below the temporary one */
};

static uint32_t u32_at(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof value);
	return value;
}

static uint64_t u64_at(const unsigned char *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof value);
	return value;
}

/* Metadata ---------------------------------------------------------------------------------- */

/* What is wrong with the packets, or NULL. Text without packets is the reader's to judge. */
static const char *check_metadata(const unsigned char *data, size_t length)
{
	size_t at = 0;

	if (length == 0) {
		return "its metadata is empty";
	}
	if (length < 4 || u32_at(data) != METADATA_MAGIC) {
		return memcmp(data, "/* CTF", MIN(length, 6)) == 0
			       ? NULL
			       : "its metadata is not that of a CTF trace";
	}
	while (at < length) {
		uint64_t content, packet;
		if (length - at < METADATA_HEADER) {
			return "its metadata is cut short";
		}
		content = u32_at(data + at + METADATA_CONTENT_AT);
		packet = u32_at(data + at + METADATA_PACKET_AT);
		if (u32_at(data + at) != METADATA_MAGIC || content > packet || packet % 8 || content % 8 ||
		    content / 8 < METADATA_HEADER) {
			return "its metadata is damaged";
		}
		if (packet / 8 > length - at) {
			return "its metadata is cut short";
		}
		at += packet / 8;
	}
	/* A session in whose time no process came. */
	return memmem(data, length, "stream {", 8) ? NULL : "no process was traced, it holds no event";
}

/* `has_known_layout`: the streams' packets begin as this file knows them. */
static int read_metadata(const char *folder, bool *has_known_layout, struct hakstat_err *err)
{
	char *path = g_build_filename(folder, "metadata", NULL);
	GError *error = NULL;
	gchar *data = NULL;
	gsize length = 0;
	const char *wrong;
	struct stat info;

	if (stat(path, &info) == 0 && info.st_size > LARGEST_METADATA) {
		wrong = "its metadata is larger than any tracer writes";
	} else if (!g_file_get_contents(path, &data, &length, &error)) {
		wrong = "its metadata cannot be read";
		g_error_free(error);
	} else {
		wrong = check_metadata((const unsigned char *)data, length);
	}
	*has_known_layout = !wrong && memmem(data, length, "stream_instance_id", 18) &&
			    memmem(data, length, "packet_seq_num", 14) &&
			    memmem(data, length, "lttng-ust", 9);
	g_free(data);
	g_free(path);
	return wrong ? hakstat_err_set(err, HAKSTAT_TRACE, "%s: not a readable trace: %s", folder, wrong) : 0;
}

/*
 * The reading library opens all there is, and would wait for a pipe or never come to the end of a
 * device. Returns HAKSTAT_TRACE when the folder holds such a thing.
 */
static int check_entries(const char *folder, struct hakstat_err *err)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;
	int status = 0;

	while (dir && status == 0 && (name = g_dir_read_name(dir)) != NULL) {
		char *path = g_build_filename(folder, name, NULL);
		struct stat info;
		if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
			status = hakstat_err_set(err, HAKSTAT_TRACE,
						 "%s: not a readable trace: it holds %s, which is no file",
						 folder, name);
		}
		g_free(path);
	}
	if (dir) {
		g_dir_close(dir);
	}
	return status;
}

static int check_folder(const char *folder, struct hakstat_err *err)
{
	char *index = g_build_filename(folder, "index", NULL);
	int status = check_entries(folder, err);

	if (status == 0) {
		status = check_entries(index, err);
	}
	g_free(index);
	return status;
}

/* Streams ----------------------------------------------------------------------------------- */

/* True when the file is not made of whole packets. Each takes an entry of the index, which may be NULL. */
static bool find_cut(int fd, struct cut *cut, struct hakstat_trace_index *index)
{
	unsigned char header[STREAM_HEADER];
	struct stat info;

	memset(cut, 0, sizeof *cut);
	if (fstat(fd, &info) != 0) {
		return false;
	}
	cut->size = (uint64_t)info.st_size;
	while (cut->whole < cut->size) {
		ssize_t got = pread(fd, header, sizeof header, (off_t)cut->whole);
		uint64_t content, packet;
		if (got != (ssize_t)sizeof header || u32_at(header) != STREAM_MAGIC) {
			return true;
		}
		content = u64_at(header + CONTENT_SIZE_AT);
		packet = u64_at(header + PACKET_SIZE_AT);
		if (packet % 8 || packet / 8 < sizeof header || content > packet ||
		    content < 8 * sizeof header) {
			return true;
		}
		if (packet / 8 > cut->size - cut->whole) {
			cut->content_bits = content;
			return true;
		}
		if (index) {
			hakstat_trace_index_take(index, cut->whole, content, packet);
		}
		cut->whole += packet / 8;
	}
	return false;
}

static int copy_range(int from, int to, uint64_t at, uint64_t length)
{
	static char buffer[1 << 16];

	while (length) {
		ssize_t got = pread(from, buffer, MIN(length, sizeof buffer), (off_t)at);
		if (got == 0) {
			errno = ENODATA; /* it became shorter meanwhile */
		}
		if (got <= 0 || hakstat_write_all(to, buffer, (size_t)got) != 0) {
			return -1;
		}
		at += (uint64_t)got;
		length -= (uint64_t)got;
	}
	return 0;
}

/* The copy of a cut packet says of itself how long it is. */
static int copy_tail(int from, int to, const struct cut *cut)
{
	uint64_t bits = (cut->size - cut->whole) * 8;
	uint64_t content = MIN(cut->content_bits, bits);

	if (copy_range(from, to, cut->whole, cut->size - cut->whole) != 0) {
		return -1;
	}
	errno = EIO; /* of a short write, which sets none */
	return pwrite(to, &content, sizeof content, CONTENT_SIZE_AT) == sizeof content &&
			       pwrite(to, &bits, sizeof bits, PACKET_SIZE_AT) == sizeof bits
		       ? 0
		       : -1;
}

static int copy_to(int from, const char *folder, const char *name, const struct cut *cut, bool is_tail)
{
	char *path = g_build_filename(folder, name, NULL);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int status = -1, why = errno;

	if (to >= 0) {
		status = is_tail ? copy_tail(from, to, cut) : copy_range(from, to, 0, cut->whole);
		why = errno;
		if (close(to) != 0 && status == 0) {
			status = -1;
			why = errno;
		}
	}
	g_free(path);
	errno = why;
	return status;
}

/* Temporary folders ------------------------------------------------------------------------- */

static int cannot_make(struct repair *r)
{
	return hakstat_err_set(r->err, HAKSTAT_USAGE,
			       "cannot write a temporary copy of a trace that is cut short: %s",
			       g_strerror(errno));
}

static int link_file(const char *source_folder, const char *folder, const char *name)
{
	char *relative = g_build_filename(source_folder, name, NULL);
	char *target = g_canonicalize_filename(relative, NULL);
	char *path = g_build_filename(folder, name, NULL);
	int status = symlink(target, path);

	g_free(relative);
	g_free(target);
	g_free(path);
	return status;
}

/* A new folder with the trace's metadata; it belongs to `list`. */
static const char *make_folder(struct repair *r, const char *source_folder, GPtrArray *list)
{
	char *path;
	char name[16];

	if (!r->out->temporary) {
		r->out->temporary = g_dir_make_tmp("hakstat-XXXXXX", NULL);
	}
	if (!r->out->temporary) {
		return NULL;
	}
	g_snprintf(name, sizeof name, "%u", r->made++);
	path = g_build_filename(r->out->temporary, name, NULL);
	g_ptr_array_add(list, path);
	if (mkdir(path, 0700) != 0 || link_file(source_folder, path, "metadata") != 0) {
		return NULL;
	}
	return path;
}

static void note(const struct repair *r, const char *folder, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Of a stream. */
static void note(const struct repair *r, const char *folder, const char *name, const char *format, ...)
{
	va_list args;
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = NULL;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(r->out->notes, g_strdup_printf("%s %s", path, text));
}

static int repair_stream(struct repair *r, const char *source_folder, const char *folder, const char *name)
{
	char *path = g_build_filename(source_folder, name, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *tail_folder;
	struct cut cut;
	int status = 0;

	if (fd < 0 || !find_cut(fd, &cut, NULL)) {
		status = link_file(source_folder, folder, name);
	} else {
		note(r, source_folder, name, "is cut short or damaged after %" PRIu64 " of %" PRIu64 " bytes",
		     cut.whole, cut.size);
		status = copy_to(fd, folder, name, &cut, false);
		if (status == 0 && cut.content_bits) {
			tail_folder = make_folder(r, source_folder, r->out->tails);
			status = tail_folder ? copy_to(fd, tail_folder, name, &cut, true) : -1;
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	g_free(path);
	return status ? cannot_make(r) : 0;
}

/* The names of a trace's stream files. */
static GPtrArray *stream_names(const char *folder)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		char *path = g_build_filename(folder, name, NULL);
		if (name[0] != '.' && strcmp(name, "metadata") != 0 &&
		    g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
			g_ptr_array_add(names, g_strdup(name));
		}
		g_free(path);
	}
	if (dir) {
		g_dir_close(dir);
	}
	return names;
}

/*
 * True when a stream is cut short, or its index is not about it: links leave the index behind. An index that
 * goes on where the stream ends is, and knows what is missing.
 */
static bool needs_repair(const struct repair *r, const char *folder, const char *name)
{
	char *path = g_build_filename(folder, name, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct hakstat_trace_index index;
	struct cut cut;
	bool is_needed = false;

	if (fd >= 0) {
		hakstat_trace_index_read(folder, name, &index);
		is_needed = find_cut(fd, &cut, &index);
		if (!is_needed && hakstat_trace_index_goes_on(&index)) {
			note(r, folder, name,
			     "is shorter than its index says: %" PRIu64 " of %" PRIu64 " bytes", cut.size,
			     index.stream_bytes);
		}
		is_needed |= !hakstat_trace_index_fits(&index);
		hakstat_trace_index_clear(&index);
		close(fd);
	}
	g_free(path);
	return is_needed;
}

static bool any_needs_repair(const struct repair *r, const char *folder, const GPtrArray *names)
{
	bool is_needed = false;

	for (guint i = 0; i < names->len; i++) {
		is_needed |= needs_repair(r, folder, g_ptr_array_index(names, i));
	}
	return is_needed;
}

/* Streams that are gone, and whose index is not. */
static void note_missing(const struct repair *r, const char *folder)
{
	GPtrArray *names = hakstat_trace_index_names(folder);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(folder, name, NULL);
		struct hakstat_trace_index index;
		struct stat info;
		if (stat(path, &info) == 0 || errno != ENOENT) {
			continue;
		}
		hakstat_trace_index_read(folder, name, &index);
		if (index.stream_bytes) {
			note(r, folder, name, "is missing: its index tells of %" PRIu64 " bytes",
			     index.stream_bytes);
		}
		hakstat_trace_index_clear(&index);
	}
	g_ptr_array_unref(names);
}

static int repair_folder(struct repair *r, const char *source_folder)
{
	GPtrArray *names = stream_names(source_folder);
	const char *folder;
	int status = 0;

	note_missing(r, source_folder);
	if (!any_needs_repair(r, source_folder, names)) {
		g_ptr_array_add(r->out->folders, g_strdup(source_folder));
	} else {
		folder = make_folder(r, source_folder, r->out->folders);
		status = folder ? 0 : cannot_make(r);
		for (guint i = 0; i < names->len && status == 0; i++) {
			status = repair_stream(r, source_folder, folder, g_ptr_array_index(names, i));
		}
	}
	g_ptr_array_unref(names);
	return status;
}

int hakstat_trace_repair(const GPtrArray *folders, struct hakstat_repaired *repaired, struct hakstat_err *err)
{
	struct repair r = { repaired, err, 0 };
	int status = 0;

	repaired->folders = g_ptr_array_new_with_free_func(g_free);
	repaired->tails = g_ptr_array_new_with_free_func(g_free);
	repaired->notes = g_ptr_array_new_with_free_func(g_free);
	repaired->temporary = NULL;
	for (guint i = 0; i < folders->len && status == 0; i++) {
		const char *folder = g_ptr_array_index(folders, i);
		bool has_known_layout;
		status = check_folder(folder, err);
		if (status == 0) {
			status = read_metadata(folder, &has_known_layout, err);
		}
		if (status == 0 && has_known_layout) {
			status = repair_folder(&r, folder);
		} else if (status == 0) {
			g_ptr_array_add(repaired->folders, g_strdup(folder));
		}
	}
	if (status != 0) {
		hakstat_repaired_clear(repaired);
	}
	return status;
}

static void remove_folder(const char *temporary, guint number)
{
	char name[16];
	char *folder;
	GDir *dir;
	const char *entry;

	g_snprintf(name, sizeof name, "%u", number);
	folder = g_build_filename(temporary, name, NULL);
	dir = g_dir_open(folder, 0, NULL);
	while (dir && (entry = g_dir_read_name(dir)) != NULL) {
		char *path = g_build_filename(folder, entry, NULL);
		unlink(path);
		g_free(path);
	}
	if (dir) {
		g_dir_close(dir);
	}
	rmdir(folder);
	g_free(folder);
}

void hakstat_repaired_clear(struct hakstat_repaired *repaired)
{
	guint made = repaired->folders->len + repaired->tails->len;

	for (guint i = 0; repaired->temporary && i < made; i++) {
		remove_folder(repaired->temporary, i);
	}
	if (repaired->temporary) {
		rmdir(repaired->temporary);
	}
	g_free(repaired->temporary);
	g_ptr_array_unref(repaired->folders);
	g_ptr_array_unref(repaired->tails);
	g_ptr_array_unref(repaired->notes);
}

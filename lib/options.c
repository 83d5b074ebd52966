/* SPDX-License-Identifier: MIT */
/*
 * The environment into hak_options. Runs inside the first malloc, which may come before
 * libc's constructors: then `environ` is not set yet and /proc/self/environ is read.
 */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "meta.h"
#include "panic.h"

enum option_type { TABLE, INT, SIZE, POWER2, SWITCH, NAME };

struct option {
	const char *name;
	const char *initial;
	size_t offset; /* in struct hak_options */
	int64_t min, max;
	enum option_type type;
};

struct hak_options hak_options;
static uint64_t given; /* a bit for each row */

static const struct option options[] = {
#define OPTION_ROW(field, type, name, initial, min, max, help)                                               \
	{ name, initial, offsetof(struct hak_options, field), min, max, type },
	HAK_OPTIONS(OPTION_ROW)
#undef OPTION_ROW
};

enum {
	OPTIONS = sizeof options / sizeof options[0],
	NAME_MAX_LENGTH = 64,
	TABLE_MAX = PATH_MAX,
	ENTRY_MAX = NAME_MAX_LENGTH + TABLE_MAX + 1,
	TABLE_FILE_MAX = 16384,
};
_Static_assert(OPTIONS <= 64, "`seen` and `given` are 64-bit sets");

static const char prefix[] = "HAKMEM_";
static const size_t prefix_length = sizeof prefix - 1;

static void *field_of(const struct option *o)
{
	return (char *)&hak_options + o->offset;
}

/* Decimal digits, then one of `suffixes`, each 1024 times the one before. 0 or -1. */
static int parse_number(const char *text, const char *suffixes, int64_t *out)
{
	bool negative = *text == '-';
	int64_t value = 0;
	const char *at = text + negative;
	if (*at == '\0') {
		return -1;
	}
	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *at - '0', &value)) {
			return -1;
		}
	}
	if (*at && at > text + negative) {
		char letter = (char)(*at & ~0x20); /* of a blank, nothing is left */
		const char *suffix = letter ? strchr(suffixes, letter) : NULL;
		if (!suffix ||
		    __builtin_mul_overflow(value, INT64_C(1024) << 10 * (suffix - suffixes), &value)) {
			return -1;
		}
		at++;
	}
	*out = negative ? -value : value;
	return *at ? -1 : 0;
}

static bool is_table(const char *text)
{
	return strcmp(text, "fine") == 0 || strcmp(text, "classic") == 0 ||
	       (text[0] == '@' && text[1] && strlen(text) <= TABLE_MAX);
}

/* The name of a table, which must outlive the environment; -1 when it is none. */
static int store_table(const struct option *o, const char *text)
{
	if (!is_table(text)) {
		return -1;
	}
	hak_option_TABLE *field = field_of(o);
	if (text == o->initial) {
		*field = text;
		return 0;
	}
	size_t bytes = strlen(text) + 1;
	char *copy = hak_meta_alloc(bytes);
	if (!copy) {
		return -1;
	}
	*field = memcpy(copy, text, bytes);
	return 0;
}

/* Stores `text` as the option's value; -1, and nothing stored, when it is not one. */
static int store(const struct option *o, const char *text)
{
	int64_t value;
	if (o->type == TABLE) {
		return store_table(o, text);
	}
	if (o->type == NAME) {
		if (strlen(text) >= sizeof(hak_option_NAME)) {
			return -1;
		}
		memcpy(field_of(o), text, strlen(text) + 1);
		return 0;
	}
	bool is_bytes = o->type == SIZE || o->type == POWER2;
	if (parse_number(text, is_bytes ? "KMG" : "", &value) || value < o->min || value > o->max ||
	    (o->type == POWER2 && (value & (value - 1)))) {
		return -1;
	}
	if (o->type == SWITCH) {
		*(bool *)field_of(o) = value;
	} else {
		memcpy(field_of(o), &value, sizeof value); /* int64_t or uint64_t */
	}
	return 0;
}

/* A number as text at the end of a small buffer, for hak_warn. */
struct number {
	char text[24];
};

static void collect(void *to, const char *bytes, size_t length)
{
	struct number *n = to;
	memcpy(n->text, bytes, length); /* at most 20 digits, a sign and a unit */
	n->text[length] = '\0';
}

static const char *number_text(struct number *n, int64_t value, bool is_bytes)
{
	struct hak_writer w;
	hak_writer_to_sink(&w, collect, n);
	if (is_bytes) {
		hak_write_size(&w, (uint64_t)value);
	} else {
		hak_write_signed(&w, value);
	}
	hak_writer_flush(&w);
	return n->text;
}

static void warn_value(const struct option *o, const char *value)
{
	static const char *const kinds[] = {
		[INT] = "a number from ",
		[SIZE] = "bytes (with an optional K, M or G) from ",
		[POWER2] = "a power of two (with an optional K, M or G) from ",
	};
	struct number low, high;
	bool is_bytes = o->type == SIZE || o->type == POWER2;
	if (o->type == TABLE) {
		hak_warn(o->name, "=", value, ": expected fine, classic or @FILE; using ", o->initial, NULL);
	} else if (o->type == NAME) {
		hak_warn(o->name, "=", value, ": expected at most 63 characters; ignored", NULL);
	} else if (o->type == SWITCH) {
		hak_warn(o->name, "=", value, ": expected 0 or 1; using ", o->initial, NULL);
	} else {
		hak_warn(o->name, "=", value, ": expected ", kinds[o->type],
			 number_text(&low, o->min, is_bytes), " to ", number_text(&high, o->max, is_bytes),
			 "; using ", o->initial, NULL);
	}
}

static void warn_unknown(const char *entry)
{
#define OPTION_NAME(field, type, name, initial, min, max, help) " " name
	hak_warn(entry, ": no such option, ignored; there are" HAK_OPTIONS(OPTION_NAME), NULL);
#undef OPTION_NAME
}

static const struct option *find(const char *name, size_t length)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (strncmp(options[i].name, name, length) == 0 && options[i].name[length] == '\0') {
			return &options[i];
		}
	}
	return NULL;
}

/* One NAME=value of the environment. As for getenv, the first of a name counts. */
static void read_entry(const char *entry, uint64_t *seen)
{
	const char *equals = strchr(entry, '=');
	if (!equals || strncmp(entry, prefix, prefix_length) != 0) {
		return;
	}
	const struct option *o = find(entry, (size_t)(equals - entry));
	if (!o) {
		warn_unknown(entry);
		return;
	}
	uint64_t bit = UINT64_C(1) << (o - options);
	if (!(*seen & bit) && equals[1]) {
		if (store(o, equals + 1) == 0) {
			given |= bit;
		} else {
			warn_value(o, equals + 1);
		}
	}
	*seen |= bit;
}

/*
 * The environment the process was started with. System calls directly: libc's functions
 * are cancellation points. An entry that is too long for any option is cut, and its value
 * is then refused by length.
 */
HAK_SELDOM HAK_NOINLINE static void read_proc_environ(uint64_t *seen)
{
	char *entry = hak_meta_alloc(ENTRY_MAX);
	char chunk[512];
	size_t at = 0;
	long n;
	if (!entry) {
		return;
	}
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = syscall(SYS_read, fd, chunk, sizeof chunk)) > 0) {
		for (long i = 0; i < n; i++) {
			entry[at] = chunk[i];
			if (chunk[i] == '\0') {
				read_entry(entry, seen);
				at = 0;
			} else if (at < ENTRY_MAX - 2) {
				at++;
				entry[at] = '\0';
			}
		}
	}
	if (fd >= 0) {
		syscall(SYS_close, fd);
	}
	hak_meta_free(entry, ENTRY_MAX);
}

void hak_options_read(void)
{
	uint64_t seen = 0;
	int saved = errno;

	given = 0;
	for (size_t i = 0; i < OPTIONS; i++) {
		store(&options[i], options[i].initial);
	}
	if (!getauxval(AT_SECURE)) {
		if (environ) {
			for (char **entry = environ; *entry; entry++) {
				read_entry(*entry, &seen);
			}
		} else {
			read_proc_environ(&seen);
		}
	}
	errno = saved;
}

bool hak_options_is_given(enum hak_option which)
{
	return given >> which & 1;
}

/* The whole file into `text`. The length, -errno, or -EFBIG. */
static ssize_t read_file(const char *path, char *text, size_t capacity)
{
	size_t length = 0;
	long n = 0;
	/* Non-blocking: a pipe without a writer must not hang every program. */
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	while (length < capacity && (n = syscall(SYS_read, fd, text + length, capacity - length)) > 0) {
		length += (size_t)n;
	}
	ssize_t result = n < 0 ? -errno : (ssize_t)length;
	syscall(SYS_close, fd);
	return length == capacity ? -EFBIG : result;
}

/* Loads the file of an @FILE option into `text`; false after a warning. */
HAK_SELDOM HAK_NOINLINE static bool load_table(struct hak_class_table *out, char *text,
					       unsigned tiny_max_class, uint32_t page_size)
{
	struct number at;
	unsigned line;
	ssize_t length = text ? read_file(hak_options.size_classes + 1, text, TABLE_FILE_MAX) : -ENOMEM;
	if (length < 0) {
		hak_warn("HAKMEM_SIZE_CLASSES=", hak_options.size_classes, ": ",
			 strerrordesc_np((int)-length), "; using fine", NULL);
		return false;
	}
	const char *wrong =
		hak_class_table_parse(out, text, (size_t)length, tiny_max_class, page_size, &line);
	if (wrong) {
		hak_warn("HAKMEM_SIZE_CLASSES=", hak_options.size_classes, ": line ",
			 number_text(&at, line, false), ": ", wrong, "; using fine", NULL);
	}
	return !wrong;
}

void hak_options_class_table(struct hak_class_table *out, uint32_t page_size)
{
	unsigned tiny_max_class = (unsigned)hak_options.tiny_max_class;
	enum hak_scheme scheme = HAK_SCHEME_FINE;
	if (hak_options.size_classes[0] == '@') {
		int saved = errno;
		char *text = hak_meta_alloc(TABLE_FILE_MAX);
		bool is_loaded = load_table(out, text, tiny_max_class, page_size);
		if (text) {
			hak_meta_free(text, TABLE_FILE_MAX);
		}
		errno = saved;
		if (is_loaded) {
			return;
		}
		hak_options.size_classes = "fine";
	} else if (strcmp(hak_options.size_classes, "classic") == 0) {
		scheme = HAK_SCHEME_CLASSIC;
	}
	hak_class_table_build(out, scheme, tiny_max_class, page_size);
}

static void print_value(struct hak_writer *w, const struct option *o)
{
	int64_t value;
	if (o->type == TABLE) {
		hak_write_foreign(w, *(const hak_option_TABLE *)field_of(o));
	} else if (o->type == NAME) {
		hak_write_foreign(w, field_of(o));
	} else if (o->type == SWITCH) {
		hak_write_unsigned(w, *(bool *)field_of(o));
	} else {
		memcpy(&value, field_of(o), sizeof value);
		if (o->type == INT) {
			hak_write_signed(w, value);
		} else {
			hak_write_size(w, (uint64_t)value);
		}
	}
}

HAK_SELDOM void hak_options_print(struct hak_writer *w)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		hak_write_string(w, "  ");
		hak_write_left(w, options[i].name, 22);
		hak_write_string(w, " ");
		print_value(w, &options[i]);
		hak_write_string(w, "\n");
	}
}

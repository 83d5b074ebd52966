/* SPDX-License-Identifier: MIT */
/*
 * THE size-class tables and the Front Gate's routing decision.
 *
 * This header is the one place that knows how a request becomes a route, a class and a
 * block. The allocator builds its look-up tables from it at start; `hakstat explain`,
 * `classes`, `whatif` and `tune` answer with the same functions. Everything here is
 * pure: no allocation, no I/O, no state; safe in any thread and in signal handlers.
 *
 * Vocabulary: a *block* is what a class hands out (its usable size); *waste* is
 * block - requested; a *group* is one of Tiny's C0..C7, where Ck ends at 8 * 2^k bytes.
 */
#ifndef HAKMEM_SIZE_CLASS_H
#define HAKMEM_SIZE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hakmem_route_list.h"

enum {
	HAK_MAX_CLASSES = 64,	    /* of one table; the large class comes on top */
	HAK_TINY_GROUPS = 8,	    /* C0..C7 */
	HAK_SMALLMID_MAX = 8192,    /* largest request of smallmid */
	HAK_BLOCK_MAX = 256 * 1024, /* largest block of any table */
	HAK_PAGE_ALIGN_MAX = 4096,  /* larger alignments go to large */
};

enum hak_scheme { HAK_SCHEME_FINE, HAK_SCHEME_CLASSIC, HAK_SCHEME_FILE };

/*
 * The fine table. Four blocks for each doubling from 64 B up bound the waste of a
 * request of size s to 1/5: between b and 5b/4 the worst request is b + 1.
 * 48 is the one extra step below: 40 and 48 byte nodes are too common to give them 64.
 * Blocks are multiples of 16, so that the ABI's alignment needs no thought; 8 is the
 * exception, for requests of at most 8 bytes, which no object with a larger alignment
 * can have asked for.
 */
/* clang-format off */
#define HAK_FINE_BLOCKS(X) \
	X(8) X(16) X(32) X(48) X(64) \
	X(80) X(96) X(112) X(128) \
	X(160) X(192) X(224) X(256) \
	X(320) X(384) X(448) X(512) \
	X(640) X(768) X(896) X(1024) \
	X(1280) X(1536) X(1792) X(2048) \
	X(2560) X(3072) X(3584) X(4096) \
	X(5120) X(6144) X(7168) X(8192) \
	X(10240) X(12288) X(14336) X(16384) \
	X(20480) X(24576) X(28672) X(32768) \
	X(40960) X(49152) X(57344) X(65536) \
	X(81920) X(98304) X(114688) X(131072) \
	X(163840) X(196608) X(229376) X(262144)

/*
 * The classic table: the historic layout. Tiny has one block a group and its largest
 * request is block - 1; Mid begins at 8 KiB, so whatever Tiny does not take below that
 * size sits in an 8 KiB block.
 */
#define HAK_CLASSIC_TINY_BLOCKS(X) X(8) X(16) X(32) X(64) X(128) X(256) X(512) X(1024)
#define HAK_CLASSIC_MID_BLOCKS(X) X(8192) X(16384) X(32768)
/* clang-format on */

struct hak_class {
	uint32_t block;	      /* usable bytes */
	uint32_t max_request; /* largest request it serves; 0 when the boundary excludes it */
	uint8_t route;	      /* enum hak_route */
	int8_t group;	      /* k of Ck for tiny, else -1 */
	char name[14];	      /* C5.160, C2, S1280, M10240 */
};

/*
 * One table in force: scheme and boundary applied. Classes rise strictly by block; a
 * class keeps its index (class_id) when the boundary moves. The large class has the
 * index `count`.
 */
struct hak_class_table {
	enum hak_scheme scheme;
	unsigned tiny_max_class; /* 0..7 */
	uint32_t tiny_max_size;	 /* largest request of Tiny */
	uint32_t tiny_full_size; /* the same, were the boundary at C7 */
	uint32_t page_size;
	unsigned count;
	struct hak_class classes[HAK_MAX_CLASSES];
};

struct hak_decision {
	enum hak_route route;
	enum hak_reason reason;
	unsigned class_id; /* table->count for large */
	uint64_t usable;   /* 0 when the rounded size does not fit 64 bits */
};

static inline const char *hak_route_label(unsigned route)
{
#define HAK_LABEL(id, label, help) #label,
	static const char *const labels[] = { HAK_ROUTES(HAK_LABEL) };
	return route < HAK_ROUTE_COUNT ? labels[route] : "?";
}

static inline const char *hak_reason_label(unsigned reason)
{
	static const char *const labels[] = { HAK_REASONS(HAK_LABEL) };
#undef HAK_LABEL
	return reason < HAK_REASON_COUNT ? labels[reason] : "?";
}

/* The group k whose span (4 * 2^k, 8 * 2^k] holds the block; 8 and more are past Tiny. */
static inline unsigned hak_block_group(uint32_t block)
{
	uint32_t eighths = (block - 1) >> 3;
	return block > 8 ? 32 - (unsigned)__builtin_clz(eighths) : 0;
}

/* Writes prefix, number and an optional ".number" without stdio: the allocator uses it. */
static inline void hak_class_name_write(char out[14], char prefix, uint32_t first, uint32_t second)
{
	uint32_t parts[2] = { first, second };
	size_t at = 0;
	out[at++] = prefix;
	for (int i = 0; i < 2; i++) {
		char digits[10];
		size_t n = 0;
		if (i == 1) {
			if (!second) {
				break;
			}
			out[at++] = '.';
		}
		do {
			digits[n++] = (char)('0' + parts[i] % 10);
			parts[i] /= 10;
		} while (parts[i]);
		while (n) {
			out[at++] = digits[--n];
		}
	}
	out[at] = '\0';
}

/* Appends a block. Returns 0, or -1 when the table is full or the block is out of order. */
static inline int hak_class_table_add(struct hak_class_table *t, uint32_t block)
{
	bool in_order = t->count == 0 || t->classes[t->count - 1].block < block;
	bool aligned = block == 8 || (block != 0 && block % 16 == 0);
	if (t->count == HAK_MAX_CLASSES || !in_order || !aligned || block > HAK_BLOCK_MAX) {
		return -1;
	}
	t->classes[t->count++].block = block;
	return 0;
}

/* Whether another class is of the same group, so that its name needs its block. Blocks rise. */
static inline bool hak_shares_group(const struct hak_class_table *t, const struct hak_class *c)
{
	const struct hak_class *last = &t->classes[t->count - 1];
	unsigned group = hak_block_group(c->block);
	return (c > t->classes && hak_block_group(c[-1].block) == group) ||
	       (c < last && hak_block_group(c[1].block) == group);
}

static inline void hak_class_finish(const struct hak_class_table *t, struct hak_class *c)
{
	unsigned group = hak_block_group(c->block);
	bool classic = t->scheme == HAK_SCHEME_CLASSIC;
	bool tiny_size = group < HAK_TINY_GROUPS;
	bool tiny = tiny_size && group <= t->tiny_max_class;

	c->group = (int8_t)(tiny ? (int)group : -1);
	c->max_request = classic && tiny_size ? c->block - 1 : c->block;
	if (tiny) {
		c->route = HAK_ROUTE_TINY;
		hak_class_name_write(c->name, 'C', group, hak_shares_group(t, c) ? c->block : 0);
	} else if (!classic && c->block <= HAK_SMALLMID_MAX) {
		c->route = HAK_ROUTE_SMALLMID;
		hak_class_name_write(c->name, 'S', c->block, 0);
	} else {
		c->route = HAK_ROUTE_MID;
		hak_class_name_write(c->name, 'M', c->block, 0);
	}
	if (classic && tiny_size && !tiny) { /* excluded: what it served falls to Mid */
		c->route = HAK_ROUTE_TINY;
		c->max_request = 0;
		hak_class_name_write(c->name, 'C', group, 0);
	}
}

/*
 * Applies the boundary to a table whose blocks are in place. `tiny_max_class` is 0..7.
 * Moving the boundary renames and re-routes classes; under fine and own tables it never
 * changes a block, so no other size becomes slower or fatter.
 */
static inline void hak_class_table_finish(struct hak_class_table *t, unsigned tiny_max_class,
					  uint32_t page_size)
{
	uint32_t less = t->scheme == HAK_SCHEME_CLASSIC ? 1 : 0;
	t->tiny_max_class = tiny_max_class;
	t->tiny_max_size = (8u << tiny_max_class) - less;
	t->tiny_full_size = (8u << (HAK_TINY_GROUPS - 1)) - less;
	t->page_size = page_size;
	for (unsigned i = 0; i < t->count; i++) {
		hak_class_finish(t, &t->classes[i]);
	}
}

/* Builds one of the two built-in tables (`scheme` fine or classic). */
static inline void hak_class_table_build(struct hak_class_table *t, enum hak_scheme scheme,
					 unsigned tiny_max_class, uint32_t page_size)
{
#define HAK_BLOCK_ROW(bytes) bytes,
	static const uint32_t fine[] = { HAK_FINE_BLOCKS(HAK_BLOCK_ROW) };
	static const uint32_t classic[] = { HAK_CLASSIC_TINY_BLOCKS(HAK_BLOCK_ROW)
						    HAK_CLASSIC_MID_BLOCKS(HAK_BLOCK_ROW) };
#undef HAK_BLOCK_ROW
	_Static_assert(sizeof fine / sizeof fine[0] <= HAK_MAX_CLASSES, "fine table too long");
	const uint32_t *rows = scheme == HAK_SCHEME_CLASSIC ? classic : fine;
	size_t n = scheme == HAK_SCHEME_CLASSIC ? sizeof classic / sizeof classic[0]
						: sizeof fine / sizeof fine[0];
	memset(t, 0, sizeof *t);
	t->scheme = scheme;
	for (size_t i = 0; i < n; i++) {
		hak_class_table_add(t, rows[i]);
	}
	hak_class_table_finish(t, tiny_max_class, page_size);
}

/* What is wrong with an own table, or NULL. `line` receives the line, from 1. */
static inline const char *hak_class_table_parse(struct hak_class_table *t, const char *text, size_t length,
						unsigned tiny_max_class, uint32_t page_size, unsigned *line)
{
	size_t at = 0;
	memset(t, 0, sizeof *t);
	t->scheme = HAK_SCHEME_FILE;
	for (*line = 1; at < length; ++*line) {
		uint64_t value = 0;
		bool digits = false;
		while (at < length && (text[at] == ' ' || text[at] == '\t')) {
			at++;
		}
		for (; at < length && text[at] >= '0' && text[at] <= '9'; at++) {
			digits = true;
			value = value > HAK_BLOCK_MAX ? value : value * 10 + (uint64_t)(text[at] - '0');
		}
		while (at < length && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r')) {
			at++;
		}
		if (at < length && text[at] == '#') {
			while (at < length && text[at] != '\n') {
				at++;
			}
		}
		if (at < length && text[at++] != '\n') {
			return "not a number";
		}
		if (!digits) {
			continue;
		}
		if (value > HAK_BLOCK_MAX) {
			return "a block larger than 262144";
		}
		if (t->count == HAK_MAX_CLASSES) {
			return "more than 64 blocks";
		}
		if (value != 8 && (value == 0 || value % 16)) {
			return "a block that is neither 8 nor a multiple of 16";
		}
		if (hak_class_table_add(t, (uint32_t)value) != 0) {
			return "a block that is not larger than the one before";
		}
	}
	if (t->count == 0) {
		return "no block at all";
	}
	hak_class_table_finish(t, tiny_max_class, page_size);
	return NULL;
}

/* The class that serves `size` at `alignment` (a power of two), or t->count for large. */
static inline unsigned hak_class_for(const struct hak_class_table *t, uint64_t size, uint64_t alignment)
{
	if (alignment > HAK_PAGE_ALIGN_MAX || alignment > t->page_size) {
		return t->count;
	}
	for (unsigned i = 0; i < t->count; i++) {
		const struct hak_class *c = &t->classes[i];
		if (c->max_request != 0 && c->max_request >= size && c->block % alignment == 0) {
			return i;
		}
	}
	return t->count;
}

/*
 * The Front Gate's decision for one request. `alignment` is a power of two; 0 and 1 mean
 * the alignment malloc gives (16, or 8 for at most 8 bytes).
 */
static inline struct hak_decision hak_route_decide(const struct hak_class_table *t, uint64_t size,
						   uint64_t alignment)
{
	struct hak_decision d;
	uint64_t natural = 1;
	unsigned plain = hak_class_for(t, size, natural);

	d.class_id = alignment > natural ? hak_class_for(t, size, alignment) : plain;
	if (d.class_id < t->count) {
		d.route = (enum hak_route)t->classes[d.class_id].route;
		d.usable = t->classes[d.class_id].block;
	} else {
		uint64_t mask = t->page_size - 1;
		uint64_t whole = size ? size : 1;
		d.route = HAK_ROUTE_LARGE;
		d.usable = whole > UINT64_MAX - mask ? 0 : (whole + mask) & ~mask;
	}
	if (d.class_id != plain) {
		d.reason = HAK_REASON_ALIGNMENT;
	} else if (size > t->tiny_max_size && size <= t->tiny_full_size) {
		d.reason = HAK_REASON_BOUNDARY;
	} else if (d.route == HAK_ROUTE_LARGE) {
		d.reason = HAK_REASON_ABOVE_MID;
	} else {
		d.reason = HAK_REASON_SIZE_FIT;
	}
	return d;
}

#endif

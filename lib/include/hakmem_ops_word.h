/* SPDX-License-Identifier: MIT */
/*
 * The packed operations of the `hakmem:ops` event: a stream of 16-bit units, four to a word of
 * the event, the first in the lowest bits. Written by the tracer, read by hakstat.
 *
 * Short record, one unit: an allocation or a free of a block of a class, with no flags and
 * malloc's own alignment, whose requested bytes are near those of the class's last long record.
 *
 *   bit   0      kind: 0 allocation, 1 free
 *   bits  1..6   class_id
 *         7..15  requested bytes less those of the long record, -255..255; reason as there
 *
 * Long record, three units: the first with -256 in bits 7..15, then
 *
 *   bits  0..2   flags (enum hak_op_flag)
 *         3..5   reason
 *         6      0
 *         7..15  requested bytes, bits 16..24; the third unit has bits 0..15
 *
 * Without flags it is what the class's short records refer to from then on. References never
 * reach out of an event: each can be read without another one.
 *
 * Full record, for everything else: a unit with -256 in bits 7..15, one with bit 6, and a
 * 64-bit word in four units:
 *
 *   bits  0..1   kind: 0 allocation, 1 free, 2 resize
 *         2..8   class_id (0..127)
 *         9..11  reason
 *        12..14  flags
 *        15..19  log2 of the alignment asked for, 0 for malloc's own
 *        20..22  zero
 *        23      large: a word with the usable bytes follows
 *        24..63  requested bytes (at most 2^40 - 1; more is written as that)
 *
 * followed by a word with the former requested bytes for a resize, then one with the usable
 * bytes for an operation of the large route, whose usable size no class gives.
 */
#ifndef HAKMEM_OPS_WORD_H
#define HAKMEM_OPS_WORD_H

#include <stdint.h>

enum hak_word_kind { HAK_WORD_ALLOC, HAK_WORD_FREE, HAK_WORD_RESIZE };

enum {
	HAK_OPS_CLASSES = 64,	 /* that short and long records can name */
	HAK_OPS_NEAR = 255,	 /* how far a short record reaches */
	HAK_OPS_ESCAPE = 0x8000, /* -256 in bits 7..15 */
	HAK_OPS_FULL = 1 << 6,
	HAK_OPS_LONG_UNITS = 3,
	HAK_OPS_FULL_UNITS = 2 + 3 * 4, /* at most */
	HAK_OPS_REASON_BIT = 32,	/* in a key */
	HAK_OPS_FLAGS_BIT = 36,
};

#define HAK_WORD_REQUESTED_MAX ((UINT64_C(1) << 40) - 1)
#define HAK_OPS_LONG_MAX       ((UINT64_C(1) << 25) - 1) /* requested bytes of a long record */

/*
 * An operation on a block of a class in two numbers: its head, and what short records compare
 * with one subtraction. `requested` is at most HAK_OPS_LONG_MAX.
 */
static inline unsigned hak_ops_head(enum hak_word_kind kind, unsigned class_id)
{
	return (unsigned)kind | class_id << 1;
}

static inline uint64_t hak_ops_key(uint64_t requested, unsigned reason, unsigned flags)
{
	return requested | (uint64_t)reason << HAK_OPS_REASON_BIT | (uint64_t)flags << HAK_OPS_FLAGS_BIT;
}

/* No operation's key is near it. */
#define HAK_OPS_NO_KEY (UINT64_C(1) << 62)

/* Whether a short record does, given the key of the class's last long one; and that record. */
static inline int hak_ops_is_near(uint64_t key, uint64_t reference)
{
	return key - reference + HAK_OPS_NEAR <= 2 * (uint64_t)HAK_OPS_NEAR;
}

static inline uint16_t hak_ops_short(unsigned head, uint64_t key, uint64_t reference)
{
	return (uint16_t)(head | (unsigned)(key - reference) << 7);
}

/* Writes a long record. */
static inline void hak_ops_long(uint16_t to[HAK_OPS_LONG_UNITS], unsigned head, uint64_t key)
{
	unsigned reason = (unsigned)(key >> HAK_OPS_REASON_BIT) & 7;
	unsigned flags = (unsigned)(key >> HAK_OPS_FLAGS_BIT) & 7;

	to[0] = (uint16_t)(head | HAK_OPS_ESCAPE);
	to[1] = (uint16_t)(flags | reason << 3 | ((unsigned)(key >> 16) & 0x1ff) << 7);
	to[2] = (uint16_t)key;
}

/* Writes a full record of `count` words (1..3); returns its units. */
static inline unsigned hak_ops_full(uint16_t to[HAK_OPS_FULL_UNITS], const uint64_t *words, unsigned count)
{
	to[0] = HAK_OPS_ESCAPE;
	to[1] = HAK_OPS_FULL;
	for (unsigned i = 0; i < 4 * count; i++) {
		to[2 + i] = (uint16_t)(words[i / 4] >> i % 4 * 16);
	}
	return 2 + 4 * count;
}

/* NOLINTNEXTLINE(readability-function-size): a parameter for each field of the word */
static inline uint64_t hak_word_pack(enum hak_word_kind kind, unsigned class_id, unsigned reason,
				     unsigned flags, unsigned alignment_log2, int is_large,
				     uint64_t requested)
{
	uint64_t size = requested > HAK_WORD_REQUESTED_MAX ? HAK_WORD_REQUESTED_MAX : requested;
	return (uint64_t)kind | (uint64_t)class_id << 2 | (uint64_t)reason << 9 |
	       (uint64_t)(flags & 7) << 12 | (uint64_t)alignment_log2 << 15 |
	       (uint64_t)(is_large != 0) << 23 | size << 24;
}

static inline enum hak_word_kind hak_word_kind(uint64_t w)
{
	return (enum hak_word_kind)(w & 3);
}
static inline unsigned hak_word_class(uint64_t w)
{
	return (unsigned)(w >> 2 & 127);
}
static inline unsigned hak_word_reason(uint64_t w)
{
	return (unsigned)(w >> 9 & 7);
}
static inline unsigned hak_word_flags(uint64_t w)
{
	return (unsigned)(w >> 12 & 7);
}
static inline unsigned hak_word_alignment_log2(uint64_t w)
{
	return (unsigned)(w >> 15 & 31);
}
static inline int hak_word_is_large(uint64_t w)
{
	return (int)(w >> 23 & 1);
}
static inline uint64_t hak_word_requested(uint64_t w)
{
	return w >> 24;
}

/* One operation as read; `usable` is 0 where the class says it. */
struct hak_ops_operation {
	enum hak_word_kind kind;
	unsigned class_id, reason, flags;
	uint64_t requested, old_requested, usable;
};

/* Reads one event: `units` of them at `words`, from `at`. */
struct hak_ops_reader {
	const uint64_t *words;
	uint32_t units, at;
	uint64_t keys[HAK_OPS_CLASSES];
};

static inline void hak_ops_read_begin(struct hak_ops_reader *r, const uint64_t *words, uint32_t units)
{
	r->words = words;
	r->units = units;
	r->at = 0;
	for (unsigned i = 0; i < HAK_OPS_CLASSES; i++) {
		r->keys[i] = HAK_OPS_NO_KEY;
	}
}

static inline unsigned hak_ops_unit(const struct hak_ops_reader *r, uint32_t at)
{
	return (unsigned)(r->words[at / 4] >> at % 4 * 16) & 0xffff;
}

static inline uint64_t hak_ops_word(const struct hak_ops_reader *r, uint32_t at)
{
	return hak_ops_unit(r, at) | (uint64_t)hak_ops_unit(r, at + 1) << 16 |
	       (uint64_t)hak_ops_unit(r, at + 2) << 32 | (uint64_t)hak_ops_unit(r, at + 3) << 48;
}

/* Out of line of the loop: a full record that begins at `at`. Returns its units, 0: malformed. */
static inline uint32_t hak_ops_read_full(const struct hak_ops_reader *r, struct hak_ops_operation *op)
{
	uint32_t left = r->units - r->at;
	uint64_t w = left >= 6 ? hak_ops_word(r, r->at + 2) : 3;
	uint32_t extra = (uint32_t)(hak_word_kind(w) == HAK_WORD_RESIZE) + (uint32_t)hak_word_is_large(w);

	if ((w & 3) > HAK_WORD_RESIZE || left < 6 + 4 * extra) {
		return 0;
	}
	op->kind = hak_word_kind(w);
	op->class_id = hak_word_class(w);
	op->reason = hak_word_reason(w);
	op->flags = hak_word_flags(w);
	op->requested = hak_word_requested(w);
	op->old_requested = op->kind == HAK_WORD_RESIZE ? hak_ops_word(r, r->at + 6) : 0;
	op->usable = hak_word_is_large(w) ? hak_ops_word(r, r->at + 2 + 4 * extra) : 0;
	return 6 + 4 * extra;
}

/* The same for a long record. */
static inline uint32_t hak_ops_read_long(struct hak_ops_reader *r, struct hak_ops_operation *op)
{
	unsigned first = hak_ops_unit(r, r->at), second, third;

	if (r->units - r->at < HAK_OPS_LONG_UNITS) {
		return 0;
	}
	second = hak_ops_unit(r, r->at + 1);
	third = hak_ops_unit(r, r->at + 2);
	op->kind = (enum hak_word_kind)(first & 1);
	op->class_id = first >> 1 & 63;
	op->reason = second >> 3 & 7;
	op->flags = second & 7;
	op->requested = (uint64_t)(second >> 7) << 16 | third;
	if (!op->flags) {
		r->keys[op->class_id] = hak_ops_key(op->requested, op->reason, 0);
	}
	return HAK_OPS_LONG_UNITS;
}

/* The next operation. 1; 0 at the end; -1 where no operation can be read, and none after it. */
static inline int hak_ops_read(struct hak_ops_reader *r, struct hak_ops_operation *op)
{
	unsigned unit;
	uint32_t units = 1;

	if (r->at >= r->units) {
		return 0;
	}
	unit = hak_ops_unit(r, r->at);
	if (__builtin_expect(unit >> 7 != HAK_OPS_ESCAPE >> 7, 1)) {
		uint64_t key = r->keys[unit >> 1 & 63] + (uint64_t)(int64_t)((int16_t)unit >> 7);
		op->kind = (enum hak_word_kind)(unit & 1);
		op->class_id = unit >> 1 & 63;
		op->reason = (unsigned)(key >> HAK_OPS_REASON_BIT) & 7;
		op->flags = 0;
		op->requested = key & (HAK_OPS_LONG_MAX << 1 | 1);
		op->old_requested = op->usable = 0;
		if (key > hak_ops_key(HAK_OPS_LONG_MAX, 7, 0) || op->requested > HAK_OPS_LONG_MAX) {
			units = 0; /* nothing to refer to */
		}
	} else {
		op->old_requested = op->usable = 0;
		units = r->at + 1 < r->units && (hak_ops_unit(r, r->at + 1) & HAK_OPS_FULL)
				? hak_ops_read_full(r, op)
				: hak_ops_read_long(r, op);
	}
	r->at += units;
	return units ? 1 : -1;
}

#endif

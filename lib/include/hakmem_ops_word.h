/* SPDX-License-Identifier: MIT */
/*
 * The packed record of the `hakmem:ops` event: one operation in one 64-bit word, a second
 * word where it needs one. Written by the tracer, read by hakstat.
 *
 *   bits  0..1   kind
 *         2..8   class_id (0..127)
 *         9..11  reason
 *        12..14  flags (enum hak_op_flag)
 *        15..19  log2 of the alignment asked for, 0 for malloc's own
 *        20..22  zero
 *        23      large: a word with the usable bytes follows
 *        24..63  requested bytes (at most 2^40 - 1; more is written as that)
 *
 * HAK_WORD_RESIZE is followed by a word that holds the former requested bytes in full.
 * Operations of the large route, whose usable size no class gives, have bit 23 set and are
 * followed by a word that holds the usable bytes in full. Order: record, resize's word,
 * large's word. An operation's words never span two batches, so a reader that starts at a
 * batch's first word cannot lose step.
 */
#ifndef HAKMEM_OPS_WORD_H
#define HAKMEM_OPS_WORD_H

#include <stdint.h>

enum hak_word_kind { HAK_WORD_ALLOC, HAK_WORD_FREE, HAK_WORD_RESIZE };

#define HAK_WORD_REQUESTED_MAX ((UINT64_C(1) << 40) - 1)

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

#endif

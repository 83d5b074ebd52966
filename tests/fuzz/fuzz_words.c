/* SPDX-License-Identifier: MIT */
/* Input: packed operations. The fast loop must count what a slow and plain one counts. */
#include "bytes.h"
#include "hakmem_ops_word.h"
#include "number.h"
#include "tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 4096 };

struct count {
	uint64_t allocs, frees, resizes, requested, usable, malformed;
};

static uint64_t block_of(unsigned class_id)
{
	return class_id % 5 ? 16 * class_id : 0;
}

/* The n-th 16 bits. */
static unsigned unit(const uint64_t *words, uint32_t n)
{
	return (unsigned)(words[n / 4] >> 16 * (n % 4)) & 0xffff;
}

static uint64_t word(const uint64_t *words, uint32_t n)
{
	uint64_t w = 0;
	for (uint32_t i = 4; i > 0; i--) {
		w = w << 16 | unit(words, n + i - 1);
	}
	return w;
}

static void count_one(struct count *n, unsigned kind, unsigned class_id, uint64_t requested, uint64_t usable)
{
	if (kind == HAK_WORD_ALLOC) {
		n->allocs++;
		n->requested += requested;
		n->usable += usable ? usable : block_of(class_id);
	} else if (kind == HAK_WORD_FREE) {
		n->frees++;
	} else {
		n->resizes++;
	}
}

/* Returns the units of a full record, 0 when it is none. */
static uint32_t count_full(const uint64_t *words, uint32_t at, uint32_t end, struct count *n)
{
	uint64_t w = end - at >= 6 ? word(words, at + 2) : 3, old = 0, usable = 0;
	uint32_t length = 6;

	if ((w & 3) == 3) {
		return 0;
	}
	length += (w & 3) == HAK_WORD_RESIZE ? 4 : 0;
	length += w >> 23 & 1 ? 4 : 0;
	if (end - at < length) {
		return 0;
	}
	old = (w & 3) == HAK_WORD_RESIZE ? word(words, at + 6) : 0;
	usable = w >> 23 & 1 ? word(words, at + length - 4) : 0;
	if (old > HAKSTAT_MOST || usable > HAKSTAT_MOST) {
		n->malformed++;
	} else {
		count_one(n, (unsigned)(w & 3), (unsigned)(w >> 2 & 127), w >> 24, usable);
	}
	return length;
}

static void count_plainly(const uint64_t *words, uint32_t end, struct count *n)
{
	int64_t last[64];
	uint32_t length;

	for (unsigned i = 0; i < 64; i++) {
		last[i] = -1000;
	}
	for (uint32_t at = 0; at < end; at += length) {
		unsigned u = unit(words, at), class_id = u >> 1 & 63;
		int delta = (int)(u >> 7) - (u >> 15 ? 512 : 0);
		int64_t requested = last[class_id] + delta;
		length = 1;
		if (delta != -256) {
			if (requested < 0 || requested > (int64_t)HAK_OPS_LONG_MAX) {
				length = 0;
			} else {
				count_one(n, u & 1, class_id, (uint64_t)requested, 0);
			}
		} else if (end - at >= 2 && unit(words, at + 1) & 64) {
			length = count_full(words, at, end, n);
		} else if (end - at >= 3) {
			requested = (int64_t)(unit(words, at + 1) >> 7) << 16 | unit(words, at + 2);
			last[class_id] = unit(words, at + 1) & 7 ? last[class_id] : requested;
			count_one(n, u & 1, class_id, (uint64_t)requested, 0);
			length = 3;
		} else {
			length = 0;
		}
		if (!length) {
			n->malformed++;
			return;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t words[WORDS];
	struct hakstat_tally tally = { 0 };
	struct hakstat_batch got = { 0 };
	struct count wanted = { 0 };
	struct bytes b = { data, data + size };
	uint32_t count = 0, units;
	uint64_t moving = 0;

	for (unsigned i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		tally.block[i] = block_of(i);
	}
	while (bytes_left(&b) && count < WORDS) {
		words[count++] = bytes_fixed(&b, 8);
	}
	units = count ? 4 * count - (uint32_t)(size & 3) : 0;
	hakstat_tally_ops(&tally, &moving, words, units, &got);
	count_plainly(words, units, &wanted);
	expect(got.allocs == wanted.allocs && got.frees == wanted.frees && got.resizes == wanted.resizes);
	expect(got.requested == wanted.requested && got.usable == wanted.usable);
	expect(got.malformed == wanted.malformed);
	hakstat_tally_clear(&tally);
	return 0;
}

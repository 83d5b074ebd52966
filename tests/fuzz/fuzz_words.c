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

static void count_plainly(const uint64_t *words, uint32_t count, struct count *n)
{
	for (uint32_t i = 0; i < count; i++) {
		enum hak_word_kind kind = hak_word_kind(words[i]);
		unsigned extra = (kind == HAK_WORD_RESIZE) + (unsigned)hak_word_is_large(words[i]);
		if (kind > HAK_WORD_RESIZE || i + extra >= count) {
			n->malformed += count - i;
			return;
		}
		if ((kind == HAK_WORD_RESIZE && words[i + 1] > HAKSTAT_MOST) ||
		    (hak_word_is_large(words[i]) && words[i + extra] > HAKSTAT_MOST)) {
			n->malformed += 1 + extra;
			i += extra;
			continue;
		}
		if (kind == HAK_WORD_ALLOC) {
			n->allocs++;
			n->requested += hak_word_requested(words[i]);
			n->usable += extra ? words[i + extra] : block_of(hak_word_class(words[i]));
		} else if (kind == HAK_WORD_FREE) {
			n->frees++;
		} else {
			n->resizes++;
		}
		i += extra;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t words[WORDS];
	struct hakstat_tally tally = { 0 };
	struct hakstat_batch got = { 0 };
	struct count wanted = { 0 };
	struct bytes b = { data, data + size };
	uint32_t count = 0;

	for (unsigned i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		tally.block[i] = block_of(i);
	}
	while (bytes_left(&b) && count < WORDS) {
		words[count++] = bytes_fixed(&b, 8);
	}
	hakstat_tally_words(&tally, words, count, &got);
	count_plainly(words, count, &wanted);
	expect(got.allocs == wanted.allocs && got.frees == wanted.frees && got.resizes == wanted.resizes);
	expect(got.requested == wanted.requested && got.usable == wanted.usable);
	expect(got.malformed == wanted.malformed);
	hakstat_tally_clear(&tally);
	return 0;
}

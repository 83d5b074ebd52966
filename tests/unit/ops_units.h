/* SPDX-License-Identifier: MIT */
/* For tests of the reader: packed operations, each as a full record. */
#ifndef HAK_TESTS_UNIT_OPS_UNITS_H
#define HAK_TESTS_UNIT_OPS_UNITS_H

#include <string.h>

#include "hakmem_ops_word.h"

enum { OPS_UNITS_WORDS = 64 };

struct ops_units {
	uint32_t units, operations, count; /* words in use */
	uint64_t words[OPS_UNITS_WORDS];
};

/* Of `count` words: the operations' own, each followed by those that belong to it. */
static inline struct ops_units ops_units_of(const uint64_t *words, uint32_t count)
{
	struct ops_units u = { 0 };

	for (uint32_t i = 0, n; i < count; i += n) {
		uint16_t units[HAK_OPS_FULL_UNITS];
		unsigned written;
		n = 1 + (hak_word_kind(words[i]) == HAK_WORD_RESIZE) + (uint32_t)hak_word_is_large(words[i]);
		n = n < count - i ? n : count - i; /* an end inside an operation */
		written = hak_ops_full(units, words + i, n);
		memcpy((char *)u.words + u.units * sizeof *units, units, written * sizeof *units);
		u.units += written;
		u.operations++;
	}
	u.count = (u.units + 3) / 4;
	return u;
}

#endif

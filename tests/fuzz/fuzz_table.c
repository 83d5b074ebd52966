/* SPDX-License-Identifier: MIT */
/* Input: an own size-class table. What the parser accepts must serve every size. */
#include <stdint.h>
#include <stdlib.h>

#include "hakmem_size_class.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_size(const struct hak_class_table *t, uint64_t size)
{
	struct hak_decision d = hak_route_decide(t, size, 1);
	expect(d.usable >= size);
	expect(d.class_id == t->count || t->classes[d.class_id].block == d.usable);
	/* The smallest class that is large enough. */
	expect(d.class_id == 0 || d.class_id == t->count || t->classes[d.class_id - 1].block < size ||
	       size == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hak_class_table t;
	unsigned line;
	unsigned boundary = size ? data[0] % HAK_TINY_GROUPS : 7;
	if (hak_class_table_parse(&t, (const char *)data, size, boundary, 4096, &line)) {
		expect(line >= 1 && line <= size + 1);
		return 0;
	}
	expect(t.count >= 1 && t.count <= HAK_MAX_CLASSES);
	for (unsigned i = 0; i < t.count; i++) {
		uint32_t block = t.classes[i].block;
		expect(block == 8 || (block % 16 == 0 && block <= HAK_BLOCK_MAX));
		expect(i == 0 || t.classes[i - 1].block < block);
		check_size(&t, block - 1);
		check_size(&t, block);
		check_size(&t, block + 1);
	}
	check_size(&t, 0);
	return 0;
}

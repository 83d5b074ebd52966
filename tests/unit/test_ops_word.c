/* SPDX-License-Identifier: MIT */
/* What the tracer packs and what the reader makes of it. */
#include "hakmem_ops_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these first. */
#include <cmocka.h>

enum { OPERATIONS = 20000, MOST_UNITS = OPERATIONS * HAK_OPS_FULL_UNITS };

struct packer {
	uint64_t keys[HAK_OPS_CLASSES];
	uint32_t units;
	_Alignas(8) uint16_t at[MOST_UNITS];
};

static struct packer packer;
static struct hak_ops_operation truth[OPERATIONS];

/* As the tracer does. */
static void pack_simple(struct packer *p, const struct hak_ops_operation *op)
{
	uint64_t key = hak_ops_key(op->requested, op->reason, op->flags);
	unsigned head = hak_ops_head(op->kind, op->class_id);

	if (hak_ops_is_near(key, p->keys[op->class_id])) {
		p->at[p->units++] = hak_ops_short(head, key, p->keys[op->class_id]);
		return;
	}
	hak_ops_long(p->at + p->units, head, key);
	p->units += HAK_OPS_LONG_UNITS;
	if (!op->flags) {
		p->keys[op->class_id] = key;
	}
}

static void pack_full(struct packer *p, const struct hak_ops_operation *op)
{
	uint64_t words[3] = { hak_word_pack(op->kind, op->class_id, op->reason, op->flags, 0, op->usable != 0,
					    op->requested) };
	unsigned count = 1;

	if (op->kind == HAK_WORD_RESIZE) {
		words[count++] = op->old_requested;
	}
	if (op->usable) {
		words[count++] = op->usable;
	}
	p->units += hak_ops_full(p->at + p->units, words, count);
}

static void begin(struct packer *p)
{
	p->units = 0;
	for (unsigned i = 0; i < HAK_OPS_CLASSES; i++) {
		p->keys[i] = HAK_OPS_NO_KEY;
	}
}

static struct hak_ops_operation draw(void)
{
	unsigned class_id = (unsigned)rand() % HAK_OPS_CLASSES;
	struct hak_ops_operation op = {
		.kind = (enum hak_word_kind)(rand() % 2),
		.class_id = class_id,
		.reason = (unsigned)rand() % 8,
		.flags = rand() % 5 ? 0 : (unsigned)rand() % 8,
		.requested = (uint64_t)rand() % (class_id * class_id * 4 + 2),
	};

	if (rand() % 3) {
		op.reason = class_id % 3;
	}
	if (rand() % 50 == 0) {
		op.requested = HAK_OPS_LONG_MAX - (uint64_t)rand() % 300;
	}
	if (rand() % 10 == 0) {
		op.kind = HAK_WORD_RESIZE;
		op.old_requested = (uint64_t)rand() << 20;
	}
	if (rand() % 10 == 0) {
		op.class_id = 64;
		op.requested = HAK_OPS_LONG_MAX + (uint64_t)rand();
		op.usable = op.requested + 4096;
	}
	return op;
}

static void pack(struct packer *p, const struct hak_ops_operation *op)
{
	if (op->kind == HAK_WORD_RESIZE || op->usable) {
		pack_full(p, op);
	} else {
		pack_simple(p, op);
	}
}

static void what_was_packed_is_read(void **state)
{
	struct hak_ops_operation read;
	struct hak_ops_reader reader;
	(void)state;

	srand(7);
	begin(&packer);
	for (unsigned i = 0; i < OPERATIONS; i++) {
		truth[i] = draw();
		pack(&packer, &truth[i]);
	}
	hak_ops_read_begin(&reader, (const uint64_t *)(const void *)packer.at, packer.units);
	for (unsigned i = 0; i < OPERATIONS; i++) {
		assert_int_equal(hak_ops_read(&reader, &read), 1);
		assert_int_equal(read.kind, truth[i].kind);
		assert_int_equal(read.class_id, truth[i].class_id);
		assert_int_equal(read.reason, truth[i].reason);
		assert_int_equal(read.flags, truth[i].flags);
		assert_int_equal(read.requested, truth[i].requested);
		assert_int_equal(read.old_requested, truth[i].old_requested);
		assert_int_equal(read.usable, truth[i].usable);
	}
	assert_int_equal(hak_ops_read(&reader, &read), 0);
}

/* Sizes of one class of the fine table up to 2 KiB, in any order, take two bytes each. */
static void neighbours_take_one_unit(void **state)
{
	(void)state;
	begin(&packer);
	for (unsigned i = 0; i < 1000; i++) {
		struct hak_ops_operation op = { .class_id = 20, .requested = 1793 + i * 37 % 256 };
		pack(&packer, &op);
	}
	assert_int_equal(packer.units, 999 + HAK_OPS_LONG_UNITS);
}

static void a_record_that_refers_to_nothing_is_refused(void **state)
{
	struct hak_ops_operation read;
	struct hak_ops_reader reader;
	uint64_t word = hak_ops_short(hak_ops_head(HAK_WORD_FREE, 3), 5, 0);
	(void)state;

	hak_ops_read_begin(&reader, &word, 1);
	assert_int_equal(hak_ops_read(&reader, &read), -1);
}

/* Below a reference of 10 bytes there are 10 sizes, not 255. */
static void a_negative_size_is_refused(void **state)
{
	struct hak_ops_operation read;
	struct hak_ops_reader reader;
	_Alignas(8) uint16_t units[4];
	(void)state;

	hak_ops_long(units, hak_ops_head(HAK_WORD_ALLOC, 1), hak_ops_key(10, 1, 0));
	units[3] = hak_ops_short(hak_ops_head(HAK_WORD_ALLOC, 1), 0, 11);
	hak_ops_read_begin(&reader, (const uint64_t *)(const void *)units, 4);
	assert_int_equal(hak_ops_read(&reader, &read), 1);
	assert_int_equal(hak_ops_read(&reader, &read), -1);
}

/* Whatever the bytes, the reader stays inside them and ends. */
static void any_bytes_can_be_read(void **state)
{
	uint64_t words[16];
	(void)state;

	srand(9);
	for (unsigned round = 0; round < 20000; round++) {
		struct hak_ops_operation read;
		struct hak_ops_reader reader;
		uint32_t units = (uint32_t)rand() % 65;
		for (unsigned i = 0; i < 16; i++) {
			words[i] = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand();
		}
		hak_ops_read_begin(&reader, words, units);
		while (hak_ops_read(&reader, &read) > 0) {
			assert_in_range(read.class_id, 0, 127);
			assert_in_range(read.reason, 0, 7);
			assert_true(reader.at <= units);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_is_read),
		cmocka_unit_test(neighbours_take_one_unit),
		cmocka_unit_test(a_record_that_refers_to_nothing_is_refused),
		cmocka_unit_test(a_negative_size_is_refused),
		cmocka_unit_test(any_bytes_can_be_read),
	};

	return cmocka_run_group_tests_name("ops_word", tests, NULL, NULL);
}

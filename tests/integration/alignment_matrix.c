/* SPDX-License-Identifier: MIT */
/* Every alignment with every kind of size, through every function that takes one. */
#include "check.h"

#include <fcntl.h>
#include <unistd.h>

static const size_t sizes[] = { 1,     8,     16,     24,     48,     63,     64,      65,
				100,   192,   255,    320,    1000,   1024,   4095,    4096,
				4097,  6144,  8192,   8193,   12288,  32768,  40000,   65536,
				65537, 98304, 131072, 262144, 262145, 300000, 1 << 20, (3 << 20) + 1 };
enum { SIZES = sizeof sizes / sizeof sizes[0], ALIGNMENTS = 23, BLOCKS = SIZES * ALIGNMENTS };

static void *by_posix_memalign(size_t alignment, size_t size)
{
	void *p = NULL;
	return posix_memalign(&p, alignment < sizeof(void *) ? sizeof(void *) : alignment, size) ? NULL : p;
}

/* All combinations live at once: overlap shows as damaged contents. */
static void check_all(void *(*allocate)(size_t, size_t))
{
	static void *blocks[BLOCKS];
	for (unsigned i = 0; i < BLOCKS; i++) {
		size_t size = sizes[i % SIZES];
		size_t alignment = (size_t)1 << (i / SIZES);
		blocks[i] = allocate(alignment, size);
		assert_non_null(blocks[i]);
		assert_true(is_aligned(blocks[i], alignment));
		assert_true(malloc_usable_size(blocks[i]) >= size);
		fill(blocks[i], size, i);
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		assert_true(is_filled(blocks[i], sizes[i % SIZES], i));
		if (i % 2) {
			free(blocks[i]);
		}
	}
	for (unsigned i = 0; i < BLOCKS; i += 2) {
		size_t size = sizes[i % SIZES];
		blocks[i] = realloc(blocks[i], size * 2);
		assert_non_null(blocks[i]);
		assert_true(is_filled(blocks[i], size, i));
		free(blocks[i]);
	}
}

static void aligned_alloc_aligns(void **state)
{
	(void)state;
	check_all(aligned_alloc);
}

static void memalign_aligns(void **state)
{
	(void)state;
	check_all(memalign);
}

static void posix_memalign_aligns(void **state)
{
	(void)state;
	check_all(by_posix_memalign);
}

/* Many blocks of one class: each block of a slab is aligned, not just the first. */
static void every_block_of_a_slab_is_aligned(void **state)
{
	(void)state;
	static void *blocks[600];
	for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
		for (int i = 0; i < 600; i++) {
			blocks[i] = aligned_alloc(alignment, alignment + (size_t)i % 3 * 16);
			assert_non_null(blocks[i]);
			assert_true(is_aligned(blocks[i], alignment));
		}
		for (int i = 0; i < 600; i++) {
			free(blocks[i]);
		}
	}
}

static size_t heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.arena + m.hblkhd;
}

static size_t resident_bytes(void)
{
	char line[64];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, line, sizeof line - 1);
	close(fd);
	assert_in_range(length, 1, sizeof line - 1);
	line[length] = '\0';
	return strtoul(strchr(line, ' '), NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* As buffers for direct input and output come and go. */
static void what_was_aligned_is_used_again(void **state)
{
	(void)state;
	enum { HELD = 1000, ROUNDS = 300 };
	static void *blocks[HELD];
	size_t before = resident_bytes(), most = 0;
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < HELD; i++) {
			blocks[i] = aligned_alloc(4096, 4096);
			assert_non_null(blocks[i]);
			memset(blocks[i], 1, 4096);
		}
		most = resident_bytes() > most ? resident_bytes() : most;
		for (int i = 0; i < HELD; i++) {
			free(blocks[i]);
		}
	}
	if (on_hakmem()) {
		assert_in_range(most, 0, before + ((size_t)8 << 20));
	}
}

static void an_aligned_hole_is_filled_again(void **state)
{
	(void)state;
	enum { HELD = 64, ROUNDS = 4 };
	static const size_t chunk = (size_t)2 << 20;
	static void *blocks[HELD];
	size_t first = 0;
	for (int round = 0; round <= ROUNDS; round++) {
		for (int i = round ? 1 : 0; i < HELD; i += round ? 2 : 1) {
			free(blocks[i]);
			blocks[i] = NULL;
		}
		for (int i = 0; i < HELD; i++) {
			blocks[i] = blocks[i] ? blocks[i] : aligned_alloc(chunk, chunk);
			assert_true(blocks[i] && is_aligned(blocks[i], chunk));
		}
		first = first ? first : heap_bytes();
	}
	if (on_hakmem()) {
		assert_in_range(heap_bytes(), 0, first + chunk);
	}
	for (int i = 0; i < HELD; i++) {
		free(blocks[i]);
	}
}

static void malloc_and_calloc_keep_the_natural_alignment(void **state)
{
	(void)state;
	static void *blocks[2][40];
	for (size_t size = 0; size < 70000; size += size < 2000 ? 1 : 997) {
		for (int i = 0; i < 40; i++) {
			blocks[0][i] = malloc(opaque(size));
			blocks[1][i] = calloc(1, opaque(size));
			assert_true(is_aligned(blocks[0][i], natural_alignment(size)));
			assert_true(is_aligned(blocks[1][i], natural_alignment(size)));
		}
		for (int i = 0; i < 40; i++) {
			free(blocks[0][i]);
			free(blocks[1][i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligned_alloc_aligns),
		cmocka_unit_test(memalign_aligns),
		cmocka_unit_test(posix_memalign_aligns),
		cmocka_unit_test(every_block_of_a_slab_is_aligned),
		cmocka_unit_test(what_was_aligned_is_used_again),
		cmocka_unit_test(an_aligned_hole_is_filled_again),
		cmocka_unit_test(malloc_and_calloc_keep_the_natural_alignment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

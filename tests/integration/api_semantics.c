/* SPDX-License-Identifier: MIT */
/*
 * What POSIX, C23 and the glibc manual promise of each function: values at the edges, errno,
 * zero sizes, the PTRDIFF_MAX limit, overflow.
 */
#include "check.h"

#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hakmem_trace.h"

/* One size of each route, and the edges between them in both tables. */
static const size_t sizes[] = { 1,     7,     8,     9,	     15,     16,     17,      24,	    255,
				256,   257,   1023,  1024,   1025,   4096,   8192,    8193,	    32768,
				32769, 65536, 65537, 131072, 262144, 262145, 1 << 20, (5 << 20) + 3 };
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void the_allocator_under_test_is_the_one_preloaded(void **state)
{
	(void)state;
	const char *preload = getenv("LD_PRELOAD");
	Dl_info info;
	void *function = dlsym(RTLD_DEFAULT, "malloc");
	assert_true(dladdr(function, &info) != 0);
	assert_true(!preload || !strstr(preload, "libhakmem.so") || strstr(info.dli_fname, "libhakmem.so"));
	assert_true(!preload || !strstr(preload, "libhakmem.so") || on_hakmem());
}

static void malloc_gives_writable_aligned_memory(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES; i++) {
		void *p = malloc(opaque(sizes[i]));
		assert_non_null(p);
		assert_true(is_aligned(p, natural_alignment(sizes[i])));
		assert_true(malloc_usable_size(p) >= sizes[i]);
		fill(p, malloc_usable_size(p), (unsigned)i);
		assert_true(is_filled(p, sizes[i], (unsigned)i));
		free(p);
	}
}

static void zero_sizes_give_unique_pointers(void **state)
{
	(void)state;
	void *a = malloc(opaque(0)), *b = malloc(opaque(0));
	void *c = calloc(opaque(0), 8), *d = calloc(8, opaque(0));
	void *e = aligned_alloc(64, opaque(0)), *f = memalign(64, opaque(0));
	void *all[] = { a, b, c, d, e, f };
	for (size_t i = 0; i < 6; i++) {
		assert_non_null(all[i]);
		for (size_t j = 0; j < i; j++) {
			assert_ptr_not_equal(all[i], all[j]);
		}
	}
	for (size_t i = 0; i < 6; i++) {
		free(all[i]);
	}
}

static void sizes_above_ptrdiff_max_are_refused(void **state)
{
	(void)state;
	static const size_t huge[] = { (size_t)PTRDIFF_MAX + 1, (size_t)PTRDIFF_MAX + 2, SIZE_MAX - 4096,
				       SIZE_MAX - 15, SIZE_MAX };
	for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
		size_t size = opaque(huge[i]);
		void *out = (void *)&huge;
		errno = 0;
		assert_null(malloc(size));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(calloc(1, size));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(realloc(NULL, size));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(aligned_alloc(64, size));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(memalign(4096, size));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(valloc(size));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(pvalloc(size));
		assert_int_equal(errno, ENOMEM);
		errno = 7;
		assert_int_equal(posix_memalign(&out, 64, size), ENOMEM);
		assert_true(errno == 7 || !on_hakmem()); /* glibc sets it, against its manual */
		assert_ptr_equal(out, (void *)&huge);
	}
}

static void a_size_nobody_has_is_refused(void **state)
{
	(void)state;
	errno = 0;
	assert_null(malloc(opaque(PTRDIFF_MAX)));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(malloc(opaque((size_t)1 << 62)));
	assert_int_equal(errno, ENOMEM);
}

/* The compiler does not know that it fails, and would warn of the block's use afterwards. */
static __attribute__((noinline)) void *grow(void *p, size_t n, size_t size)
{
	return reallocarray(p, n, size);
}

static void products_that_overflow_are_refused(void **state)
{
	(void)state;
	static const size_t pairs[][2] = { { SIZE_MAX, 2 },
					   { SIZE_MAX / 2 + 1, 2 },
					   { (size_t)1 << 32, (size_t)1 << 32 },
					   { SIZE_MAX, SIZE_MAX } };
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		size_t n = opaque(pairs[i][0]), size = opaque(pairs[i][1]);
		char *kept = malloc(100);
		fill(kept, 100, 5);
		errno = 0;
		assert_null(calloc(n, size));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(grow(kept, n, size));
		assert_int_equal(errno, ENOMEM);
		assert_true(is_filled(kept, 100, 5));
		free(kept);
	}
}

static uint64_t refused[16]; /* what a tracer is told, in order */
static unsigned refusals;

static unsigned want_nothing(void)
{
	return 0;
}

static void on_oom(uint64_t requested, uint64_t alignment)
{
	(void)alignment;
	if (refusals < sizeof refused / sizeof refused[0]) {
		refused[refusals] = requested;
	}
	refusals++;
}

static void a_tracer_is_told_of_every_refused_size(void **state)
{
	(void)state;
	static const struct hak_trace_ops tracer = {
		.abi = HAK_TRACE_ABI,
		.size = sizeof tracer,
		.wanted = want_nothing,
		.oom = on_oom,
	};
	int (*attach)(const struct hak_trace_ops *) =
		(int (*)(const struct hak_trace_ops *))dlsym(RTLD_DEFAULT, "hak_trace_attach");
	void (*detach)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "hak_trace_detach");
	if (!on_hakmem()) {
		return;
	}
	size_t half = opaque((size_t)1 << 63), two = opaque(2), most = opaque(SIZE_MAX);
	void *kept = malloc(opaque(100)), *large = malloc(opaque(1 << 20)), *out;
	assert_int_equal(attach(&tracer), 0);
	assert_null(malloc(half));
	assert_null(calloc(half, two));
	assert_null(realloc(kept, half));
	assert_null(realloc(large, half));
	assert_null(grow(kept, half, two));
	assert_null(grow(NULL, half, two));
	assert_null(pvalloc(most));
	assert_null(valloc(half));
	assert_null(aligned_alloc(64, half));
	assert_null(memalign(4096, half));
	assert_int_equal(posix_memalign(&out, 64, half), ENOMEM);
	detach();
	assert_int_equal(refusals, 11);
	for (unsigned i = 0; i < refusals; i++) {
		assert_true(refused[i] >= half);
	}
	assert_true(refused[1] == SIZE_MAX && refused[4] == SIZE_MAX); /* what no product can be */
	free(kept);
	free(large);
}

/* Blocks that were used before, so that zeroing cannot be luck. */
static void calloc_zeroes_reused_memory(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES; i++) {
		for (int round = 0; round < 3; round++) {
			void *used[4];
			for (int k = 0; k < 4; k++) {
				used[k] = malloc(opaque(sizes[i]));
				memset(used[k], 0xa5, sizes[i]);
			}
			for (int k = 0; k < 4; k++) {
				free(used[k]);
			}
			for (int k = 0; k < 4; k++) {
				used[k] = calloc(opaque(sizes[i]), 1);
				assert_non_null(used[k]);
				assert_true(is_zero(used[k], sizes[i]));
			}
			for (int k = 0; k < 4; k++) {
				free(used[k]);
			}
		}
	}
}

static void realloc_keeps_contents_between_any_sizes(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES; i++) {
		for (int j = 0; j < SIZES; j++) {
			size_t common = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
			void *p = malloc(opaque(sizes[i]));
			fill(p, sizes[i], (unsigned)i);
			p = realloc(p, opaque(sizes[j]));
			assert_non_null(p);
			assert_true(is_aligned(p, natural_alignment(sizes[j])));
			assert_true(is_filled(p, common, (unsigned)i));
			assert_true(malloc_usable_size(p) >= sizes[j]);
			fill(p, sizes[j], (unsigned)j);
			free(p);
		}
	}
}

static void realloc_of_aligned_blocks_keeps_contents(void **state)
{
	(void)state;
	for (size_t alignment = 16; alignment <= 65536; alignment *= 4) {
		void *p = aligned_alloc(alignment, 1000);
		fill(p, 1000, 3);
		p = realloc(p, opaque(50000));
		assert_true(is_filled(p, 1000, 3));
		p = realloc(p, opaque(500));
		assert_true(is_filled(p, 500, 3));
		free(p);
	}
}

static void realloc_null_allocates_and_zero_frees(void **state)
{
	(void)state;
	void *p = realloc(NULL, opaque(40));
	assert_non_null(p);
	fill(p, 40, 1);
	errno = 7;
	assert_null(realloc(p, opaque(0)));
	assert_int_equal(errno, 7);
	p = realloc(NULL, opaque(0));
	assert_non_null(p);
	free(p);
	p = reallocarray(NULL, 3, 5);
	assert_non_null(p);
	assert_null(reallocarray(p, opaque(0), 5));
}

static void failing_realloc_leaves_the_block(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES; i++) {
		void *p = malloc(opaque(sizes[i]));
		fill(p, sizes[i], 9);
		errno = 0;
		assert_null(realloc(p, opaque(SIZE_MAX / 2 + 1)));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(realloc(p, opaque((size_t)1 << 62)));
		assert_int_equal(errno, ENOMEM);
		assert_true(is_filled(p, sizes[i], 9));
		free(p);
	}
}

/* The pages behind a large block go away in free: system calls that may fail and set errno. */
static void free_keeps_errno(void **state)
{
	(void)state;
	errno = 1234;
	free(NULL);
	assert_int_equal(errno, 1234);
	for (int i = 0; i < SIZES; i++) {
		void *p[8];
		for (int k = 0; k < 8; k++) {
			p[k] = malloc(opaque(sizes[i]));
			memset(p[k], 1, sizes[i]);
		}
		for (int k = 0; k < 8; k++) {
			errno = 1234 + k;
			free(p[k]);
			assert_int_equal(errno, 1234 + k);
		}
	}
}

static void successful_calls_keep_errno(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES; i++) {
		errno = 77;
		void *p = malloc(opaque(sizes[i]));
		p = realloc(p, opaque(sizes[i] * 2));
		void *q = calloc(1, opaque(sizes[i]));
		void *r = memalign(256, opaque(sizes[i]));
		assert_true(p && q && r);
		assert_int_equal(errno, 77);
		free(p);
		free(q);
		free(r);
	}
}

static void aligned_alloc_wants_a_power_of_two(void **state)
{
	(void)state;
	static const size_t wrong[] = { 0, 3, 24, 48, 4095, SIZE_MAX };
	if (!on_hakmem()) {
		return; /* glibc before 2.38 takes any alignment */
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		errno = 0;
		assert_null(aligned_alloc(opaque(wrong[i]), 64));
		assert_int_equal(errno, EINVAL);
	}
}

/* C17 (DR 460) dropped the rule that the size is a multiple of the alignment. */
static void aligned_alloc_takes_any_size(void **state)
{
	(void)state;
	for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
		void *p = aligned_alloc(alignment, opaque(alignment + 1));
		assert_non_null(p);
		assert_true(is_aligned(p, alignment));
		free(p);
	}
}

static void posix_memalign_checks_its_alignment(void **state)
{
	(void)state;
	static const size_t wrong[] = { 0, 1, 2, 4, 12, 24, 48, 4095, SIZE_MAX };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		void *out = &out;
		errno = 7;
		assert_int_equal(posix_memalign(&out, opaque(wrong[i]), 64), EINVAL);
		assert_ptr_equal(out, &out);
		assert_int_equal(errno, 7);
	}
	for (size_t alignment = sizeof(void *); alignment <= 1 << 21; alignment *= 2) {
		void *out = NULL;
		assert_int_equal(posix_memalign(&out, alignment, opaque(100)), 0);
		assert_non_null(out);
		assert_true(is_aligned(out, alignment));
		fill(out, 100, 1);
		free(out);
	}
}

static void memalign_rounds_its_alignment_up(void **state)
{
	(void)state;
	static const size_t odd[][2] = {
		{ 0, 8 }, { 1, 8 }, { 3, 8 }, { 17, 32 }, { 48, 64 }, { 4097, 8192 }
	};
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		void *p = memalign(opaque(odd[i][0]), 100);
		assert_non_null(p);
		assert_true(is_aligned(p, odd[i][1]));
		free(p);
	}
	errno = 0;
	assert_null(memalign(opaque(SIZE_MAX / 2 + 2), 1));
	assert_int_equal(errno, EINVAL);
}

static void valloc_and_pvalloc_give_pages(void **state)
{
	(void)state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (int i = 0; i < SIZES; i++) {
		void *p = valloc(opaque(sizes[i])), *q = pvalloc(opaque(sizes[i]));
		assert_true(p && q);
		assert_true(is_aligned(p, page) && is_aligned(q, page));
		assert_true(malloc_usable_size(q) >= (sizes[i] + page - 1) / page * page);
		fill(q, (sizes[i] + page - 1) / page * page, 4);
		free(p);
		free(q);
	}
	void *none = pvalloc(opaque(0));
	assert_non_null(none);
	free(none);
	errno = 0;
	assert_null(pvalloc(opaque(SIZE_MAX - page / 2)));
	assert_int_equal(errno, ENOMEM);
}

static void usable_size_is_for_use(void **state)
{
	(void)state;
	assert_int_equal(malloc_usable_size(NULL), 0);
	for (size_t size = 1; size < 3000; size += 7) {
		char *p = malloc(size), *q = malloc(size);
		memset(p, 1, malloc_usable_size(p));
		memset(q, 2, malloc_usable_size(q));
		assert_int_equal(p[malloc_usable_size(p) - 1], 1);
		assert_int_equal(p[0], 1);
		free(p);
		free(q);
	}
}

static void sized_frees_free(void **state)
{
	(void)state;
	void (*sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
	void (*aligned)(void *, size_t, size_t) =
		(void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
	assert_true(!on_hakmem() || (sized && aligned));
	if (!sized || !aligned) {
		return; /* C23, newer than this libc */
	}
	for (int i = 0; i < SIZES; i++) {
		errno = 7;
		for (int k = 0; k < 100; k++) {
			sized(malloc(opaque(sizes[i])), sizes[i]);
			aligned(aligned_alloc(128, opaque(sizes[i])), 128, sizes[i]);
		}
		assert_int_equal(errno, 7);
	}
	sized(NULL, 5);
	aligned(NULL, 16, 5);
}

static void libc_names_reach_the_same_heap(void **state)
{
	(void)state;
	void *(*libc_malloc)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "__libc_malloc");
	void (*libc_free)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "__libc_free");
	assert_true(libc_malloc && libc_free);
	free(libc_malloc(100));
	libc_free(malloc(100));
	char *text = strdup("allocated inside libc");
	assert_non_null(text);
	free(text);
	text = NULL;
	assert_int_equal(asprintf(&text, "%d %s", 42, "formatted"), 12);
	text = realloc(text, 100);
	assert_string_equal(text, "42 formatted");
	free(text);
}

static void mallinfo_counts_what_is_live(void **state)
{
	(void)state;
	enum { BLOCKS = 1000, SIZE = 2000, BIG = 40 << 20 };
	static void *blocks[BLOCKS];
	struct mallinfo2 before = mallinfo2();
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(opaque(SIZE));
	}
	struct mallinfo2 during = mallinfo2();
	assert_true(during.uordblks >= before.uordblks + (size_t)BLOCKS * SIZE);
	assert_true(during.arena >= during.uordblks);
	for (int i = 0; i < BLOCKS; i++) {
		free(blocks[i]);
	}
	assert_true(mallinfo2().uordblks < during.uordblks);
	void *big = malloc(opaque(BIG));
	struct mallinfo2 large = mallinfo2();
	assert_true(large.hblkhd >= BIG);
	assert_true(large.hblks >= 1);
	free(big);
}

static void mallopt_knows_the_documented_parameters(void **state)
{
	(void)state;
	assert_int_equal(mallopt(M_TRIM_THRESHOLD, 128 * 1024), 1);
	assert_int_equal(mallopt(M_MMAP_MAX, 65536), 1);
	assert_int_equal(mallopt(M_ARENA_MAX, 4), 1);
	if (on_hakmem()) { /* glibc says 1 whatever the parameter */
		assert_int_equal(mallopt(12345, 1), 0);
	}
}

static void malloc_info_writes_xml(void **state)
{
	(void)state;
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	assert_non_null(stream);
	assert_int_equal(malloc_info(1, stream), EINVAL);
	assert_int_equal(malloc_info(0, stream), 0);
	assert_int_equal(fclose(stream), 0);
	assert_ptr_equal(strstr(text, "<malloc version=\"1\">"), text);
	assert_non_null(strstr(text, "<system type=\"current\" size=\""));
	assert_string_equal(text + length - strlen("</malloc>\n"), "</malloc>\n");
	free(text);
}

static void malloc_trim_gives_memory_back(void **state)
{
	(void)state;
	enum { BLOCKS = 20000, SIZE = 1000 };
	static void *blocks[BLOCKS];
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(opaque(SIZE));
		memset(blocks[i], 1, SIZE);
	}
	for (int i = 0; i < BLOCKS; i++) {
		free(blocks[i]);
	}
	int first = malloc_trim(0);
	assert_true(first == 0 || first == 1);
	int second = malloc_trim(0);
	assert_true(second == 0 || second == 1);
	char *p = calloc(1, opaque(SIZE));
	assert_true(is_zero(p, SIZE));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_allocator_under_test_is_the_one_preloaded),
		cmocka_unit_test(malloc_gives_writable_aligned_memory),
		cmocka_unit_test(zero_sizes_give_unique_pointers),
		cmocka_unit_test(sizes_above_ptrdiff_max_are_refused),
		cmocka_unit_test(a_size_nobody_has_is_refused),
		cmocka_unit_test(products_that_overflow_are_refused),
		cmocka_unit_test(a_tracer_is_told_of_every_refused_size),
		cmocka_unit_test(calloc_zeroes_reused_memory),
		cmocka_unit_test(realloc_keeps_contents_between_any_sizes),
		cmocka_unit_test(realloc_of_aligned_blocks_keeps_contents),
		cmocka_unit_test(realloc_null_allocates_and_zero_frees),
		cmocka_unit_test(failing_realloc_leaves_the_block),
		cmocka_unit_test(free_keeps_errno),
		cmocka_unit_test(successful_calls_keep_errno),
		cmocka_unit_test(aligned_alloc_wants_a_power_of_two),
		cmocka_unit_test(aligned_alloc_takes_any_size),
		cmocka_unit_test(posix_memalign_checks_its_alignment),
		cmocka_unit_test(memalign_rounds_its_alignment_up),
		cmocka_unit_test(valloc_and_pvalloc_give_pages),
		cmocka_unit_test(usable_size_is_for_use),
		cmocka_unit_test(sized_frees_free),
		cmocka_unit_test(libc_names_reach_the_same_heap),
		cmocka_unit_test(mallinfo_counts_what_is_live),
		cmocka_unit_test(mallopt_knows_the_documented_parameters),
		cmocka_unit_test(malloc_info_writes_xml),
		cmocka_unit_test(malloc_trim_gives_memory_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

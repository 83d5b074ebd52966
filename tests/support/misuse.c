/* SPDX-License-Identifier: MIT */
/*
 * Misuses of malloc, one a run: `misuse NAME`. Afterwards the heap is put to work, and the
 * exit status says what became of it: 0 unharmed, 3 damaged; a misuse that the allocator
 * stops does not return. `misuse` alone lists the names.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNHARMED = 0, USAGE = 2, DAMAGED = 3, ROW = 8, CHOSEN = 4, WORK = 600 };

static const size_t small = 100, medium = 100000, large = 1000000;

/* Neighbours of one size; the one in the middle is the victim. */
static char *row[ROW];
/* What the compiler must not know. */
static void *volatile hidden;

static char *make_row(size_t size)
{
	for (int i = 0; i < ROW; i++) {
		row[i] = malloc(size);
		memset(row[i], 'a' + i, size);
	}
	return row[CHOSEN];
}

/* A block that the program never freed keeps what it held. */
static struct {
	const char *block;
	size_t size;
	char held[1000000];
} watched = { .block = "" };

static void watch(const char *block, size_t size)
{
	watched.block = block;
	watched.size = size;
	memcpy(watched.held, block, size);
}

static void free_row(void)
{
	for (int i = 0; i < ROW; i++) {
		free(row[i]);
	}
}

/* --- frees ------------------------------------------------------------------------------ */

static void free_twice(size_t size, int between)
{
	char *p = make_row(size), *others[1000];
	for (int i = 0; i < between; i++) {
		others[i] = malloc(size);
	}
	free(p);
	for (int i = 0; i < between; i++) {
		free(others[i]);
	}
	free(p);
}

static void double_free(void)
{
	free_twice(small, 0);
}

static void double_free_one_between(void)
{
	free_twice(small, 1);
}

static void double_free_many_between(void)
{
	free_twice(small, 1000);
}

static void double_free_medium(void)
{
	free_twice(medium, 0);
}

static void double_free_large(void)
{
	free_twice(large, 0);
}

static void *free_in_thread(void *p)
{
	free(p);
	return NULL;
}

static void run_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	pthread_create(&thread, NULL, run, arg);
	pthread_join(thread, NULL);
}

static void double_free_other_thread(void)
{
	char *p = make_row(small);
	free(p);
	run_thread(free_in_thread, p);
}

static pthread_barrier_t gate;

static void *free_at_once(void *p)
{
	pthread_barrier_wait(&gate);
	free(p);
	pthread_barrier_wait(&gate);
	return NULL;
}

static void double_free_two_threads(void)
{
	pthread_t threads[2];
	char *p = make_row(small);
	pthread_barrier_init(&gate, NULL, 2);
	for (int i = 0; i < 2; i++) {
		pthread_create(&threads[i], NULL, free_at_once, p);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
}

static void free_stack(void)
{
	char local[64];
	hidden = local;
	free(hidden);
}

static void free_global(void)
{
	static char global[4096];
	hidden = global + 64;
	free(hidden);
}

static void free_code(void)
{
	free((void *)(uintptr_t)free_code);
}

static void free_wild(void)
{
	free((void *)(uintptr_t)0x123456789000);
}

static void free_inside(size_t size, size_t offset)
{
	char *p = make_row(size);
	watch(p, size);
	hidden = p + offset;
	free(hidden);
}

static void interior_small(void)
{
	free_inside(small, 16);
}

static void interior_page(void)
{
	free_inside(8000, 4096);
}

static void interior_medium(void)
{
	free_inside(medium, 4096);
}

static void interior_large(void)
{
	free_inside(large, 65536);
}

static void misaligned_by_1(void)
{
	free_inside(small, 1);
}

static void misaligned_by_8(void)
{
	free_inside(small, 8);
}

/* What glibc would take for the header of a chunk of 112 bytes. */
static void *forge(char *at)
{
	size_t header[2] = { 0, 112 | 1 };
	memcpy(at, header, sizeof header);
	memcpy(at + 112, header, sizeof header);
	return at + sizeof header;
}

static void forged_on_stack(void)
{
	_Alignas(16) char local[256];
	hidden = forge(local);
	free(hidden);
}

static void forged_in_block(void)
{
	char *p = make_row(1000);
	hidden = forge(p + 128);
	watch(p, 1000);
	free(hidden);
}

static void stale_after_realloc(void)
{
	char *p = make_row(small);
	hidden = p;
	row[CHOSEN] = realloc(p, 5000);
	free(hidden);
}

static void stale_after_trim(void)
{
	char *all[2000];
	for (int i = 0; i < 2000; i++) {
		all[i] = malloc(small);
	}
	hidden = all[1000];
	for (int i = 0; i < 2000; i++) {
		free(all[i]);
	}
	malloc_trim(0);
	free(hidden);
}

/* --- writes ----------------------------------------------------------------------------- */

static void write_after_free(size_t size, size_t offset, size_t n)
{
	char *p = make_row(size);
	hidden = p;
	row[CHOSEN] = NULL;
	free(p);
	memset((char *)hidden + offset, 'X', n);
	free_row();
}

static void write_freed_first_word(void)
{
	write_after_free(small, 0, 8);
}

static void write_freed_second_word(void)
{
	write_after_free(small, 8, 8);
}

static void write_freed_all(void)
{
	write_after_free(small, 0, small);
}

static void write_freed_middle(void)
{
	write_after_free(small, 48, 8);
}

static void write_freed_large(void)
{
	write_after_free(large, 0, 64);
}

static void overflow(size_t size, size_t n)
{
	char *p = make_row(size);
	hidden = p;
	memset((char *)hidden + size, 'X', n);
	free_row();
}

static void overflow_by_nul(void)
{
	char *p = make_row(small);
	hidden = p;
	((char *)hidden)[small] = 0;
	free_row();
}

static void overflow_by_1(void)
{
	overflow(small, 1);
}

static void overflow_by_16(void)
{
	overflow(small, 16);
}

static void overflow_by_64(void)
{
	overflow(small, 64);
}

static void overflow_by_page(void)
{
	overflow(small, 4096);
}

static void overflow_by_64k(void)
{
	overflow(small, 65536);
}

static void overflow_large(void)
{
	overflow(large, 1);
}

static void overflow_large_by_page(void)
{
	overflow(large, 8192);
}

static void read_behind_large(void)
{
	hidden = make_row(large);
	watched.held[0] = ((const volatile char *)hidden)[large + 4096];
}

static void underflow(size_t n)
{
	char *p = make_row(small);
	hidden = p;
	memset((char *)hidden - n, 'X', n);
	free_row();
}

static void underflow_by_1(void)
{
	underflow(1);
}

static void underflow_by_16(void)
{
	underflow(16);
}

/* --- the rest of the family --------------------------------------------------------------- */

static void realloc_freed(void)
{
	char *p = make_row(small);
	hidden = p;
	free(p);
	row[CHOSEN] = realloc(hidden, 5000);
}

static void realloc_inside(void)
{
	char *p = make_row(small);
	watch(p, small);
	hidden = p + 16;
	row[CHOSEN] = realloc(hidden, 5000);
}

static void size_of_freed(void)
{
	char *p = make_row(small);
	hidden = p;
	row[CHOSEN] = NULL;
	free(p);
	fprintf(stderr, "size %zu\n", malloc_usable_size(hidden));
}

/* operator delete(void *, std::size_t) and its kin, where the allocator has them. */
static void *function(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);
	if (!found) {
		fprintf(stderr, "no %s here\n", name);
		exit(USAGE);
	}
	return found;
}

static void sized_delete(void)
{
	void *(*make)(size_t) = (void *(*)(size_t))function("_Znwm");
	void (*drop)(void *, size_t) = (void (*)(void *, size_t))function("_ZdlPvm");
	drop(make(small), 2 * small);
}

static void aligned_delete(void)
{
	void *(*make)(size_t, size_t) = (void *(*)(size_t, size_t))function("_ZnwmSt11align_val_t");
	void (*drop)(void *, size_t, size_t) =
		(void (*)(void *, size_t, size_t))function("_ZdlPvmSt11align_val_t");
	drop(make(small, 64), 3 * small, 64);
}

static void sized_free(void)
{
	void (*drop)(void *, size_t) = (void (*)(void *, size_t))function("free_sized");
	drop(make_row(small), 2 * small);
}

static void sized_free_large(void)
{
	void (*drop)(void *, size_t) = (void (*)(void *, size_t))function("free_sized");
	drop(make_row(large), 2 * large);
}

/* --- the heap at work --------------------------------------------------------------------- */

static int is_intact(const unsigned char *p, size_t size, unsigned char fill)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] != fill) {
			return 0;
		}
	}
	return 1;
}

/* Blocks of one size, each filled with its own value, must not share a byte. */
static void use(size_t size, unsigned blocks)
{
	static unsigned char *all[WORK];
	for (unsigned i = 0; i < blocks; i++) {
		all[i] = malloc(size);
		memset(all[i], (int)(i % 251), size);
	}
	if (memcmp(watched.block, watched.held, watched.size) != 0) {
		_exit(DAMAGED);
	}
	for (unsigned i = 0; i < blocks; i++) {
		if (!is_intact(all[i], size, (unsigned char)(i % 251))) {
			_exit(DAMAGED); /* whatever the allocator would notice later */
		}
	}
	for (unsigned i = 0; i < blocks; i++) {
		free(all[i]);
	}
}

static void *work(void *unused)
{
	for (int round = 0; round < 3; round++) {
		use(small, WORK);
		use(1000, WORK);
		use(8000, WORK / 4);
		use(medium, 40);
		use(large, 10);
	}
	return unused;
}

#define MISUSES(X)                                                                                           \
	X(double_free)                                                                                       \
	X(double_free_one_between)                                                                           \
	X(double_free_many_between)                                                                          \
	X(double_free_medium)                                                                                \
	X(double_free_large)                                                                                 \
	X(double_free_other_thread)                                                                          \
	X(double_free_two_threads)                                                                           \
	X(free_stack)                                                                                        \
	X(free_global)                                                                                       \
	X(free_code)                                                                                         \
	X(free_wild)                                                                                         \
	X(interior_small)                                                                                    \
	X(interior_page)                                                                                     \
	X(interior_medium)                                                                                   \
	X(interior_large)                                                                                    \
	X(misaligned_by_1)                                                                                   \
	X(misaligned_by_8)                                                                                   \
	X(forged_on_stack)                                                                                   \
	X(forged_in_block)                                                                                   \
	X(stale_after_realloc)                                                                               \
	X(stale_after_trim)                                                                                  \
	X(write_freed_first_word)                                                                            \
	X(write_freed_second_word)                                                                           \
	X(write_freed_all)                                                                                   \
	X(write_freed_middle)                                                                                \
	X(write_freed_large)                                                                                 \
	X(overflow_by_nul)                                                                                   \
	X(overflow_by_1)                                                                                     \
	X(overflow_by_16)                                                                                    \
	X(overflow_by_64)                                                                                    \
	X(overflow_by_page)                                                                                  \
	X(overflow_by_64k)                                                                                   \
	X(overflow_large)                                                                                    \
	X(overflow_large_by_page)                                                                            \
	X(read_behind_large)                                                                                 \
	X(underflow_by_1)                                                                                    \
	X(underflow_by_16)                                                                                   \
	X(realloc_freed)                                                                                     \
	X(realloc_inside)                                                                                    \
	X(size_of_freed)                                                                                     \
	X(sized_delete)                                                                                      \
	X(aligned_delete)                                                                                    \
	X(sized_free)                                                                                        \
	X(sized_free_large)

static const struct {
	const char *name;
	void (*run)(void);
} misuses[] = {
#define MISUSE(name) { #name, name },
	MISUSES(MISUSE)
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
		if (argc < 2) {
			puts(misuses[i].name);
		} else if (strcmp(argv[1], misuses[i].name) == 0) {
			misuses[i].run();
			work(NULL);
			run_thread(work, NULL);
			malloc_trim(0);
			return UNHARMED;
		}
	}
	return argc < 2 ? UNHARMED : USAGE;
}

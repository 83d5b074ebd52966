/* SPDX-License-Identifier: MIT */
/*
 * Test doubles of an allocator with one suspected fault, for docs/boundary-case.md: a malloc and a
 * free that do what HAK_DOUBLE names and hand the request on. To be preloaded before the allocator:
 *
 *   LD_PRELOAD='libdoubles.so libhakmem.so' HAK_DOUBLE=lock fixed_size --size 128
 *
 * calloc, realloc and the aligned functions are the allocator's own, so it is for programs that
 * only free what they got from malloc.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

enum {
	MID_BLOCK = 8192,
	SLAB = 65536,
	LINE = 64,
	TABLE = 1024,
	SUPERSLABS = 256,
	CLASSES = 8,
	ARENA_BLOCKS = 1 << 17,
};

struct fault {
	const char *name;
	void *(*serve)(size_t size);
	void (*release)(void *block);
};

static void *(*next_malloc)(size_t size);
static void (*next_free)(void *block);
static void *(*libc_malloc)(size_t size);
static void (*libc_free)(void *block);
static const struct fault *fault;

/* Written at start, so that the compiler cannot know it. */
static volatile size_t tiny_max = 255;
static volatile unsigned sink;

static void *hand_on(size_t size)
{
	return next_malloc(size);
}

static void hand_back(void *block)
{
	next_free(block);
}

/* One compare and one branch more: the boundary as a variable. */
static void *check_boundary(size_t size)
{
	if (size > tiny_max)
		sink++;
	return next_malloc(size);
}

/* Classes tried one after the other, the excluded ones passed over. */
static void *filter_classes(size_t size)
{
	for (unsigned k = 0; k < CLASSES; k++) {
		size_t limit = ((size_t)8 << k) - 1;
		if (limit > tiny_max)
			break;
		if (size <= limit) {
			sink = k;
			break;
		}
	}
	return next_malloc(size);
}

/* A filter that sends the classes below the boundary away as well: everything takes mid's block. */
static void *send_away(size_t size)
{
	return next_malloc(size < MID_BLOCK ? MID_BLOCK : size);
}

static void *ask_environment(size_t size)
{
	const char *text = getenv("HAKMEM_TINY_MAX_CLASS");

	sink = text ? (unsigned)strtoul(text, NULL, 10) : 7;
	return next_malloc(size);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *serve_locked(size_t size)
{
	void *block;

	pthread_mutex_lock(&mutex);
	block = next_malloc(size);
	pthread_mutex_unlock(&mutex);
	return block;
}

static void release_locked(void *block)
{
	pthread_mutex_lock(&mutex);
	next_free(block);
	pthread_mutex_unlock(&mutex);
}

/* The table of classes built anew on each allocation. */
static void *initialise_again(size_t size)
{
	static uint8_t table[TABLE];
	unsigned k = 0;

	for (size_t i = 0; i < TABLE; i++) {
		while (k < CLASSES && ((size_t)8 << k) - 1 < i)
			k++;
		table[i] = ((size_t)8 << k) - 1 <= tiny_max ? (uint8_t)k : CLASSES;
		__asm__ volatile("" : : : "memory");
	}
	sink = table[size % TABLE];
	return next_malloc(size);
}

/* A free that finds its superslab by looking at all of them. */
static void scan_superslabs(void *block)
{
	static volatile uintptr_t starts[SUPERSLABS];

	for (unsigned i = 0; i < SUPERSLABS; i++) {
		if (starts[i] == ((uintptr_t)block & ~(uintptr_t)0x1fffff))
			sink = i;
	}
	next_free(block);
}

/* A free that asks the kernel whether the header in front of the block can be read. */
static void ask_kernel(void *block)
{
	unsigned char is_resident;

	sink = (unsigned)mincore((void *)((uintptr_t)block & ~(uintptr_t)4095), 1, &is_resident);
	next_free(block);
}

/* A block's page given back with each free, and faulted in again by the next use. */
static void *serve_pages(size_t size)
{
	return next_malloc(size < MID_BLOCK ? MID_BLOCK : size);
}

static void release_pages(void *block)
{
	madvise((void *)(((uintptr_t)block + 4095) & ~(uintptr_t)4095), 4096, MADV_DONTNEED);
	next_free(block);
}

/* Nothing kept: each block a mapping of its own. At hinted addresses, so that free knows them. */
static const uintptr_t maps_begin = UINT64_C(0x200000000000);
static const uintptr_t maps_end = UINT64_C(0x280000000000);

static void *map_each(size_t size)
{
	static uintptr_t hint;
	void *block;

	if (size > MID_BLOCK)
		return next_malloc(size);
	hint = hint < maps_begin || hint >= maps_end - MID_BLOCK ? maps_begin : hint + MID_BLOCK;
	block = mmap((void *)hint, MID_BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return block == MAP_FAILED ? NULL : block;
}

static void unmap_each(void *block)
{
	if ((uintptr_t)block >= maps_begin && (uintptr_t)block < maps_end)
		munmap(block, MID_BLOCK);
	else
		next_free(block);
}

static void *serve_by_libc(size_t size)
{
	return libc_malloc(size);
}

static void release_by_libc(void *block)
{
	libc_free(block);
}

/* Blocks 8 KiB apart and nothing else: what the spacing alone does to cache sets. Last in, first out. */
static struct arena {
	char *start;
	void **free_blocks;
	size_t depth, used;
} arena;

static size_t colour_of(size_t number)
{
	return number / (SLAB / MID_BLOCK) % (4096 / LINE) * LINE;
}

static void *serve_spaced(size_t size, bool is_coloured)
{
	size_t number;

	if (size > 4096 || (!arena.depth && arena.used == ARENA_BLOCKS))
		return next_malloc(size);
	if (arena.depth)
		return arena.free_blocks[--arena.depth];
	number = arena.used++;
	return arena.start + number * MID_BLOCK + (is_coloured ? colour_of(number) : 0);
}

static void *serve_plain(size_t size)
{
	return serve_spaced(size, false);
}

static void *serve_coloured(size_t size)
{
	return serve_spaced(size, true);
}

static void release_spaced(void *block)
{
	size_t offset = (uintptr_t)block - (uintptr_t)arena.start;

	if (offset < (size_t)ARENA_BLOCKS * MID_BLOCK)
		arena.free_blocks[arena.depth++] = block;
	else
		next_free(block);
}

static const struct fault faults[] = {
	{ "none", hand_on, hand_back },
	{ "check", check_boundary, hand_back },
	{ "filter", filter_classes, hand_back },
	{ "away", send_away, hand_back },
	{ "getenv", ask_environment, hand_back },
	{ "lock", serve_locked, release_locked },
	{ "init", initialise_again, hand_back },
	{ "scan", hand_on, scan_superslabs },
	{ "mincore", hand_on, ask_kernel },
	{ "dontneed", serve_pages, release_pages },
	{ "mmap", map_each, unmap_each },
	{ "libc", serve_by_libc, release_by_libc },
	{ "spaced", serve_plain, release_spaced },
	{ "coloured", serve_coloured, release_spaced },
};

static _Noreturn void give_up(const char *what, const char *which)
{
	fprintf(stderr, "doubles: %s %s\n", what, which);
	_exit(2);
}

static void *find(void *where, const char *symbol)
{
	void *at = dlsym(where, symbol);

	if (!at)
		give_up("nobody has", symbol);
	return at;
}

static void *pages(size_t bytes)
{
	void *at =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		give_up("no memory for", "the arena");
	return at;
}

/* Before main, with one thread. What is allocated earlier goes straight on. */
__attribute__((constructor)) static void choose(void)
{
	const char *wanted = getenv("HAK_DOUBLE");
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	*(void **)&libc_malloc = find(libc, "malloc");
	*(void **)&libc_free = find(libc, "free");
	arena.start = pages((size_t)ARENA_BLOCKS * MID_BLOCK);
	arena.free_blocks = pages(ARENA_BLOCKS * sizeof(void *));
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		if (wanted && !strcmp(wanted, faults[i].name))
			fault = &faults[i];
	}
	if (!fault)
		give_up("no double named by HAK_DOUBLE:", wanted ? wanted : "(unset)");
}

/* The allocator behind us may be asked before `choose`, and dlsym must not ask us. */
static void find_next(void)
{
	*(void **)&next_free = find(RTLD_NEXT, "free");
	*(void **)&next_malloc = find(RTLD_NEXT, "malloc");
}

PUBLIC void *malloc(size_t size)
{
	if (__builtin_expect(!next_malloc, 0))
		find_next();
	return __builtin_expect(fault != NULL, 1) ? fault->serve(size) : next_malloc(size);
}

/* Blocks from before `choose` are not of the doubles that keep their own: those look at the address. */
PUBLIC void free(void *block)
{
	if (__builtin_expect(!next_free, 0))
		find_next();
	if (__builtin_expect(fault && block, 1))
		fault->release(block);
	else
		next_free(block);
}

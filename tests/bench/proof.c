/* SPDX-License-Identifier: MIT */
/*
 * Proof of which allocator served a run. Two independent statements: the object that the dynamic
 * linker bound malloc, calloc, realloc and free to, and what glibc's own heap counted meanwhile.
 * The second one exposes an allocator that is loaded but hands every request on to glibc.
 */
#include "bench.h"

#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

enum { PROBES = 64, PROBE_BYTES = 1000 };

static const char *owner; /* of malloc and the rest */
static size_t grown;	  /* glibc's heap, by the probes */

static const char *object_of(const char *symbol)
{
	Dl_info info;
	void *at = dlsym(RTLD_DEFAULT, symbol);

	return at && dladdr(at, &info) && info.dli_fname ? info.dli_fname : "?";
}

/* Bytes in use in glibc's heap, asked of libc.so.6 itself and not of whoever interposed mallinfo2. */
static size_t glibc_bytes(void)
{
	struct mallinfo2 (*ask)(void) = NULL;
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	struct mallinfo2 info;

	if (libc)
		*(void **)&ask = dlsym(libc, "mallinfo2");
	if (!ask)
		return 0;
	info = ask();
	return info.uordblks + info.hblkhd;
}

static size_t glibc_growth(size_t bytes)
{
	static void *probe[PROBES];
	size_t before = glibc_bytes();
	size_t after;

	for (size_t i = 0; i < PROBES; i++)
		probe[i] = bench_malloc(bytes);
	after = glibc_bytes();
	for (size_t i = 0; i < PROBES; i++)
		free(probe[i]);
	return after > before ? after - before : 0;
}

void bench_proof_take(size_t bytes)
{
	static const char *const symbols[] = { "calloc", "realloc", "free" };
	static char path[PATH_MAX];

	owner = object_of("malloc");
	grown = glibc_growth(bytes < PROBE_BYTES ? bytes : PROBE_BYTES);
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
		if (strcmp(object_of(symbols[i]), owner) != 0)
			owner = "mixed";
	}
	if (realpath(owner, path))
		owner = path;
}

bool bench_proof_print(const char *wanted)
{
	printf("served_by=%s glibc_bytes=%zu\n", owner, grown);
	if (wanted && (!strstr(owner, wanted) || (grown && !strstr(owner, "libc.so")))) {
		fprintf(stderr, "bench: served by %s, where glibc's heap grew by %zu bytes; wanted %s\n",
			owner, grown, wanted);
		return false;
	}
	return true;
}

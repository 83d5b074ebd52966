/* SPDX-License-Identifier: MIT */
/*
 * C++'s operator new and delete, straight to the allocator: written in C under their
 * mangled names, so that the library needs no C++ runtime. What a failing `new` needs of
 * the runtime (the new-handler, std::bad_alloc) is found through weak references and, for
 * a runtime that only a dlopened plug-in brought, by asking the loader.
 *
 * An exception passes through these frames: they hold nothing that needs unwinding, and
 * the file's unwind tables (the ABI's default) let it pass.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#include "alloc.h"
#include "compiler.h"
#include "panic.h"

#if __SIZEOF_SIZE_T__ != __SIZEOF_LONG__
#error "size_t is not unsigned long: the mangled names below would differ"
#endif

struct nothrow; /* std::nothrow_t, only ever seen by reference */
typedef void (*new_handler)(void);

/* std::get_new_handler() and std::__throw_bad_alloc(), of libstdc++ and of libc++ */
new_handler _ZSt15get_new_handlerv(void) __attribute__((weak));
void _ZSt17__throw_bad_allocv(void) __attribute__((weak));

/* Does not load anything: names the C++ runtimes that may be there without global scope. */
static void *runtime_symbol(const char *name)
{
	static const char *const runtimes[] = { "libstdc++.so.6", "libc++.so.1", "libc++abi.so.1" };
	for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++) {
		void *runtime = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
		void *symbol = runtime ? dlsym(runtime, name) : NULL;
		if (symbol) {
			return symbol; /* the handle stays: the runtime must not go while we throw */
		}
		if (runtime) {
			dlclose(runtime);
		}
	}
	return NULL;
}

static new_handler current_handler(void)
{
	new_handler (*get)(void) = _ZSt15get_new_handlerv;
	if (!get) {
		get = (new_handler(*)(void))runtime_symbol("_ZSt15get_new_handlerv");
	}
	return get ? get() : NULL;
}

static void throw_bad_alloc(void)
{
	void (*thrower)(void) = _ZSt17__throw_bad_allocv;
	if (!thrower) {
		thrower = (void (*)(void))runtime_symbol("_ZSt17__throw_bad_allocv");
	}
	if (thrower) {
		thrower();
	}
	hak_panic("operator new has no memory and found no C++ runtime to say so", NULL);
}

static bool is_alignment(size_t n)
{
	return n && !(n & (n - 1));
}

/* `alignment` 0: malloc's own */
static void *try_once(size_t size, size_t alignment)
{
	return alignment ? hak_aligned_alloc(alignment, size) : hak_malloc(size);
}

/* [new.delete.single]: the handler makes room, throws or ends the program; then again. */
static HAK_COLD HAK_NOINLINE void *new_slow(size_t size, size_t alignment)
{
	for (;;) {
		new_handler handler = current_handler();
		if (!handler) {
			throw_bad_alloc();
		}
		handler();
		void *p = try_once(size, alignment);
		if (p) {
			return p;
		}
	}
}

/*
 * The nothrow forms owe the caller a null pointer even when the handler throws, and C
 * cannot catch. The runtime's own nothrow operator can: it calls our throwing form inside
 * a try block. Without a handler there is nothing to catch.
 */
static HAK_COLD HAK_NOINLINE void *nothrow_slow(size_t size, const struct nothrow *tag)
{
	static const char name[] = "_ZnwmRKSt9nothrow_t";
	void *(*runtime_new)(size_t, const struct nothrow *);
	if (!current_handler()) {
		return NULL;
	}
	runtime_new = (void *(*)(size_t, const struct nothrow *))dlsym(RTLD_NEXT, name);
	if (!runtime_new) {
		runtime_new = (void *(*)(size_t, const struct nothrow *))runtime_symbol(name);
	}
	return runtime_new ? runtime_new(size, tag) : NULL;
}

static HAK_COLD HAK_NOINLINE void *nothrow_aligned_slow(size_t size, size_t alignment,
							const struct nothrow *tag)
{
	static const char name[] = "_ZnwmSt11align_val_tRKSt9nothrow_t";
	void *(*runtime_new)(size_t, size_t, const struct nothrow *);
	if (!current_handler()) {
		return NULL;
	}
	runtime_new = (void *(*)(size_t, size_t, const struct nothrow *))dlsym(RTLD_NEXT, name);
	if (!runtime_new) {
		runtime_new = (void *(*)(size_t, size_t, const struct nothrow *))runtime_symbol(name);
	}
	return runtime_new ? runtime_new(size, alignment, tag) : NULL;
}

/* No header declares these. */
#define OPERATOR(result, name, ...)                                                                          \
	result name(__VA_ARGS__);                                                                            \
	HAK_EXPORT result name(__VA_ARGS__)

/* operator new(std::size_t) */
OPERATOR(void *, _Znwm, size_t size)
{
	void *p = hak_malloc(size);
	return HAK_LIKELY(p != NULL) ? p : new_slow(size, 0);
}

/* operator new(std::size_t, const std::nothrow_t &) */
OPERATOR(void *, _ZnwmRKSt9nothrow_t, size_t size, const struct nothrow *tag)
{
	void *p = hak_malloc(size);
	return HAK_LIKELY(p != NULL) ? p : nothrow_slow(size, tag);
}

/* operator new(std::size_t, std::align_val_t) */
OPERATOR(void *, _ZnwmSt11align_val_t, size_t size, size_t alignment)
{
	if (HAK_UNLIKELY(!is_alignment(alignment))) {
		throw_bad_alloc();
	}
	void *p = hak_aligned_alloc(alignment, size);
	return HAK_LIKELY(p != NULL) ? p : new_slow(size, alignment);
}

/* operator new(std::size_t, std::align_val_t, const std::nothrow_t &) */
OPERATOR(void *, _ZnwmSt11align_val_tRKSt9nothrow_t, size_t size, size_t alignment, const struct nothrow *tag)
{
	if (HAK_UNLIKELY(!is_alignment(alignment))) {
		return NULL;
	}
	void *p = hak_aligned_alloc(alignment, size);
	return HAK_LIKELY(p != NULL) ? p : nothrow_aligned_slow(size, alignment, tag);
}

/* operator delete(void *) */
OPERATOR(void, _ZdlPv, void *p)
{
	hak_free(p);
}

/* operator delete(void *, std::size_t) */
OPERATOR(void, _ZdlPvm, void *p, size_t size)
{
	hak_free_sized(p, size);
}

/* operator delete(void *, std::size_t, std::align_val_t): the class does not follow from the size alone */
OPERATOR(void, _ZdlPvmSt11align_val_t, void *p, size_t size, size_t alignment)
{
	(void)size;
	(void)alignment;
	hak_free(p);
}

/* operator delete(void *, std::align_val_t) */
OPERATOR(void, _ZdlPvSt11align_val_t, void *p, size_t alignment)
{
	(void)alignment;
	hak_free(p);
}

/* operator delete(void *, const std::nothrow_t &) */
OPERATOR(void, _ZdlPvRKSt9nothrow_t, void *p, const struct nothrow *tag)
{
	(void)tag;
	hak_free(p);
}

/* operator delete(void *, std::align_val_t, const std::nothrow_t &) */
OPERATOR(void, _ZdlPvSt11align_val_tRKSt9nothrow_t, void *p, size_t alignment, const struct nothrow *tag)
{
	(void)alignment;
	(void)tag;
	hak_free(p);
}

/* The array forms are the same functions. */
#define SAME_AS(function) __attribute__((alias(#function), visibility("default")))
void *_Znam(size_t size) SAME_AS(_Znwm);
void *_ZnamRKSt9nothrow_t(size_t size, const struct nothrow *tag) SAME_AS(_ZnwmRKSt9nothrow_t);
void *_ZnamSt11align_val_t(size_t size, size_t alignment) SAME_AS(_ZnwmSt11align_val_t);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment, const struct nothrow *tag)
	SAME_AS(_ZnwmSt11align_val_tRKSt9nothrow_t);
void _ZdaPv(void *p) SAME_AS(_ZdlPv);
void _ZdaPvm(void *p, size_t size) SAME_AS(_ZdlPvm);
void _ZdaPvmSt11align_val_t(void *p, size_t size, size_t alignment) SAME_AS(_ZdlPvmSt11align_val_t);
void _ZdaPvSt11align_val_t(void *p, size_t alignment) SAME_AS(_ZdlPvSt11align_val_t);
void _ZdaPvRKSt9nothrow_t(void *p, const struct nothrow *tag) SAME_AS(_ZdlPvRKSt9nothrow_t);
void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *p, size_t alignment, const struct nothrow *tag)
	SAME_AS(_ZdlPvSt11align_val_tRKSt9nothrow_t);

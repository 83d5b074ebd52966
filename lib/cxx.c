/* SPDX-License-Identifier: MIT */
/*
 * C++'s operator new and delete, straight to the allocator: written in C under their
 * mangled names, so that the library needs no C++ runtime. An operator that fails leaves the
 * rest to the runtime's own operator of that name, found through the loader.
 *
 * A program may replace some of the operators and not others. The standard then builds the
 * others on those it replaced: array on plain, sized on unsized, nothrow on throwing. So
 * ours call the more basic form by its public name, through the loader's table, and not our
 * own copy: else memory from the program's `new` would be freed by our `delete`.
 *
 * An exception passes through these frames: they hold nothing that needs unwinding, and
 * the file's unwind tables (the ABI's default) let it pass.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Code of the program or library that uses `new`; the derived forms jump and leave it as it is. */
#define CALLER __builtin_return_address(0)

/* NULL for a symbol of this very library: asking it again would not end. */
static void *unless_ours(void *symbol)
{
	Dl_info here, there;
	bool is_ours = dladdr((const void *)&unless_ours, &here) && dladdr(symbol, &there) &&
		       here.dli_fbase == there.dli_fbase;
	return is_ours ? NULL : symbol;
}

/*
 * The C++ runtime's own definition of an operator: the next one in the global scope, or the
 * one that the calling library uses, linked into it or loaded for it alone. NULL when there
 * is none. Loads nothing.
 */
static void *runtime_symbol(const char *name, const void *caller)
{
	Dl_info from;
	void *symbol = dlsym(RTLD_NEXT, name);
	if (symbol || !dladdr(caller, &from) || !from.dli_fname) {
		return symbol;
	}
	void *library = dlopen(from.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (library) {
		symbol = dlsym(library, name);
		dlclose(library); /* it stays: we were called from it */
	}
	return symbol ? unless_ours(symbol) : NULL;
}

static bool is_alignment(size_t n)
{
	return n && !(n & (n - 1));
}

/* NULL also for an alignment that is none, as the C++ runtimes do. */
static void *try_aligned(size_t size, size_t alignment)
{
	return HAK_LIKELY(is_alignment(alignment)) ? hak_aligned_alloc(alignment, size) : NULL;
}

/* Without a runtime's operator, in fully static programs: [new.delete.single] by hand. */
static void *new_by_hand(size_t size, size_t alignment)
{
	for (;;) {
		new_handler handler = _ZSt15get_new_handlerv ? _ZSt15get_new_handlerv() : NULL;
		if (handler) {
			handler();
		} else if (_ZSt17__throw_bad_allocv) {
			_ZSt17__throw_bad_allocv();
		} else {
			hak_panic("operator new has no memory and found no C++ runtime to say so", NULL);
		}
		void *p = alignment ? try_aligned(size, alignment) : hak_malloc(size);
		if (p) {
			return p;
		}
	}
}

typedef void *plain_new(size_t size);
typedef void *aligned_new(size_t size, size_t alignment);
typedef void *nothrow_new(size_t size, const struct nothrow *tag);
typedef void *aligned_nothrow_new(size_t size, size_t alignment, const struct nothrow *tag);

/* The runtime rounds what it asks malloc for, and a sized delete will tell what was asked of it. */
static void *as_asked(void *p, size_t size)
{
	if (HAK_UNLIKELY(hak_options.secure) && p) {
		hak_secure_correct(p, size);
	}
	return p;
}

/*
 * What a failing operator owes its caller — call the new-handler until there is memory, else
 * throw — the runtime's operator does better than C can: it tries malloc again, which is ours.
 */
static HAK_COLD HAK_NOINLINE void *new_slow(size_t size, const void *caller)
{
	plain_new *runtime_new = (plain_new *)runtime_symbol("_Znwm", caller);
	return runtime_new ? as_asked(runtime_new(size), size) : new_by_hand(size, 0);
}

/*
 * libstdc++ rounds the size of an aligned `new` up to the alignment, past SIZE_MAX to 0 for
 * the largest, and answers with a block of no bytes. This one is as impossible, and rounds.
 */
static size_t no_overflow(size_t size)
{
	return size > PTRDIFF_MAX ? PTRDIFF_MAX : size;
}

static HAK_COLD HAK_NOINLINE void *aligned_new_slow(size_t size, size_t alignment, const void *caller)
{
	aligned_new *runtime_new = (aligned_new *)runtime_symbol("_ZnwmSt11align_val_t", caller);
	return runtime_new ? as_asked(runtime_new(no_overflow(size), alignment), size)
			   : new_by_hand(size, alignment);
}

/* --- the basic forms ------------------------------------------------------------------ */

/* No header declares the operators. */
#define OPERATOR(result, name, ...)                                                                          \
	result name(__VA_ARGS__);                                                                            \
	HAK_EXPORT result name(__VA_ARGS__)

/* Jumped to, so that the fast path needs no frame for what is wanted here. */
static HAK_NOINLINE void *new_long_way(size_t size, struct hak_bin *b, const void *caller)
{
	void *p = hak_malloc_slow(size, b, 0);
	return HAK_LIKELY(p != NULL) ? p : new_slow(size, caller);
}

/* operator new(std::size_t) */
OPERATOR(void *, _Znwm, size_t size)
{
	struct hak_bin *b = hak_bin_at(hak_bin_of(size));
	void *p = hak_malloc_fast(size, b);
	return HAK_LIKELY(p != NULL) ? p : new_long_way(size, b, CALLER);
}

/* operator new(std::size_t, std::align_val_t) */
OPERATOR(void *, _ZnwmSt11align_val_t, size_t size, size_t alignment)
{
	void *p = try_aligned(size, alignment);
	return HAK_LIKELY(p != NULL) ? p : aligned_new_slow(size, alignment, CALLER);
}

/* operator delete(void *) */
OPERATOR(void, _ZdlPv, void *p)
{
	hak_free(p);
}

/* operator delete(void *, std::align_val_t) */
OPERATOR(void, _ZdlPvSt11align_val_t, void *p, size_t alignment)
{
	(void)alignment;
	hak_free(p);
}

/* --- the forms built on them ---------------------------------------------------------- */

/* Whatever the process uses under that name; a second declaration, so that the compiler does not know ours.
 */
#define IN_FORCE(result, name, symbol, ...) result name(__VA_ARGS__) __asm__(#symbol)
IN_FORCE(void *, new_in_force, _Znwm, size_t);
IN_FORCE(void *, array_new_in_force, _Znam, size_t);
IN_FORCE(void *, aligned_new_in_force, _ZnwmSt11align_val_t, size_t, size_t);
IN_FORCE(void *, aligned_array_new_in_force, _ZnamSt11align_val_t, size_t, size_t);
IN_FORCE(void, delete_in_force, _ZdlPv, void *);
IN_FORCE(void, array_delete_in_force, _ZdaPv, void *);
IN_FORCE(void, aligned_delete_in_force, _ZdlPvSt11align_val_t, void *, size_t);
IN_FORCE(void, aligned_array_delete_in_force, _ZdaPvSt11align_val_t, void *, size_t);

/* Two names of one function are two addresses to the compiler, so it must not know what it compares. */
#define IS_OURS(in_force, ours)                                                                              \
	({                                                                                                   \
		__typeof__(&(in_force)) used_ = (in_force);                                                  \
		__asm__("" : "+r"(used_));                                                                   \
		HAK_LIKELY(used_ == (ours));                                                                 \
	})

/* Our own, whoever is in force. */
extern HAK_HIDDEN __typeof__(_Znwm) hak_cxx_new __attribute__((alias("_Znwm")));
extern HAK_HIDDEN __typeof__(_ZnwmSt11align_val_t) hak_cxx_aligned_new
	__attribute__((alias("_ZnwmSt11align_val_t")));

extern HAK_HIDDEN __typeof__(_ZdlPv) hak_cxx_delete __attribute__((alias("_ZdlPv")));
extern HAK_HIDDEN __typeof__(_ZdlPvSt11align_val_t) hak_cxx_aligned_delete
	__attribute__((alias("_ZdlPvSt11align_val_t")));

/* operator new[](std::size_t) */
OPERATOR(void *, _Znam, size_t size)
{
	return new_in_force(size);
}

/* operator new[](std::size_t, std::align_val_t) */
OPERATOR(void *, _ZnamSt11align_val_t, size_t size, size_t alignment)
{
	return aligned_new_in_force(size, alignment);
}

extern HAK_HIDDEN __typeof__(_Znam) hak_cxx_array_new __attribute__((alias("_Znam")));
extern HAK_HIDDEN __typeof__(_ZnamSt11align_val_t) hak_cxx_aligned_array_new
	__attribute__((alias("_ZnamSt11align_val_t")));

/*
 * Programs that delete through a base class without a virtual destructor give the wrong size
 * and get away with it on other allocators. The block is known by its address, so it harms
 * nothing here either; only secure mode ends the process.
 */
static inline void check_delete(const void *p, size_t size, size_t alignment)
{
	if (HAK_UNLIKELY(hak_options.secure)) {
		hak_check_size(p, size, alignment, HAK_SIZE_OF_NEW);
	}
}

/* operator delete(void *, std::size_t, std::align_val_t) */
OPERATOR(void, _ZdlPvmSt11align_val_t, void *p, size_t size, size_t alignment)
{
	if (IS_OURS(aligned_delete_in_force, hak_cxx_aligned_delete)) {
		check_delete(p, size, alignment);
	}
	aligned_delete_in_force(p, alignment);
}

/* operator delete(void *, const std::nothrow_t &) */
OPERATOR(void, _ZdlPvRKSt9nothrow_t, void *p, const struct nothrow *tag)
{
	(void)tag;
	delete_in_force(p);
}

/* operator delete(void *, std::align_val_t, const std::nothrow_t &) */
OPERATOR(void, _ZdlPvSt11align_val_tRKSt9nothrow_t, void *p, size_t alignment, const struct nothrow *tag)
{
	(void)tag;
	aligned_delete_in_force(p, alignment);
}

/* operator delete[](void *) */
OPERATOR(void, _ZdaPv, void *p)
{
	delete_in_force(p);
}

/* operator delete[](void *, std::align_val_t) */
OPERATOR(void, _ZdaPvSt11align_val_t, void *p, size_t alignment)
{
	aligned_delete_in_force(p, alignment);
}

extern HAK_HIDDEN __typeof__(_ZdaPv) hak_cxx_array_delete __attribute__((alias("_ZdaPv")));
extern HAK_HIDDEN __typeof__(_ZdaPvSt11align_val_t) hak_cxx_aligned_array_delete
	__attribute__((alias("_ZdaPvSt11align_val_t")));

/* Who is in force does not change, so the usual answer is found once: sized delete is free, for both forms.
 */
static bool is_plain_free;

static __attribute__((constructor)) void find_who_is_in_force(void)
{
	is_plain_free = !hak_options.secure && IS_OURS(delete_in_force, hak_cxx_delete) &&
			IS_OURS(array_delete_in_force, hak_cxx_array_delete);
}

static HAK_NOINLINE void delete_of_size(void *p, size_t size)
{
	if (!IS_OURS(delete_in_force, hak_cxx_delete)) {
		delete_in_force(p);
		return;
	}
	if (HAK_UNLIKELY(hak_options.secure) && !hak_secure_holds(p, size)) {
		hak_check_size(p, size, 0, HAK_SIZE_OF_NEW);
	}
	hak_free(p);
}

static HAK_NOINLINE void array_delete_of_size(void *p, size_t size)
{
	if (IS_OURS(array_delete_in_force, hak_cxx_array_delete)) {
		delete_of_size(p, size);
	} else {
		array_delete_in_force(p);
	}
}

/* operator delete(void *, std::size_t) */
OPERATOR(void, _ZdlPvm, void *p, size_t size)
{
	if (HAK_LIKELY(is_plain_free)) {
		hak_free(p);
	} else {
		delete_of_size(p, size);
	}
}

/* operator delete[](void *, std::size_t) */
OPERATOR(void, _ZdaPvm, void *p, size_t size)
{
	if (HAK_LIKELY(is_plain_free)) {
		hak_free(p);
	} else {
		array_delete_of_size(p, size);
	}
}

/* operator delete[](void *, std::size_t, std::align_val_t) */
OPERATOR(void, _ZdaPvmSt11align_val_t, void *p, size_t size, size_t alignment)
{
	if (IS_OURS(aligned_array_delete_in_force, hak_cxx_aligned_array_delete) &&
	    IS_OURS(aligned_delete_in_force, hak_cxx_aligned_delete)) {
		check_delete(p, size, alignment);
	}
	aligned_array_delete_in_force(p, alignment);
}

/* operator delete[](void *, const std::nothrow_t &) */
OPERATOR(void, _ZdaPvRKSt9nothrow_t, void *p, const struct nothrow *tag)
{
	(void)tag;
	array_delete_in_force(p);
}

/* operator delete[](void *, std::align_val_t, const std::nothrow_t &) */
OPERATOR(void, _ZdaPvSt11align_val_tRKSt9nothrow_t, void *p, size_t alignment, const struct nothrow *tag)
{
	(void)tag;
	aligned_array_delete_in_force(p, alignment);
}

/* --- nothrow -------------------------------------------------------------------------- */

static inline bool new_is_ours(void)
{
	return IS_OURS(new_in_force, hak_cxx_new);
}

static inline bool aligned_new_is_ours(void)
{
	return IS_OURS(aligned_new_in_force, hak_cxx_aligned_new);
}

/*
 * These owe the caller a null pointer even when the new-handler or the program's own
 * operator throws, and C cannot catch. The runtime's operator of the same name can: it
 * calls the throwing form in force inside a try block.
 */
static HAK_COLD HAK_NOINLINE void *runtime_nothrow(size_t size, const struct nothrow *tag, const char *name,
						   const void *caller)
{
	nothrow_new *runtime_new = (nothrow_new *)runtime_symbol(name, caller);
	if (runtime_new) {
		return runtime_new(size, tag);
	}
	return new_is_ours() ? NULL : new_in_force(size);
}

static HAK_COLD HAK_NOINLINE void *runtime_aligned_nothrow(size_t size, size_t alignment,
							   const struct nothrow *tag, const char *name,
							   const void *caller)
{
	aligned_nothrow_new *runtime_new = (aligned_nothrow_new *)runtime_symbol(name, caller);
	if (runtime_new) {
		return runtime_new(size, alignment, tag);
	}
	return aligned_new_is_ours() ? NULL : aligned_new_in_force(size, alignment);
}

/* operator new(std::size_t, const std::nothrow_t &) */
OPERATOR(void *, _ZnwmRKSt9nothrow_t, size_t size, const struct nothrow *tag)
{
	void *p = new_is_ours() ? hak_malloc(size) : NULL;
	return HAK_LIKELY(p != NULL) ? p : runtime_nothrow(size, tag, "_ZnwmRKSt9nothrow_t", CALLER);
}

/* operator new[](std::size_t, const std::nothrow_t &) */
OPERATOR(void *, _ZnamRKSt9nothrow_t, size_t size, const struct nothrow *tag)
{
	void *p = new_is_ours() && IS_OURS(array_new_in_force, hak_cxx_array_new) ? hak_malloc(size) : NULL;
	return HAK_LIKELY(p != NULL) ? p : runtime_nothrow(size, tag, "_ZnamRKSt9nothrow_t", CALLER);
}

/* operator new(std::size_t, std::align_val_t, const std::nothrow_t &) */
OPERATOR(void *, _ZnwmSt11align_val_tRKSt9nothrow_t, size_t size, size_t alignment, const struct nothrow *tag)
{
	void *p = aligned_new_is_ours() ? try_aligned(size, alignment) : NULL;
	return HAK_LIKELY(p != NULL) ? p
				     : runtime_aligned_nothrow(size, alignment, tag,
							       "_ZnwmSt11align_val_tRKSt9nothrow_t", CALLER);
}

/* operator new[](std::size_t, std::align_val_t, const std::nothrow_t &) */
OPERATOR(void *, _ZnamSt11align_val_tRKSt9nothrow_t, size_t size, size_t alignment, const struct nothrow *tag)
{
	bool is_ours =
		aligned_new_is_ours() && IS_OURS(aligned_array_new_in_force, hak_cxx_aligned_array_new);
	void *p = is_ours ? try_aligned(size, alignment) : NULL;
	return HAK_LIKELY(p != NULL) ? p
				     : runtime_aligned_nothrow(size, alignment, tag,
							       "_ZnamSt11align_val_tRKSt9nothrow_t", CALLER);
}

/* SPDX-License-Identifier: MIT */
/* Attributes and hints, the only place that knows the compiler. No state. */
#ifndef HAK_LIB_COMPILER_H
#define HAK_LIB_COMPILER_H

#define HAK_LIKELY(x)	__builtin_expect(!!(x), 1)
#define HAK_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define HAK_COLD       __attribute__((cold))
#define HAK_SELDOM     __attribute__((section(".text.seldom"))) /* what few programs run: see layout.ld */
#define HAK_NOINLINE   __attribute__((noinline))
#define HAK_INLINE     static inline __attribute__((always_inline))
#define HAK_ALIGNED(n) __attribute__((aligned(n)))
#define HAK_MUST_CHECK __attribute__((warn_unused_result))
#define HAK_EXPORT     __attribute__((visibility("default")))
/* -fvisibility=hidden does not reach declarations; without this gcc goes through the GOT. */
#define HAK_HIDDEN __attribute__((visibility("hidden")))
/* Memory of a thread without a call into the loader: the library is there from the start. */
#define HAK_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/* A second name for a function, with its attributes where the compiler can copy them. */
#if defined(__has_attribute)
#if __has_attribute(copy)
#define HAK_SAME_AS(function) __attribute__((alias(#function), visibility("default"), copy(function)))
#endif
#endif
#ifndef HAK_SAME_AS
#define HAK_SAME_AS(function) __attribute__((alias(#function), visibility("default")))
#endif

/*
 * One aligned word that another thread may be writing, where its former value does as well.
 * Plain, because gcc folds no atomic load into a compare and free counts its instructions.
 */
#ifdef __SANITIZE_THREAD__
#define HAK_RACY_READ(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)
#else
#define HAK_RACY_READ(word) (word)
#endif

#define HAK_CACHE_LINE 64

#endif

/* SPDX-License-Identifier: MIT */
/*
 * THE list of options: the struct, the parser, the start-up print and docs/options.md are
 * made from these rows.
 *
 * Types: TABLE  `fine`, `classic` or `@FILE`
 *        INT    a whole number from min to max
 *        SIZE   bytes from min to max, with an optional K, M or G
 *        POWER2 the same, a power of two
 *        SWITCH 0 or 1
 *        NAME   at most 63 characters
 * The default is text, read by the same parser as the user's value.
 */
#ifndef HAK_LIB_OPTION_LIST_H
#define HAK_LIB_OPTION_LIST_H

#include <stdint.h>

#define HAK_KIB(n) ((int64_t)(n) << 10)
#define HAK_MIB(n) ((int64_t)(n) << 20)
#define HAK_GIB(n) ((int64_t)(n) << 30)

/* clang-format off */

/* X(field, TYPE, name, default, min, max, help) */
#define HAK_OPTIONS(X) \
	X(size_classes,   TABLE,  "HAKMEM_SIZE_CLASSES",   "fine", 0, 0, \
	  "the size-class table: two built-in ones, or a file with one block size a line") \
	X(tiny_max_class, INT,    "HAKMEM_TINY_MAX_CLASS", "7", 0, 7, \
	  "the last Tiny group k of C0..C7, where Ck ends at 8 * 2^k bytes; larger requests take the next route") \
	X(superslab_size, POWER2, "HAKMEM_SUPERSLAB_SIZE", "2M", HAK_KIB(512), HAK_MIB(32), \
	  "memory is taken from the system in steps of this many bytes") \
	X(huge_pages_from, SIZE,  "HAKMEM_HUGE_PAGES_FROM", "64M", 0, HAK_GIB(1024), \
	  "bytes of heap above which all memory may be in huge pages, and from a quarter of them on that of classes which use it up; fewer: fewer page faults, more memory") \
	X(purge_delay_ms, INT,    "HAKMEM_PURGE_DELAY_MS", "1000", -1, INT32_MAX, \
	  "milliseconds that free memory waits before it goes back to the system; 0 at once, -1 never") \
	X(secure,         SWITCH, "HAKMEM_SECURE",         "0", 0, 1, \
	  "keyed marks in and behind blocks, checked whenever one changes hands; random order of new blocks") \
	X(stats,          SWITCH, "HAKMEM_STATS",          "0", 0, 1, \
	  "print a table of all classes on standard error at exit") \
	X(trace,          SWITCH, "HAKMEM_TRACE",          "0", 0, 1, \
	  "load the tracer, libhakmem-tracer.so, so that `hakstat attach`, `hakstat top` and LTTng can record the process later; `hakstat record` does not need it") \
	X(sample_bytes,   SIZE,   "HAKMEM_SAMPLE_BYTES",   "512K", 1, HAK_GIB(1024), \
	  "mean number of bytes between two sampled allocations; as long as it is not set, threads that come to more than some 15,000 samples a second are sampled less densely") \
	X(snapshot_ms,    INT,    "HAKMEM_SNAPSHOT_MS",    "1000", 1, 3600000, \
	  "milliseconds between two snapshots of the classes in a trace") \
	X(frag_percent,   INT,    "HAKMEM_FRAG_PERCENT",   "50", 0, 100, \
	  "percent of waste from which a request is traced as hakmem:frag") \
	X(stack_depth,    INT,    "HAKMEM_STACK_DEPTH",    "32", 1, 128, \
	  "frames that a trace keeps of a call stack") \
	X(frame_pointers, SWITCH, "HAKMEM_FRAME_POINTERS", "0", 0, 1, \
	  "walk call stacks by frame pointers: faster, for programs and libraries compiled with them") \
	X(session,        NAME,   "HAKMEM_SESSION",        "", 0, 0, \
	  "the recording that this process belongs to; set by hakstat record") \
	X(verbose,        SWITCH, "HAKMEM_VERBOSE",        "0", 0, 1, \
	  "print version, options and classes on standard error at start")

/* clang-format on */

#endif

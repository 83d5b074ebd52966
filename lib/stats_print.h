/* SPDX-License-Identifier: MIT */
/*
 * The statistics of hakmem.h as people and old interfaces want them: tables on standard
 * error, the XML of malloc_info, the structs of mallinfo. Nothing here allocates or takes a
 * lock that it holds while it writes. Thread-safe.
 */
#ifndef HAK_LIB_STATS_PRINT_H
#define HAK_LIB_STATS_PRINT_H

#include <malloc.h>

#include "compiler.h"
#include "text.h"

/* Version, options and classes: HAKMEM_VERBOSE=1, at start, on standard error. */
HAK_HIDDEN void hak_print_config(void);

/* One row a class that was used, and the process: HAKMEM_STATS=1 and malloc_stats. */
HAK_HIDDEN void hak_print_stats(void);

/* glibc's malloc_info document, version 1, with a row for each class. */
HAK_HIDDEN void hak_print_info(struct hak_text *t);

/* In bytes; the fields that have no meaning here are 0. */
HAK_HIDDEN struct mallinfo2 hak_mallinfo(void);

#endif

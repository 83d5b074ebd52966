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
#include "writer.h"

/* Version, options and classes: HAKMEM_VERBOSE=1, at start, on standard error. */
HAK_HIDDEN void hak_print_config(void);

/* One row a class that was used, and the process, to a file descriptor. */
HAK_HIDDEN void hak_print_stats(int fd);

/*
 * HAKMEM_STATS=1: remembers standard error at start, and prints there at exit. Many programs
 * close their standard error before the library's destructor runs. Nothing is printed when
 * the program has closed the copy too and the number stands for another file.
 */
HAK_HIDDEN void hak_exit_stats_prepare(void);
HAK_HIDDEN void hak_exit_stats_print(void);

/* glibc's malloc_info document, version 1, with a row for each class. */
HAK_HIDDEN void hak_print_info(struct hak_writer *w);

/* In bytes; the fields that have no meaning here are 0. */
HAK_HIDDEN struct mallinfo2 hak_mallinfo(void);

#endif

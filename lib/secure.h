/* SPDX-License-Identifier: MIT */
/*
 * HAKMEM_SECURE=1. The heap counts and stacks its blocks elsewhere (hak_thread.guarded), so
 * that the countdowns of the fast paths stay at zero and every operation comes here; nothing
 * of this costs the default build more than a test on its slow paths.
 *
 * Marks (marks.h) are verified whenever a block changes hands. Misuse and damage end the
 * process by hak_panic.
 */
#ifndef HAK_LIB_SECURE_H
#define HAK_LIB_SECURE_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "serve.h"

/* As malloc, for a size whose bin of the calling thread is `b`; nobody's above HAK_WIDE_MAX. */
HAK_HIDDEN void *hak_secure_malloc(size_t size, struct hak_bin *b, unsigned flags);

/* As hak_serve. */
HAK_HIDDEN void *hak_secure_serve(const struct hak_request *r, bool *zeroed);

/* As free; p may be anything. */
HAK_HIDDEN void hak_secure_free(void *p, unsigned flags);

/* The same for a pointer to a unit of the calling thread's bin `b`, nobody's included. */
HAK_HIDDEN void hak_secure_free_ended(void *p, struct hak_bin *b);

/* What a pointer is presented for; decides the words of a refusal. */
enum hak_use { HAK_USE_FREE, HAK_USE_REALLOC, HAK_USE_SIZE };

/*
 * Ends the process because of a pointer that is no live block's, saying what it is instead.
 * For the default build as well, which has no marks to read.
 */
HAK_HIDDEN void hak_refuse(const void *p, enum hak_use use) __attribute__((noreturn, cold));

/* Bytes asked for at the live block `p`; ends the process when it is none or is damaged. */
HAK_HIDDEN size_t hak_secure_requested(const void *p, enum hak_use use);

/* The live block at `p` keeps its place and now holds `size` bytes, as far as it has room for marks. */
HAK_HIDDEN void hak_secure_resize(void *p, size_t size);

/* Verifies what the calling thread has freed and not used again; at the end of the process. */
HAK_HIDDEN void hak_secure_check_freed(void);

#endif

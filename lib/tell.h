/* SPDX-License-Identifier: MIT */
/* Telling tracers what the page heap did. With no lock held: a tracer may allocate. */
#ifndef HAK_LIB_TELL_H
#define HAK_LIB_TELL_H

#include <stdint.h>

#include "compiler.h"

/* The superslabs that came into use or gave their pages back since the last time. */
HAK_HIDDEN void hak_tell_superslabs(void);

/* Memory that was given back; a hak_purged_fn. */
HAK_HIDDEN void hak_tell_purged(void *start, uint64_t bytes);

#endif

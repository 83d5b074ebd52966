/* SPDX-License-Identifier: MIT */
/*
 * Makes recordings readable that were cut short by a full disk, a crash or a copy. The reading
 * library refuses a whole trace for one packet that is not complete, and never returns from
 * metadata that is; so both are looked at first. A cut stream is copied without its last
 * packet, and what is left of that packet becomes a trace of its own. Nothing recorded is
 * changed: copies and links live in a temporary folder.
 */
#ifndef HAKSTAT_TRACE_REPAIR_H
#define HAKSTAT_TRACE_REPAIR_H

#include <glib.h>

#include "err.h"

struct hakstat_repaired {
	GPtrArray *folders; /* to read instead of the given ones */
	GPtrArray *tails;   /* folders with incomplete packets: reading them ends in an error */
	GPtrArray *notes;   /* char *: a sentence for each stream that was cut; none: the traces are whole */
	char *temporary;    /* NULL: none was needed */
};

/*
 * Looks at the traces in `folders` (char *). HAKSTAT_TRACE with `err` set when one can't be read at
 * all. On success, hakstat_repaired_clear removes what was made.
 */
int hakstat_trace_repair(const GPtrArray *folders, struct hakstat_repaired *repaired,
			 struct hakstat_err *err);
void hakstat_repaired_clear(struct hakstat_repaired *repaired);

#endif

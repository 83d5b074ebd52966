/* SPDX-License-Identifier: MIT */
/*
 * Which pages of the region are in memory, and whose they are. For snapshots: the work follows the size of
 * the heap. No lock is taken, so while other threads allocate a page may be counted for the class that
 * had it a moment ago.
 */
#ifndef HAK_LIB_RESIDENT_H
#define HAK_LIB_RESIDENT_H

#include "region.h"

/*
 * Bytes of pages in memory: of the slabs of each bin, and in [0] of large blocks. Returns all of them,
 * those of free spans too; 0 when the system does not tell.
 */
HAK_HIDDEN uint64_t hak_resident_bytes(uint64_t by_bin[HAK_BINS]);

#endif

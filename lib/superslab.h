/* SPDX-License-Identifier: MIT */
/*
 * Which superslabs hold pages. One does from the first span in it on, until all of it is free and has given
 * its pages back; its addresses stay reserved. Tracers hear of it late, when no lock is held, so the changes
 * that they have not heard of are remembered here.
 *
 * With the page heap's lock held.
 */
#ifndef HAK_LIB_SUPERSLAB_H
#define HAK_LIB_SUPERSLAB_H

#include "region.h"

/* Of superslabs side by side. */
struct hak_superslab_change {
	void *start;
	uint64_t bytes;
	bool holds_pages;
};

/* Whether there is a change to be told; also without the lock. */
extern HAK_HIDDEN atomic_bool hak_superslabs_untold;

/* [unit, unit + units) comes into use. */
HAK_HIDDEN void hak_superslabs_use(uint32_t unit, uint32_t units);

/* [unit, unit + units) holds no page any more, nor does the free run at `run` around it. */
HAK_HIDDEN void hak_superslabs_leave(uint32_t unit, uint32_t units, uint32_t run);

/* The next change to be told, by address. False: there is none. */
HAK_HIDDEN bool hak_superslabs_next(struct hak_superslab_change *change);

#endif

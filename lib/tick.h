/* SPDX-License-Identifier: MIT */
/*
 * Giving memory back over time. Slow paths call hak_tick; a few times in each purge delay
 * one of them trims the depots to what was needed lately and purges old dirty runs. There is
 * no thread behind it: a process that does nothing gives nothing back.
 */
#ifndef HAK_LIB_TICK_H
#define HAK_LIB_TICK_H

#include <stdint.h>

#include "compiler.h"

HAK_HIDDEN void hak_tick(void);

/* Before another superslab is opened: depots give back what they hold, idle slabs their free pages. */
HAK_HIDDEN void hak_make_way(void);

/* Everything that can go, now. Returns the bytes given back to the system. */
HAK_HIDDEN uint64_t hak_give_back_all(void);

#endif

/* SPDX-License-Identifier: MIT */
/* THE list of what a snapshot says of its process's life. 0 is a trace that does not tell. */
#ifndef HAKMEM_LIFE_H
#define HAKMEM_LIFE_H

/* X(IDENTIFIER, label, value) */
#define HAK_LIVES(X)                                                                                         \
	X(RUNNING, running, 1)                                                                               \
	X(LEAVING, leaving, 2) /* the process ends or executes another program next */                       \
	X(FORKED, forked, 3)   /* a child before fork returns to it: what it holds is its parent's */

#define HAK_LIFE_ENUM(id, label, value) HAK_LIFE_##id = (value),
enum hak_life { HAK_LIVES(HAK_LIFE_ENUM) };
#undef HAK_LIFE_ENUM

#endif

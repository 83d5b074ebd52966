/* SPDX-License-Identifier: MIT */
/*
 * The loaded modules, for the unwinder: found without the loader's lock, and the count of
 * those that were unloaded.
 */
#ifndef HAK_TRACER_MODULES_H
#define HAK_TRACER_MODULES_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What libunwind calls in place of dl_iterate_phdr. While the calling thread walks its
 * stack it calls back for the one module that holds the address in question, takes no
 * lock and is async-signal-safe; else it is dl_iterate_phdr itself.
 */
int hak_modules_iterate(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);

/* Whether that works without the loader's lock on this system. */
bool hak_modules_are_lock_free(void);

/* How often a module was unloaded; frames that the unwinder remembers may be wrong since. */
uint32_t hak_modules_unloads(void);

/*
 * In a fork child, before LTTng begins anew in it: LTTng opens its own library once more and lists
 * the modules, and in a child whose parent was inside dlopen in another thread the loader ends the
 * process at the one and waits for ever at the other.
 */
void hak_modules_after_fork(void);

/*
 * Modules that the program opens at run time: LTTng lists the modules when a session begins, and hears of
 * later ones only by a library that stands before dlopen, where it changes which paths are searched. So
 * the tracer's thread looks now and then, and the thread that ends the process does once more.
 */
void hak_modules_look(void);

/*
 * Around a fork, outside LTTng's own handlers: a child must not inherit the locks that a look takes.
 * Nothing is looked at in processes that do not call these.
 */
void hak_modules_fork_begin(void);
void hak_modules_fork_end(bool in_child);

/* At start, in a process with the tracer attached. `on_unload` is called after each. */
void hak_modules_start(void (*on_unload)(void));

#endif

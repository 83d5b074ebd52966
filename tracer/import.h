/* SPDX-License-Identifier: MIT */
/* Redirecting a function that one loaded library imports, for that library alone. */
#ifndef HAK_TRACER_IMPORT_H
#define HAK_TRACER_IMPORT_H

#include <link.h>

/*
 * Makes the library's calls of `name` go to `to`. Returns 0, -ENOENT when it does not
 * import that name, or what mprotect said. To be called before other threads use the
 * library; nothing else in the process is touched.
 */
int hak_import_redirect(const struct link_map *library, const char *name, void *to);

#endif

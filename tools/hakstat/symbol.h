/* SPDX-License-Identifier: MIT */
/*
 * Addresses of a trace to functions, files and lines: the modules come from the trace, the
 * symbols from the files of this machine (or below a sysroot), never from the traced process.
 * A file whose build id is not the traced one is not used. Not thread-safe.
 */
#ifndef HAKSTAT_SYMBOL_H
#define HAKSTAT_SYMBOL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

/* A file mapped into a process. The strings are copied. */
struct hakstat_module {
	uint64_t base; /* address of its first loaded segment */
	uint64_t size; /* bytes */
	const char *path;
	const char *build_id_hex; /* NULL when the file has none */
	bool is_pic;
	const char *debug_link; /* NULL when the file has none */
};

struct hakstat_symbolizer;

/* `sysroot` is where the traced machine's files are; NULL for this machine's own. */
struct hakstat_symbolizer *hakstat_symbolizer_new(const char *sysroot);
void hakstat_symbolizer_free(struct hakstat_symbolizer *symbolizer);

/*
 * `pid` is a key: a caller may give each program image of a process a number of its own.
 * Modules may be added in any order and twice; symbolize when all are known. A removed module
 * still answers for addresses that no remaining one holds.
 */
void hakstat_symbolizer_add_module(struct hakstat_symbolizer *symbolizer, uint32_t pid,
				   const struct hakstat_module *module);
void hakstat_symbolizer_remove_module(struct hakstat_symbolizer *symbolizer, uint32_t pid, uint64_t base);

/* A process without modules of its own (a fork that was never dumped) has those of `parent`. */
void hakstat_symbolizer_set_parent(struct hakstat_symbolizer *symbolizer, uint32_t pid, uint32_t parent);

/*
 * Appends one or more `struct hakstat_frame *` to `frames`, innermost first. A return address
 * is looked up as the call before it.
 */
void hakstat_symbolize(struct hakstat_symbolizer *symbolizer, uint32_t pid, uint64_t addr,
		       bool is_return_address, GPtrArray *frames);

/*
 * One sentence (char *) per module that was asked for and could not be used: absent, or another
 * build than the traced one. Belongs to the symbolizer.
 */
const GPtrArray *hakstat_symbolizer_notes(const struct hakstat_symbolizer *symbolizer);

#endif

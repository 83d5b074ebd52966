/* SPDX-License-Identifier: MIT */
/*
 * The debug information of one module: addresses to functions, files and lines, with the
 * functions that were inlined. Used by symbol_elf.c only.
 */
#ifndef HAKSTAT_SYMBOL_DWARF_H
#define HAKSTAT_SYMBOL_DWARF_H

#include <elfutils/libdwfl.h>

#include "symbol.h"

struct hakstat_dwarf;

/* `module` must outlive the result. */
struct hakstat_dwarf *hakstat_dwarf_new(Dwfl_Module *module);
void hakstat_dwarf_free(struct hakstat_dwarf *dwarf);

/*
 * Appends the frames at `addr`, innermost first; `symbol` is the symbol table's name there, or
 * NULL. False, with nothing appended, when the debug information does not cover the address.
 */
bool hakstat_dwarf_add_frames(struct hakstat_dwarf *dwarf, uint64_t addr, const char *symbol,
			      GPtrArray *frames);

/* A copy of the name, readable when C++ or Rust mangled it; NULL for NULL. Free with g_free. */
char *hakstat_dwarf_demangle(const char *name);

#endif

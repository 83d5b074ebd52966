/* SPDX-License-Identifier: MIT */
/*
 * One ELF file of a trace, with its debug information: addresses inside it to frames. Used by
 * symbol.c only.
 */
#ifndef HAKSTAT_SYMBOL_ELF_H
#define HAKSTAT_SYMBOL_ELF_H

#include "symbol.h"

struct hakstat_elf;

/* Nothing is opened before the first lookup. A problem found then is appended to `notes`. */
struct hakstat_elf *hakstat_elf_new(const struct hakstat_module *module, const char *sysroot,
				    GPtrArray *notes);
void hakstat_elf_free(struct hakstat_elf *elf);

/*
 * The frames of the byte `distance` bytes above the module's base, innermost first: at least
 * one, its function NULL when nothing is known. They belong to `elf` and have no offset.
 */
const GPtrArray *hakstat_elf_lookup(struct hakstat_elf *elf, uint64_t distance);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A library's imports are slots that the loader filled; its dynamic section says where they
 * are. Only 64-bit ELF with addends (RELA) is known here, which all our targets use.
 */
#include "import.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * rela[2]; /* of the data and of the procedure linkage */
	size_t rela_bytes[2];
};

/* glibc's loader has relocated these addresses in place. */
static struct tables tables_read(const struct link_map *library)
{
	struct tables t = { 0 };
	for (const ElfW(Dyn) *d = library->l_ld; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB:
			t.symbols = (const void *)d->d_un.d_ptr;
			break;
		case DT_STRTAB:
			t.strings = (const void *)d->d_un.d_ptr;
			break;
		case DT_RELA:
			t.rela[0] = (const void *)d->d_un.d_ptr;
			break;
		case DT_RELASZ:
			t.rela_bytes[0] = d->d_un.d_val;
			break;
		case DT_JMPREL:
			t.rela[1] = (const void *)d->d_un.d_ptr;
			break;
		case DT_PLTRELSZ:
			t.rela_bytes[1] = d->d_un.d_val;
			break;
		default:
			break;
		}
	}
	return t;
}

/* The slot may lie in a part that was made read-only after loading; it stays writable. */
static int slot_write(uintptr_t slot, void *to)
{
	uintptr_t page = slot & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	if (mprotect((void *)page, slot + sizeof to - page, PROT_READ | PROT_WRITE) != 0) {
		return -errno;
	}
	__atomic_store_n((void **)slot, to, __ATOMIC_RELEASE);
	return 0;
}

int hak_import_redirect(const struct link_map *library, const char *name, void *to)
{
	struct tables t = tables_read(library);
	int result = -ENOENT;

	if (!t.symbols || !t.strings) {
		return -ENOENT;
	}
	for (size_t table = 0; table < 2; table++) {
		size_t count = t.rela[table] ? t.rela_bytes[table] / sizeof(ElfW(Rela)) : 0;
		for (size_t i = 0; i < count; i++) {
			const ElfW(Rela) *r = &t.rela[table][i];
			const ElfW(Sym) *symbol = &t.symbols[ELF64_R_SYM(r->r_info)];
			if (ELF64_R_SYM(r->r_info) != 0 && symbol->st_shndx == SHN_UNDEF &&
			    strcmp(t.strings + symbol->st_name, name) == 0) {
				result = slot_write(library->l_addr + r->r_offset, to);
			}
		}
	}
	return result;
}

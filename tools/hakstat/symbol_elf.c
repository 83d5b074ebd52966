/* SPDX-License-Identifier: MIT */
/*
 * One ELF file through libdwfl: found by path, else by build id, and never used when its build
 * id is not the traced one. What lies at an address is remembered.
 */
#include "symbol_elf.h"

#include "crash.h"
#include "symbol_dwarf.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct hakstat_elf {
	char *path; /* in the trace */
	char *sysroot;
	GByteArray *build_id; /* NULL when the trace has none */
	uint64_t base;
	uint64_t size;
	GPtrArray *notes;

	bool is_open;
	bool is_replaced; /* there is a file at `path`, of another build */
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL when no file was found */
	Dwfl_Callbacks callbacks;
	char *debug_path;
	struct hakstat_dwarf *dwarf;
	GHashTable *cache; /* distance (int64) to GPtrArray of frames */
};

static void frames_free(void *data)
{
	g_ptr_array_free(data, TRUE);
}

static GByteArray *parse_hex(const char *hex)
{
	GByteArray *bytes = g_byte_array_new();

	for (; g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]); hex += 2) {
		guint8 byte = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));

		g_byte_array_append(bytes, &byte, 1);
	}
	if (bytes->len == 0) {
		g_byte_array_free(bytes, TRUE);
		return NULL;
	}
	return bytes;
}

struct hakstat_elf *hakstat_elf_new(const struct hakstat_module *module, const char *sysroot,
				    GPtrArray *notes)
{
	struct hakstat_elf *elf = g_new0(struct hakstat_elf, 1);

	elf->path = g_strdup(module->path);
	elf->sysroot = g_strdup(sysroot ? sysroot : "");
	elf->build_id = module->build_id_hex ? parse_hex(module->build_id_hex) : NULL;
	elf->base = module->base;
	elf->size = module->size;
	elf->notes = notes;
	elf->cache = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, frames_free);
	return elf;
}

void hakstat_elf_free(struct hakstat_elf *elf)
{
	hakstat_dwarf_free(elf->dwarf);
	if (elf->dwfl) {
		dwfl_end(elf->dwfl);
	}
	if (elf->build_id) {
		g_byte_array_free(elf->build_id, TRUE);
	}
	g_hash_table_destroy(elf->cache);
	g_free(elf->debug_path);
	g_free(elf->sysroot);
	g_free(elf->path);
	g_free(elf);
}

/* A trace without a build id gives nothing to compare: then the path has to do. */
static bool is_traced_build(const struct hakstat_elf *elf, int fd)
{
	Elf *file;
	const void *id;
	ssize_t length;
	bool is_same;

	if (!elf->build_id) {
		return true;
	}
	file = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!file) {
		return false;
	}
	length = dwelf_elf_gnu_build_id(file, &id);
	is_same =
		length == (ssize_t)elf->build_id->len && memcmp(id, elf->build_id->data, (size_t)length) == 0;
	elf_end(file);
	return is_same;
}

/* A path from a trace may name anything, and some devices act when they are opened. */
static int open_regular(const char *path)
{
	int place = open(path, O_PATH | O_CLOEXEC);
	struct stat info;
	char self[32];
	int fd = -1;

	if (place >= 0 && fstat(place, &info) == 0 && S_ISREG(info.st_mode)) {
		g_snprintf(self, sizeof self, "/proc/self/fd/%d", place);
		fd = open(self, O_RDONLY | O_CLOEXEC);
	}
	if (place >= 0) {
		close(place);
	}
	return fd;
}

static int open_if_traced(struct hakstat_elf *elf, char *path, char **file_name)
{
	int fd = open_regular(path);

	if (fd >= 0 && is_traced_build(elf, fd)) {
		*file_name = strdup(path);
		g_free(path);
		return fd;
	}
	if (fd >= 0) {
		elf->is_replaced = true;
		close(fd);
	}
	g_free(path);
	return -1;
}

/* A debug file that was installed by its build id serves when the program itself is gone. */
static int open_debug_by_id(struct hakstat_elf *elf, char **file_name)
{
	GString *name = g_string_new("/usr/lib/debug/.build-id/");
	int fd;

	for (guint i = 0; elf->build_id && i < elf->build_id->len; i++) {
		g_string_append_printf(name, i == 0 ? "%02x/" : "%02x", elf->build_id->data[i]);
	}
	g_string_append(name, ".debug");
	fd = open_if_traced(elf, g_strconcat(elf->sysroot, name->str, NULL), file_name);
	if (fd < 0 && elf->sysroot[0] != '\0') {
		fd = open_if_traced(elf, g_strdup(name->str), file_name);
	}
	g_string_free(name, TRUE);
	return fd;
}

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base, char **file_name,
		    Elf **file)
{
	struct hakstat_elf *elf = *userdata;
	int fd = -1;

	if (elf->path[0] == '/') {
		fd = open_if_traced(elf, g_strconcat(elf->sysroot, elf->path, NULL), file_name);
	}
	if (fd < 0 && elf->build_id) {
		fd = open_debug_by_id(elf, file_name);
	}
	if (fd < 0 && elf->build_id) {
		fd = dwfl_build_id_find_elf(module, userdata, name, base, file_name, file);
	}
	return fd;
}

static void note_absence(struct hakstat_elf *elf)
{
	const char *why = elf->is_replaced ? "is another build than the traced one" : "cannot be read here";

	/* The kernel's own page for system calls is in no file. */
	if (elf->path[0] == '/') {
		g_ptr_array_add(elf->notes, g_strdup_printf("no symbols for %s%s: the file %s", elf->sysroot,
							    elf->path, why));
	}
}

static void report_module(struct hakstat_elf *elf)
{
	void **userdata;
	Dwfl_Module *module;

	dwfl_report_begin(elf->dwfl);
	module = dwfl_report_module(elf->dwfl, elf->path, elf->base, elf->base + elf->size);
	if (module) {
		dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
		*userdata = elf;
		if (elf->build_id) {
			dwfl_module_report_build_id(module, elf->build_id->data, elf->build_id->len, 0);
		}
	}
	dwfl_report_end(elf->dwfl, NULL, NULL);
	elf->module = module;
}

static void open_elf(struct hakstat_elf *elf)
{
	GElf_Addr bias;

	elf->is_open = true;
	elf->debug_path = g_strdup_printf(":.debug:%s/usr/lib/debug:/usr/lib/debug", elf->sysroot);
	elf->callbacks = (Dwfl_Callbacks) {
		.find_elf = find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &elf->debug_path,
	};
	elf->dwfl = dwfl_begin(&elf->callbacks);
	if (elf->dwfl) {
		report_module(elf);
	}
	if (!elf->module || !dwfl_module_getelf(elf->module, &bias)) {
		elf->module = NULL;
		note_absence(elf);
		return;
	}
	elf->dwarf = hakstat_dwarf_new(elf->module);
}

struct look_up {
	struct hakstat_elf *elf;
	uint64_t addr;
	GPtrArray *frames;
};

static void look_up(void *data)
{
	const struct look_up *wanted = data;
	struct hakstat_elf *elf = wanted->elf;
	uint64_t addr = wanted->addr;
	GPtrArray *frames = wanted->frames;
	const char *symbol = NULL;
	GElf_Off offset;
	GElf_Sym entry;

	if (!elf->is_open) {
		open_elf(elf);
	}
	if (elf->module) {
		symbol = dwfl_module_addrinfo(elf->module, addr, &offset, &entry, NULL, NULL, NULL);
	}
	if (!elf->dwarf || !hakstat_dwarf_add_frames(elf->dwarf, addr, symbol, frames)) {
		struct hakstat_frame *frame = g_new0(struct hakstat_frame, 1);

		frame->function = hakstat_dwarf_demangle(symbol);
		g_ptr_array_add(frames, frame);
	}
}

/* What crashed is left alone from then on, also at the end. */
static void give_up(struct hakstat_elf *elf)
{
	elf->module = NULL;
	elf->dwarf = NULL;
	elf->dwfl = NULL;
	g_ptr_array_add(elf->notes,
			g_strdup_printf("no symbols for %s%s: reading the file crashed the library for it",
					elf->sysroot, elf->path));
}

static GPtrArray *guarded_look_up(struct hakstat_elf *elf, uint64_t distance)
{
	struct look_up wanted = { elf, elf->base + distance, hakstat_frames_new() };

	if (hakstat_crash_guard(look_up, &wanted) != 0) {
		give_up(elf);
	}
	if (wanted.frames->len == 0) {
		g_ptr_array_add(wanted.frames, g_new0(struct hakstat_frame, 1));
	}
	return wanted.frames;
}

const GPtrArray *hakstat_elf_lookup(struct hakstat_elf *elf, uint64_t distance)
{
	GPtrArray *frames = g_hash_table_lookup(elf->cache, &distance);

	if (frames) {
		return frames;
	}
	frames = guarded_look_up(elf, distance);
	g_hash_table_insert(elf->cache, g_memdup2(&distance, sizeof(distance)), frames);
	return frames;
}

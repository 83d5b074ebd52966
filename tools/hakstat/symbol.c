/* SPDX-License-Identifier: MIT */
/*
 * Which file an address of a process belongs to. Files are shared between the processes that
 * map them, so each is opened and each of its addresses looked up once. symbol_elf.c does the
 * looking up.
 */
#include "symbol.h"

#include "symbol_elf.h"
#include "text.h"

struct mapping {
	uint64_t base;
	uint64_t size;
	bool is_pic;
	bool is_removed;
	struct hakstat_elf *elf;
	const char *path;     /* these two belong to the key in `elfs` */
	const char *build_id; /* NULL when the file has none */
};

struct process {
	GArray *mappings; /* of struct mapping, the latest last */
	uint32_t parent;
	bool has_parent;
};

struct file {
	char *path;
	char *build_id;
	struct hakstat_elf *elf;
};

struct hakstat_symbolizer {
	char *sysroot;
	GHashTable *files;     /* path and build id to struct file */
	GHashTable *processes; /* pid to struct process */
	GPtrArray *notes;
};

static void process_free(void *data)
{
	struct process *process = data;

	g_array_free(process->mappings, TRUE);
	g_free(process);
}

static void file_free(void *data)
{
	struct file *file = data;

	hakstat_elf_free(file->elf);
	g_free(file->path);
	g_free(file->build_id);
	g_free(file);
}

struct hakstat_symbolizer *hakstat_symbolizer_new(const char *sysroot)
{
	struct hakstat_symbolizer *symbolizer = g_new0(struct hakstat_symbolizer, 1);

	symbolizer->sysroot = g_strdup(sysroot);
	symbolizer->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, file_free);
	symbolizer->processes = g_hash_table_new_full(NULL, NULL, NULL, process_free);
	symbolizer->notes = g_ptr_array_new_with_free_func(g_free);
	return symbolizer;
}

void hakstat_symbolizer_free(struct hakstat_symbolizer *symbolizer)
{
	if (!symbolizer) {
		return;
	}
	g_hash_table_destroy(symbolizer->processes);
	g_hash_table_destroy(symbolizer->files);
	g_ptr_array_free(symbolizer->notes, TRUE);
	g_free(symbolizer->sysroot);
	g_free(symbolizer);
}

static struct process *process_find(struct hakstat_symbolizer *symbolizer, uint32_t pid)
{
	return g_hash_table_lookup(symbolizer->processes, GUINT_TO_POINTER(pid));
}

static struct process *process_get(struct hakstat_symbolizer *symbolizer, uint32_t pid)
{
	struct process *process = process_find(symbolizer, pid);

	if (!process) {
		process = g_new0(struct process, 1);
		process->mappings = g_array_new(FALSE, TRUE, sizeof(struct mapping));
		g_hash_table_insert(symbolizer->processes, GUINT_TO_POINTER(pid), process);
	}
	return process;
}

static struct file *file_get(struct hakstat_symbolizer *symbolizer, const struct hakstat_module *module)
{
	const char *build_id = module->build_id_hex ? module->build_id_hex : "";
	char *key = g_strdup_printf("%s\n%s", build_id, module->path);
	struct file *file = g_hash_table_lookup(symbolizer->files, key);

	if (file) {
		g_free(key);
		return file;
	}
	file = g_new0(struct file, 1);
	file->path = g_strdup(module->path);
	file->build_id = g_strdup(module->build_id_hex);
	file->elf = hakstat_elf_new(module, symbolizer->sysroot, symbolizer->notes);
	g_hash_table_insert(symbolizer->files, key, file);
	return file;
}

/* The same file at the same place again is the same mapping, seen by another dump. */
static void forget_mapping(GArray *mappings, uint64_t base, const struct hakstat_elf *elf)
{
	for (guint i = 0; i < mappings->len; i++) {
		const struct mapping *mapping = &g_array_index(mappings, struct mapping, i);

		if (mapping->base == base && mapping->elf == elf) {
			g_array_remove_index(mappings, i);
			return;
		}
	}
}

void hakstat_symbolizer_add_module(struct hakstat_symbolizer *symbolizer, uint32_t pid,
				   const struct hakstat_module *module)
{
	struct process *process = process_get(symbolizer, pid);
	struct file *file = file_get(symbolizer, module);
	struct mapping mapping = {
		.base = module->base,
		.size = module->size,
		.is_pic = module->is_pic,
		.elf = file->elf,
		.path = file->path,
		.build_id = file->build_id,
	};

	forget_mapping(process->mappings, module->base, file->elf);
	g_array_append_val(process->mappings, mapping);
}

void hakstat_symbolizer_remove_module(struct hakstat_symbolizer *symbolizer, uint32_t pid, uint64_t base)
{
	struct process *process = process_find(symbolizer, pid);

	for (guint i = 0; process && i < process->mappings->len; i++) {
		struct mapping *mapping = &g_array_index(process->mappings, struct mapping, i);

		if (mapping->base == base) {
			mapping->is_removed = true;
		}
	}
}

void hakstat_symbolizer_set_parent(struct hakstat_symbolizer *symbolizer, uint32_t pid, uint32_t parent)
{
	struct process *process = process_get(symbolizer, pid);

	process->parent = parent;
	process->has_parent = true;
}

static const struct mapping *mapping_find(const GArray *mappings, uint64_t addr)
{
	const struct mapping *removed = NULL;

	for (guint i = mappings->len; i-- > 0;) {
		const struct mapping *mapping = &g_array_index(mappings, struct mapping, i);

		if (addr - mapping->base >= mapping->size) {
			continue;
		}
		if (!mapping->is_removed) {
			return mapping;
		}
		if (!removed) {
			removed = mapping;
		}
	}
	return removed;
}

/* A trace may claim a circle of parents; the longest real chain is no longer than this. */
static const struct mapping *mapping_of(struct hakstat_symbolizer *symbolizer, uint32_t pid, uint64_t addr)
{
	guint steps = g_hash_table_size(symbolizer->processes);

	for (; steps > 0; steps--) {
		const struct process *process = process_find(symbolizer, pid);

		if (!process) {
			return NULL;
		}
		if (process->mappings->len > 0 || !process->has_parent) {
			return mapping_find(process->mappings, addr);
		}
		pid = process->parent;
	}
	return NULL;
}

/* Names come from files and traces that anybody may have written. */
static char *clean(const char *text)
{
	return text ? hakstat_text_clean(text) : NULL;
}

static struct hakstat_frame *frame_copy(const struct hakstat_frame *from, const struct mapping *mapping)
{
	struct hakstat_frame *frame = g_new0(struct hakstat_frame, 1);

	frame->function = clean(from->function);
	frame->file = clean(from->file);
	frame->line = from->line;
	frame->inlined = from->inlined;
	frame->module = clean(mapping->path);
	frame->build_id = clean(mapping->build_id);
	return frame;
}

static void add_unknown(uint64_t addr, GPtrArray *frames)
{
	struct hakstat_frame *frame = g_new0(struct hakstat_frame, 1);

	frame->offset = addr;
	g_ptr_array_add(frames, frame);
}

void hakstat_symbolize(struct hakstat_symbolizer *symbolizer, uint32_t pid, uint64_t addr,
		       bool is_return_address, GPtrArray *frames)
{
	uint64_t lookup = addr - (is_return_address && addr > 0 ? 1 : 0);
	const struct mapping *mapping = mapping_of(symbolizer, pid, lookup);
	const GPtrArray *known;

	if (!mapping) {
		add_unknown(addr, frames);
		return;
	}
	known = hakstat_elf_lookup(mapping->elf, lookup - mapping->base);
	for (guint i = 0; i < known->len; i++) {
		struct hakstat_frame *frame = frame_copy(g_ptr_array_index(known, i), mapping);

		frame->offset = mapping->is_pic ? addr - mapping->base : addr;
		g_ptr_array_add(frames, frame);
	}
}

const GPtrArray *hakstat_symbolizer_notes(const struct hakstat_symbolizer *symbolizer)
{
	return symbolizer->notes;
}

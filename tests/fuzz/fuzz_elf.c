/* SPDX-License-Identifier: MIT */
/*
 * Input: up to 15 addresses, then an ELF file that a trace could name. They are looked up as hakstat
 * does it, in a child that may die of the library.
 */
#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "forked.h"
#include "isolate.h"
#include "symbol_elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 16, FURTHER = 64 };

#define MEMORY (UINT64_C(1) << 30)

struct task {
	char path[64];
	uint64_t distances[MOST];
	unsigned count;
	size_t size;
};

static void look_up(struct hakstat_elf *elf, uint64_t distance)
{
	const GPtrArray *frames = hakstat_elf_lookup(elf, distance);

	expect(frames->len >= 1);
	for (guint i = 0; i < frames->len; i++) {
		const struct hakstat_frame *f = g_ptr_array_index(frames, i);
		expect(!f->function || strlen(f->function) < (1 << 24));
	}
}

static struct hakstat_summary *look_all_up(void *data, struct hakstat_err *err)
{
	const struct task *task = data;
	GPtrArray *notes = g_ptr_array_new_with_free_func(g_free);
	struct hakstat_module module = {
		.base = 0x400000,
		.size = MAX(task->size, 1 << 20),
		.path = task->path,
	};
	struct hakstat_elf *elf = hakstat_elf_new(&module, NULL, notes);

	(void)err;
	for (unsigned i = 0; i < task->count; i++) {
		look_up(elf, task->distances[i]);
	}
	for (unsigned i = 0; i < FURTHER; i++) {
		look_up(elf, 0x1000 + 8 * i);
	}
	hakstat_elf_free(elf);
	g_ptr_array_unref(notes);
	return hakstat_summary_new();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, data + size };
	struct hakstat_err err = { 0 };
	struct task task = { .count = bytes_u8(&b) % MOST };
	struct hakstat_summary *done;
	int fd = memfd_create("elf", MFD_CLOEXEC);

	for (unsigned i = 0; i < task.count; i++) {
		task.distances[i] = bytes_number(&b);
	}
	task.size = bytes_left(&b);
	g_snprintf(task.path, sizeof task.path, "/proc/self/fd/%d", fd);
	expect(write(fd, b.at, task.size) == (ssize_t)task.size);
	done = hakstat_isolate("elf", MEMORY, look_all_up, &task, &err);
	expect(done || err.status == HAKSTAT_TRACE);
	hakstat_summary_free(done);
	close(fd);
	return 0;
}

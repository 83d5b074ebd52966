/* SPDX-License-Identifier: MIT */
/* Tables, XML and mallinfo from one reading of the statistics. */
#include "stats_print.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hakmem.h"
#include "hakmem_size_class.h"
#include "options.h"

enum { ROWS = HAK_MAX_CLASSES + 1 };

struct reading {
	struct hakmem_heap_stats heap;
	size_t count;
	struct hakmem_class_stats classes[ROWS];
};

static void read_all(struct reading *r)
{
	hakmem_stats_heap(&r->heap);
	r->count = hakmem_stats_classes(r->classes, ROWS);
	if (r->count > ROWS) {
		r->count = ROWS;
	}
}

static uint64_t live_bytes(const struct hakmem_class_stats *c)
{
	return c->usable ? c->live * c->usable : c->slab_bytes;
}

/* "PROGRAM[PID]" */
static void put_process(struct hak_writer *w)
{
	hak_write_foreign(w, program_invocation_short_name ? program_invocation_short_name : "?");
	hak_write_string(w, "[");
	hak_write_unsigned(w, (uint64_t)getpid());
	hak_write_string(w, "]");
}

static void put_range(struct hak_writer *w, const struct hakmem_class_stats *c)
{
	if (c->max_request == 0) {
		hak_write_string(w, "  none: excluded by HAKMEM_TINY_MAX_CLASS");
		return;
	}
	hak_write_count(w, c->min_request, 10);
	if (c->usable == 0) {
		hak_write_string(w, " and more");
		return;
	}
	hak_write_string(w, "..");
	hak_write_unsigned(w, c->max_request);
}

static void put_class_row(struct hak_writer *w, const struct hakmem_class_stats *c)
{
	hak_write_string(w, "  ");
	hak_write_count(w, c->class_id, 3);
	hak_write_string(w, "  ");
	hak_write_left(w, c->name, 10);
	hak_write_left(w, hak_route_label(c->route), 8);
	if (c->usable) {
		hak_write_count(w, c->usable, 8);
	} else {
		hak_write_right(w, "pages", 8);
	}
	put_range(w, c);
	hak_write_string(w, "\n");
}

void hak_print_config(void)
{
	struct hak_writer w;
	struct reading r;

	read_all(&r);
	hak_writer_to_fd(&w, STDERR_FILENO);
	hak_write_string(&w, "hakmem " HAKMEM_VERSION " in ");
	put_process(&w);
	hak_write_string(&w, "\n");
	hak_options_print(&w);
	hak_write_string(&w, "   id  class     route      block  requests\n");
	for (size_t i = 0; i < r.count; i++) {
		put_class_row(&w, &r.classes[i]);
	}
	hak_writer_flush(&w);
}

static void put_stats_row(struct hak_writer *w, const struct hakmem_class_stats *c)
{
	hak_write_left(w, c->name, 9);
	hak_write_left(w, hak_route_label(c->route), 8);
	hak_write_count(w, c->allocs, 13);
	hak_write_count(w, c->frees, 13);
	hak_write_count(w, c->live, 11);
	hak_write_bytes(w, live_bytes(c), 9);
	hak_write_count(w, c->cached, 8);
	hak_write_count(w, c->slabs, 8);
	hak_write_bytes(w, c->slab_bytes, 9);
	hak_write_percent(w, live_bytes(c), c->slab_bytes, 7);
	hak_write_string(w, "\n");
}

static void put_bytes(struct hak_writer *w, const char *label, uint64_t bytes)
{
	hak_write_string(w, label);
	hak_write_bytes(w, bytes, 0);
}

static void put_heap(struct hak_writer *w, const struct hakmem_heap_stats *h)
{
	put_bytes(w, "mapped ", h->mapped);
	hak_write_string(w, " in ");
	hak_write_unsigned(w, h->superslabs);
	put_bytes(w, " superslabs, committed ", h->committed);
	put_bytes(w, ", of that free ", h->cached);
	put_bytes(w, "; large ", h->large_bytes);
	hak_write_string(w, " in ");
	hak_write_unsigned(w, h->large_blocks);
	put_bytes(w, " blocks; tables ", h->metadata);
	put_bytes(w, "; returned to the system ", h->purged);
	hak_write_string(w, "; threads ");
	hak_write_unsigned(w, h->threads);
	hak_write_string(w, "\n");
}

void hak_print_stats(int fd)
{
	struct hak_writer w;
	struct reading r;

	read_all(&r);
	hak_writer_to_fd(&w, fd);
	hak_write_string(&w, "hakmem " HAKMEM_VERSION " in ");
	put_process(&w);
	if (r.count == 0) {
		hak_write_string(&w, ": no statistics, a signal came inside malloc or free\n");
		hak_writer_flush(&w);
		return;
	}
	hak_write_string(
		&w, ": bytes live are blocks that the program holds, occupancy is their part of the slabs\n");
	hak_write_string(&w,
			 "class    route          allocs        frees       live    bytes  cached   slabs    "
			 "bytes  occ %\n");
	for (size_t i = 0; i < r.count; i++) {
		if (r.classes[i].allocs) {
			put_stats_row(&w, &r.classes[i]);
		}
	}
	put_heap(&w, &r.heap);
	hak_writer_flush(&w);
}

/* The copy of standard error: its number, and which file it was. */
static struct {
	int fd;
	dev_t device;
	ino_t inode;
} kept = { .fd = -1 };

void hak_exit_stats_prepare(void)
{
	struct stat file;
	/* Out of the way of programs that expect the low numbers, where the limit allows. */
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 240);
	if (fd < 0) {
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	}
	if (fd >= 0 && fstat(fd, &file) == 0) {
		kept.fd = fd;
		kept.device = file.st_dev;
		kept.inode = file.st_ino;
	}
}

void hak_exit_stats_print(void)
{
	struct stat file;
	if (kept.fd >= 0 && fstat(kept.fd, &file) == 0 && file.st_dev == kept.device &&
	    file.st_ino == kept.inode) {
		hak_print_stats(kept.fd);
	}
}

static void attribute(struct hak_writer *w, const char *name, uint64_t value)
{
	hak_write_string(w, " ");
	hak_write_string(w, name);
	hak_write_string(w, "=\"");
	hak_write_unsigned(w, value);
	hak_write_string(w, "\"");
}

static void put_class_xml(struct hak_writer *w, const struct hakmem_class_stats *c)
{
	hak_write_string(w, "<class name=\"");
	hak_write_xml(w, c->name);
	hak_write_string(w, "\" route=\"");
	hak_write_xml(w, hak_route_label(c->route));
	hak_write_string(w, "\"");
	attribute(w, "id", c->class_id);
	attribute(w, "usable", c->usable);
	attribute(w, "allocs", c->allocs);
	attribute(w, "frees", c->frees);
	attribute(w, "live", c->live);
	attribute(w, "cached", c->cached);
	attribute(w, "slabs", c->slabs);
	attribute(w, "slab_bytes", c->slab_bytes);
	hak_write_string(w, "/>\n");
}

static void sized_xml(struct hak_writer *w, const char *element, const char *type, uint64_t size)
{
	hak_write_string(w, "<");
	hak_write_string(w, element);
	hak_write_string(w, " type=\"");
	hak_write_string(w, type);
	hak_write_string(w, "\"");
	attribute(w, "size", size);
	hak_write_string(w, "/>\n");
}

static void counted_xml(struct hak_writer *w, const char *type, uint64_t count, uint64_t size)
{
	hak_write_string(w, "<total type=\"");
	hak_write_string(w, type);
	hak_write_string(w, "\"");
	attribute(w, "count", count);
	attribute(w, "size", size);
	hak_write_string(w, "/>\n");
}

static struct mallinfo2 mallinfo_of(const struct reading *r)
{
	const struct hakmem_heap_stats *h = &r->heap;
	struct mallinfo2 m = { 0 };
	uint64_t live = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (r->classes[i].usable) {
			live += live_bytes(&r->classes[i]);
			m.ordblks += r->classes[i].cached;
		}
	}
	m.arena = h->mapped > h->large_bytes ? h->mapped - h->large_bytes : 0;
	m.hblks = h->large_blocks;
	m.hblkhd = h->large_bytes;
	m.uordblks = live;
	m.fordblks = m.arena > live ? m.arena - live : 0;
	m.keepcost = h->cached;
	return m;
}

/* Elements and attributes that readers of glibc's document look for come as they know them. */
void hak_print_info(struct hak_writer *w)
{
	struct reading r;

	read_all(&r);
	struct mallinfo2 m = mallinfo_of(&r);
	hak_write_string(w, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n");
	for (size_t i = 0; i < r.count; i++) {
		put_class_xml(w, &r.classes[i]);
	}
	hak_write_string(w, "</sizes>\n");
	counted_xml(w, "fast", 0, 0);
	counted_xml(w, "rest", m.ordblks, m.fordblks);
	sized_xml(w, "system", "current", m.arena);
	sized_xml(w, "aspace", "total", r.heap.reserved);
	sized_xml(w, "aspace", "mprotect", r.heap.mapped);
	hak_write_string(w, "</heap>\n");
	counted_xml(w, "fast", 0, 0);
	counted_xml(w, "rest", m.ordblks, m.fordblks);
	counted_xml(w, "mmap", m.hblks, m.hblkhd);
	sized_xml(w, "system", "current", m.arena);
	sized_xml(w, "aspace", "total", r.heap.reserved);
	sized_xml(w, "aspace", "mprotect", r.heap.mapped);
	hak_write_string(w, "</malloc>\n");
}

struct mallinfo2 hak_mallinfo(void)
{
	struct reading r;
	read_all(&r);
	return mallinfo_of(&r);
}

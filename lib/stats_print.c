/* SPDX-License-Identifier: MIT */
/* Tables, XML and mallinfo from one reading of the statistics. */
#include "stats_print.h"

#include <errno.h>
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
static void put_process(struct hak_text *t)
{
	hak_text_foreign(t, program_invocation_short_name ? program_invocation_short_name : "?");
	hak_text_string(t, "[");
	hak_text_unsigned(t, (uint64_t)getpid());
	hak_text_string(t, "]");
}

static void put_range(struct hak_text *t, const struct hakmem_class_stats *c)
{
	if (c->max_request == 0) {
		hak_text_string(t, "  none: excluded by HAKMEM_TINY_MAX_CLASS");
		return;
	}
	hak_text_count(t, c->min_request, 10);
	if (c->usable == 0) {
		hak_text_string(t, " and more");
		return;
	}
	hak_text_string(t, "..");
	hak_text_unsigned(t, c->max_request);
}

static void put_class_row(struct hak_text *t, const struct hakmem_class_stats *c)
{
	hak_text_string(t, "  ");
	hak_text_count(t, c->class_id, 3);
	hak_text_string(t, "  ");
	hak_text_left(t, c->name, 10);
	hak_text_left(t, hak_route_label(c->route), 8);
	if (c->usable) {
		hak_text_count(t, c->usable, 8);
	} else {
		hak_text_right(t, "pages", 8);
	}
	put_range(t, c);
	hak_text_string(t, "\n");
}

void hak_print_config(void)
{
	struct hak_text t;
	struct reading r;

	read_all(&r);
	hak_text_to_fd(&t, STDERR_FILENO);
	hak_text_string(&t, "hakmem " HAKMEM_VERSION " in ");
	put_process(&t);
	hak_text_string(&t, "\n");
	hak_options_print(&t);
	hak_text_string(&t, "   id  class     route      block  requests\n");
	for (size_t i = 0; i < r.count; i++) {
		put_class_row(&t, &r.classes[i]);
	}
	hak_text_flush(&t);
}

static void put_stats_row(struct hak_text *t, const struct hakmem_class_stats *c)
{
	hak_text_left(t, c->name, 9);
	hak_text_left(t, hak_route_label(c->route), 8);
	hak_text_count(t, c->allocs, 13);
	hak_text_count(t, c->frees, 13);
	hak_text_count(t, c->live, 11);
	hak_text_bytes(t, live_bytes(c), 9);
	hak_text_count(t, c->cached, 8);
	hak_text_count(t, c->slabs, 8);
	hak_text_bytes(t, c->slab_bytes, 9);
	hak_text_percent(t, live_bytes(c), c->slab_bytes, 7);
	hak_text_string(t, "\n");
}

static void put_bytes(struct hak_text *t, const char *label, uint64_t bytes)
{
	hak_text_string(t, label);
	hak_text_bytes(t, bytes, 0);
}

static void put_heap(struct hak_text *t, const struct hakmem_heap_stats *h)
{
	put_bytes(t, "mapped ", h->mapped);
	hak_text_string(t, " in ");
	hak_text_unsigned(t, h->superslabs);
	put_bytes(t, " superslabs, committed ", h->committed);
	put_bytes(t, ", of that free ", h->cached);
	put_bytes(t, "; large ", h->large_bytes);
	hak_text_string(t, " in ");
	hak_text_unsigned(t, h->large_blocks);
	put_bytes(t, " blocks; tables ", h->metadata);
	put_bytes(t, "; returned to the system ", h->purged);
	hak_text_string(t, "; threads ");
	hak_text_unsigned(t, h->threads);
	hak_text_string(t, "\n");
}

void hak_print_stats(void)
{
	struct hak_text t;
	struct reading r;

	read_all(&r);
	hak_text_to_fd(&t, STDERR_FILENO);
	hak_text_string(&t, "hakmem " HAKMEM_VERSION " in ");
	put_process(&t);
	hak_text_string(
		&t, ": bytes live are blocks that the program holds, occupancy is their part of the slabs\n");
	hak_text_string(&t,
			"class    route          allocs        frees       live    bytes  cached   slabs    "
			"bytes  occ %\n");
	for (size_t i = 0; i < r.count; i++) {
		if (r.classes[i].allocs) {
			put_stats_row(&t, &r.classes[i]);
		}
	}
	put_heap(&t, &r.heap);
	hak_text_flush(&t);
}

static void attribute(struct hak_text *t, const char *name, uint64_t value)
{
	hak_text_string(t, " ");
	hak_text_string(t, name);
	hak_text_string(t, "=\"");
	hak_text_unsigned(t, value);
	hak_text_string(t, "\"");
}

static void put_class_xml(struct hak_text *t, const struct hakmem_class_stats *c)
{
	hak_text_string(t, "<class name=\"");
	hak_text_xml(t, c->name);
	hak_text_string(t, "\" route=\"");
	hak_text_xml(t, hak_route_label(c->route));
	hak_text_string(t, "\"");
	attribute(t, "id", c->class_id);
	attribute(t, "usable", c->usable);
	attribute(t, "allocs", c->allocs);
	attribute(t, "frees", c->frees);
	attribute(t, "live", c->live);
	attribute(t, "cached", c->cached);
	attribute(t, "slabs", c->slabs);
	attribute(t, "slab_bytes", c->slab_bytes);
	hak_text_string(t, "/>\n");
}

static void sized_xml(struct hak_text *t, const char *element, const char *type, uint64_t size)
{
	hak_text_string(t, "<");
	hak_text_string(t, element);
	hak_text_string(t, " type=\"");
	hak_text_string(t, type);
	hak_text_string(t, "\"");
	attribute(t, "size", size);
	hak_text_string(t, "/>\n");
}

static void counted_xml(struct hak_text *t, const char *type, uint64_t count, uint64_t size)
{
	hak_text_string(t, "<total type=\"");
	hak_text_string(t, type);
	hak_text_string(t, "\"");
	attribute(t, "count", count);
	attribute(t, "size", size);
	hak_text_string(t, "/>\n");
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
void hak_print_info(struct hak_text *t)
{
	struct reading r;

	read_all(&r);
	struct mallinfo2 m = mallinfo_of(&r);
	hak_text_string(t, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n");
	for (size_t i = 0; i < r.count; i++) {
		put_class_xml(t, &r.classes[i]);
	}
	hak_text_string(t, "</sizes>\n");
	counted_xml(t, "fast", 0, 0);
	counted_xml(t, "rest", m.ordblks, m.fordblks);
	sized_xml(t, "system", "current", m.arena);
	sized_xml(t, "aspace", "total", r.heap.reserved);
	sized_xml(t, "aspace", "mprotect", r.heap.mapped);
	hak_text_string(t, "</heap>\n");
	counted_xml(t, "fast", 0, 0);
	counted_xml(t, "rest", m.ordblks, m.fordblks);
	counted_xml(t, "mmap", m.hblks, m.hblkhd);
	sized_xml(t, "system", "current", m.arena);
	sized_xml(t, "aspace", "total", r.heap.reserved);
	sized_xml(t, "aspace", "mprotect", r.heap.mapped);
	hak_text_string(t, "</malloc>\n");
}

struct mallinfo2 hak_mallinfo(void)
{
	struct reading r;
	read_all(&r);
	return mallinfo_of(&r);
}

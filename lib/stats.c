/* SPDX-License-Identifier: MIT */
/* The public view of the counters. No formatting here. */
#include <string.h>

#include "class_map.h"
#include "hakmem.h"
#include "heap.h"
#include "large.h"
#include "meta.h"
#include "options.h"
#include "page_heap.h"
#include "resident.h"
#include "slab.h"

HAK_EXPORT const char *hakmem_version(void)
{
	return HAKMEM_VERSION;
}

HAK_EXPORT void hakmem_config_read(struct hakmem_config *out)
{
	const struct hak_class_table *t = &hak_class_map.table;
	size_t length = strlen(hak_options.size_classes);
	size_t skip = length < sizeof out->size_classes ? 0 : length + 1 - sizeof out->size_classes;

	memset(out, 0, sizeof *out);
	memcpy(out->size_classes, hak_options.size_classes + skip, length - skip + 1);
	out->tiny_max_class = t->tiny_max_class;
	out->tiny_max_size = t->tiny_max_size;
	out->class_count = t->count;
	out->page_size = t->page_size;
	out->superslab_size = hak_options.superslab_size;
	out->huge_pages_from = hak_options.huge_pages_from;
	out->purge_delay_ms = hak_options.purge_delay_ms;
	out->secure = hak_options.secure;
	out->sample_bytes = hak_options.sample_bytes;
	out->snapshot_ms = (uint32_t)hak_options.snapshot_ms;
	out->frag_percent = (uint32_t)hak_options.frag_percent;
	out->stack_depth = (uint32_t)hak_options.stack_depth;
	out->frame_pointers = hak_options.frame_pointers;
	memcpy(out->session, hak_options.session, sizeof out->session);
}

static bool read_class(struct hakmem_class_stats *c, unsigned id, uint64_t *min_request)
{
	const struct hak_class *k = &hak_class_map.table.classes[id];
	struct hak_slab_stats slabs;

	c->route = k->route;
	c->usable = k->block;
	if (k->max_request) {
		c->min_request = *min_request;
		c->max_request = k->max_request;
		*min_request = (uint64_t)k->max_request + 1;
	}
	bool is_whole = hak_heap_totals(id + 1, &c->allocs, &c->frees, &c->cached);
	hak_slab_stats(id + 1, &slabs);
	c->slabs = slabs.slabs;
	c->slab_bytes = slabs.bytes;
	memcpy(c->name, k->name, sizeof k->name);
	return is_whole;
}

static bool read_large(struct hakmem_class_stats *c, uint64_t min_request)
{
	c->route = HAK_ROUTE_LARGE;
	c->min_request = min_request;
	c->max_request = PTRDIFF_MAX;
	bool is_whole = hak_heap_totals(0, &c->allocs, &c->frees, &c->cached);
	hak_large_stats(&c->slabs, &c->slab_bytes);
	c->cached = 0;
	memcpy(c->name, "large", sizeof "large");
	return is_whole;
}

HAK_EXPORT size_t hakmem_stats_classes(struct hakmem_class_stats *out, size_t capacity)
{
	unsigned count = hak_class_map.table.count;
	uint64_t min_request = 0;

	for (unsigned id = 0; id <= count && id < capacity; id++) {
		memset(&out[id], 0, sizeof out[id]);
		out[id].class_id = id;
		if (id < count ? !read_class(&out[id], id, &min_request)
			       : !read_large(&out[id], min_request)) {
			return 0;
		}
		/* Other threads go on: a free may be seen without its allocation. */
		out[id].live =
			out[id].allocs - (out[id].frees < out[id].allocs ? out[id].frees : out[id].allocs);
	}
	return count + 1;
}

HAK_EXPORT void hakmem_stats_heap(struct hakmem_heap_stats *out)
{
	struct hak_page_heap_stats pages;
	hak_page_heap_stats(&pages);
	memset(out, 0, sizeof *out);
	out->reserved = (uint64_t)hak_region.reserved_units << HAK_UNIT_LOG2;
	out->mapped = pages.mapped;
	out->committed = pages.used + pages.dirty;
	out->cached = pages.dirty;
	out->purged = pages.purged;
	out->superslabs = pages.superslabs;
	hak_large_stats(&out->large_blocks, &out->large_bytes);
	out->metadata = hak_meta_bytes();
	out->threads = hak_heap_threads();
}

HAK_EXPORT uint64_t hakmem_stats_resident(uint64_t *by_class, size_t capacity)
{
	uint64_t by_bin[HAK_BINS];
	uint64_t all = hak_resident_bytes(by_bin);
	unsigned count = hak_class_map.table.count;

	for (unsigned id = 0; id <= count && id < capacity; id++) {
		by_class[id] = by_bin[id < count ? id + 1 : 0];
	}
	return all;
}

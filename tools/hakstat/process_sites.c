/* SPDX-License-Identifier: MIT */
/*
 * Call sites of a process into the summary: addresses become frames, equal stacks of frames
 * become one row, whatever process or load address they came from.
 */
#include <string.h>

#include "number.h"
#include "process.h"

struct naming {
	struct hakstat_process *process;
	struct hakstat_symbolizer *symbolizer;
	GHashTable *frames; /* address -> GPtrArray of struct hakstat_frame */
};

static void free_frames(void *frames)
{
	g_ptr_array_unref(frames);
}

static GPtrArray *frames_at(struct naming *naming, uint64_t address)
{
	GPtrArray *frames = g_hash_table_lookup(naming->frames, &address);

	if (frames) {
		return frames;
	}
	frames = hakstat_frames_new();
	if (naming->symbolizer) {
		hakstat_symbolize(naming->symbolizer, naming->process->index, address, true, frames);
	} else {
		struct hakstat_frame *frame = g_new0(struct hakstat_frame, 1);
		frame->offset = address;
		g_ptr_array_add(frames, frame);
	}
	g_hash_table_insert(naming->frames, g_memdup2(&address, sizeof address), frames);
	return frames;
}

/* Frames of the allocator and its tracer say nothing about who asked. */
static bool is_own_frame(const struct hakstat_frame *frame)
{
	return frame->module && g_str_has_prefix(basename(frame->module), "libhakmem");
}

static GPtrArray *name_stack(struct naming *naming, const struct hakstat_stack *stack)
{
	GPtrArray *named = g_ptr_array_new();

	for (uint32_t i = 0; i < stack->depth; i++) {
		GPtrArray *frames = frames_at(naming, stack->frames[i]);
		for (guint j = 0; j < frames->len; j++) {
			struct hakstat_frame *frame = g_ptr_array_index(frames, j);
			if (named->len || !is_own_frame(frame)) {
				g_ptr_array_add(named, frame);
			}
		}
	}
	return named;
}

/* 0x1f parts fields and 0x1e frames: no name holds them. */
static char *stack_key(const GPtrArray *stack)
{
	GString *key = g_string_new(NULL);

	for (guint i = 0; i < stack->len; i++) {
		const struct hakstat_frame *f = g_ptr_array_index(stack, i);
		const char *module = f->module ? f->module : "";
		if (f->function) {
			g_string_append_printf(key, "%s\x1f%s\x1f%u\x1f%s\x1e", f->function,
					       f->file ? f->file : "", f->line, module);
		} else {
			g_string_append_printf(key, "%s\x1f%s\x1f%#lx\x1e", f->build_id ? f->build_id : "",
					       module, (unsigned long)f->offset);
		}
	}
	return g_string_free(key, FALSE);
}

/* Events of wasteful requests are all there are, samples stand for others. */
static void add_site_variances(const struct hakstat_process *p, const struct hakstat_site *site, double scale,
			       struct hakstat_counts *n)
{
	double count = p->samples.classes[site->class_id].weight * scale;
	struct hakstat_domain domain = hakstat_process_domain(p, &p->samples, site->class_id, count);
	struct hakstat_variances v;

	domain.of = &site->sums;
	v = hakstat_domain_variances(&domain);
	hakstat_variances_add(&n->v, &v);
	domain.of = &site->live;
	domain.from = &site->sums;
	v = hakstat_domain_variances(&domain);
	hakstat_variances_add(&n->live_v, &v);
}

static void add_site(struct hakstat_row *row, const struct hakstat_site *site, double scale, bool is_new,
		     bool has_live)
{
	const struct hakstat_sample_sums *sums = &site->sums;

	row->requested_min = is_new ? site->min : MIN(row->requested_min, site->min);
	row->requested_max = is_new ? site->max : MAX(row->requested_max, site->max);
	row->n.allocs += hakstat_rounded(sums->weight * scale);
	row->n.requested_bytes += hakstat_rounded(sums->requested * scale);
	row->n.usable_bytes += hakstat_rounded(sums->usable * scale);
	row->n.live += hakstat_rounded(site->live.weight * scale);
	row->n.live_requested_bytes += hakstat_rounded(site->live.requested * scale);
	row->n.live_usable_bytes += hakstat_rounded(site->live.usable * scale);
	row->n.samples += sums->samples;
	if (site->live.samples == 0 && !has_live) {
		row->n.live_unknown += hakstat_rounded(sums->weight * scale);
	}
}

/* Events of wasteful requests tell nothing of what became of the block (`has_live` false). */
static void finish_site(struct naming *naming, const struct hakstat_site *site, double scale, bool has_live,
			struct hakstat_summary *s)
{
	GPtrArray *stack = name_stack(naming, site->stack);
	char *key = stack_key(stack);
	bool is_new;
	struct hakstat_row *row = hakstat_summary_row(s, HAKSTAT_BY_SITE, key, &is_new);

	if (is_new) {
		row->stack = hakstat_frames_copy(stack);
	}
	add_site(row, site, scale, is_new, has_live);
	if (has_live) {
		add_site_variances(naming->process, site, scale, &row->n);
	}
	g_ptr_array_unref(stack);
	g_free(key);
}

void hakstat_process_finish_sites(struct hakstat_process *p, const double *scale, struct hakstat_summary *s,
				  struct hakstat_symbolizer *symbolizer)
{
	bool sampled = g_hash_table_size(p->samples.sites[HAKSTAT_SITE_SAMPLE]) != 0;
	GHashTable *sites = p->samples.sites[sampled ? HAKSTAT_SITE_SAMPLE : HAKSTAT_SITE_FRAG];
	struct naming naming = { p, symbolizer, NULL };
	GHashTableIter iter;
	gpointer value;

	if (g_hash_table_size(sites) == 0 || (!sampled && p->has_no_frag_sites)) {
		return;
	}
	if (symbolizer) {
		hakstat_process_tell_modules(p, symbolizer);
	}
	s->sites_are_frag |= !sampled;
	naming.frames = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_frames);
	g_hash_table_iter_init(&iter, sites);
	while (g_hash_table_iter_next(&iter, &value, NULL)) {
		const struct hakstat_site *site = value;
		finish_site(&naming, site, sampled ? scale[site->class_id] : 1, sampled, s);
	}
	g_hash_table_destroy(naming.frames);
}

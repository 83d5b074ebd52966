/* SPDX-License-Identifier: MIT */
/*
 * A process's classes, threads and modules as the events tell them.
 */
#include "process.h"

#include "text.h"

static void module_free(void *data)
{
	struct hakstat_module *module = data;

	g_free((void *)(uintptr_t)module->path);
	g_free((void *)(uintptr_t)module->build_id_hex);
	g_free((void *)(uintptr_t)module->debug_link);
	g_free(module);
}

struct hakstat_process *hakstat_process_new(uint32_t index, uint32_t session, uint32_t pid)
{
	struct hakstat_process *p = g_new0(struct hakstat_process, 1);

	p->index = index;
	p->session = session;
	p->pid = pid;
	p->threads = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	p->modules = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, module_free);
	hakstat_samples_init(&p->samples);
	return p;
}

void hakstat_process_free(struct hakstat_process *p)
{
	hakstat_tally_clear(&p->ops);
	hakstat_tally_clear(&p->events);
	hakstat_samples_clear(&p->samples);
	hakstat_pending_clear(&p->pending);
	g_free(p->late);
	g_free(p->late_peak);
	g_hash_table_destroy(p->threads);
	g_hash_table_destroy(p->modules);
	for (int i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		g_free(p->classes[i].name);
	}
	g_free(p->config.version);
	g_free(p->config.size_classes);
	g_free(p->host_name);
	g_free(p->name);
	g_free(p->session_id);
	g_free(p);
}

struct hakstat_thread *hakstat_process_thread(struct hakstat_process *p, uint32_t tid)
{
	gpointer key = GUINT_TO_POINTER(tid);
	struct hakstat_thread *thread = g_hash_table_lookup(p->threads, key);

	if (!thread) {
		thread = g_new0(struct hakstat_thread, 1);
		g_hash_table_insert(p->threads, key, thread);
	}
	return thread;
}

/* True when the operations were missing until now. */
static bool fill_gap(struct hakstat_thread *thread, uint64_t first, uint64_t end)
{
	for (unsigned i = 0; i < MIN(thread->gap_count, HAKSTAT_GAPS); i++) {
		struct hakstat_gap *gap = &thread->gaps[i];
		if (first < gap->from || end > gap->to) {
			continue;
		}
		thread->lost_operations -= end - first;
		if (first == gap->from) {
			gap->from = end;
		} else {
			gap->to = first; /* what may remain behind stays lost: batches come in order */
		}
		return true;
	}
	return false;
}

void hakstat_thread_batch(struct hakstat_thread *thread, uint64_t first, uint32_t count)
{
	uint64_t end = first + count;

	if (thread->has_batches && first < thread->next_operation && fill_gap(thread, first, end)) {
		return;
	}
	if (thread->has_batches && first > thread->next_operation &&
	    first - thread->next_operation > HAKSTAT_LOST_MOST) {
		thread->lost_unknown = true;
	} else if (thread->has_batches && first > thread->next_operation) {
		thread->gaps[thread->gap_count++ % HAKSTAT_GAPS] =
			(struct hakstat_gap) { thread->next_operation, first };
		thread->lost_operations += first - thread->next_operation;
	}
	thread->has_batches = true;
	thread->next_operation = end;
}

void hakstat_process_set_block(struct hakstat_process *p, uint32_t class_id, uint32_t route, uint64_t usable)
{
	struct hakstat_class_state *c = &p->classes[class_id];

	c->is_known = true;
	c->route = route;
	c->block = usable;
	p->ops.block[class_id] = usable;
	p->events.block[class_id] = usable;
}

void hakstat_process_class_info(struct hakstat_process *p, const struct hakstat_event_class_info *info)
{
	struct hakstat_class_state *c = &p->classes[info->class_id];

	hakstat_process_set_block(p, info->class_id, info->route, info->usable);
	c->min_request = info->min_request;
	c->max_request = info->max_request;
	if (!c->name) {
		c->name = hakstat_text_clean(info->name);
	}
}

void hakstat_process_borrow_class(struct hakstat_process *p, const struct hakstat_process *from,
				  uint32_t class_id)
{
	const struct hakstat_class_state *c = &from->classes[class_id];

	hakstat_process_set_block(p, class_id, c->route, c->block);
	p->classes[class_id].min_request = c->min_request;
	p->classes[class_id].max_request = c->max_request;
	g_free(p->classes[class_id].name);
	p->classes[class_id].name = g_strdup(c->name);
}

static struct hakstat_module *module_at(struct hakstat_process *p, uint64_t base)
{
	struct hakstat_module *module = g_hash_table_lookup(p->modules, &base);

	if (!module) {
		module = g_new0(struct hakstat_module, 1);
		module->base = base;
		g_hash_table_insert(p->modules, &module->base, module);
	}
	return module;
}

/* What belongs to a file comes in up to three events, so it is told when nothing more can come. */
static void unload(struct hakstat_process *p, uint64_t base, struct hakstat_symbolizer *symbolizer)
{
	const struct hakstat_module *module = g_hash_table_lookup(p->modules, &base);

	if (module && module->path && symbolizer) {
		hakstat_symbolizer_add_module(symbolizer, p->index, module);
		hakstat_symbolizer_remove_module(symbolizer, p->index, base);
	}
	g_hash_table_remove(p->modules, &base);
}

void hakstat_process_tell_modules(struct hakstat_process *p, struct hakstat_symbolizer *symbolizer)
{
	GHashTableIter iter;
	gpointer module;

	g_hash_table_iter_init(&iter, p->modules);
	while (g_hash_table_iter_next(&iter, NULL, &module)) {
		if (((const struct hakstat_module *)module)->path) {
			hakstat_symbolizer_add_module(symbolizer, p->index, module);
		}
	}
}

static void replace_text(const char **at, const char *text)
{
	g_free((void *)(uintptr_t)*at);
	*at = g_strdup(text);
}

void hakstat_process_module(struct hakstat_process *p, const struct hakstat_event *event,
			    struct hakstat_symbolizer *symbolizer)
{
	const struct hakstat_event_module *m = &event->u.module;
	struct hakstat_module *module;

	if (event->kind == HAKSTAT_EVENT_MODULE_UNLOAD) {
		unload(p, m->base, symbolizer);
		return;
	}
	module = module_at(p, m->base);
	if (event->kind == HAKSTAT_EVENT_MODULE_LOAD || event->kind == HAKSTAT_EVENT_MODULE_OPEN) {
		module->size = m->size;
		module->is_pic = m->is_pic || event->kind == HAKSTAT_EVENT_MODULE_OPEN;
		replace_text(&module->path, m->text);
		replace_text(&module->build_id_hex, NULL);
		replace_text(&module->debug_link, NULL);
	} else if (event->kind == HAKSTAT_EVENT_MODULE_BUILD_ID) {
		replace_text(&module->build_id_hex, m->text);
	} else {
		replace_text(&module->debug_link, m->text);
	}
}

char *hakstat_process_class_name(const struct hakstat_process *p, uint32_t class_id)
{
	const struct hakstat_class_state *c = &p->classes[class_id];

	return c->name ? g_strdup(c->name) : g_strdup_printf("class %u", class_id);
}

/* SPDX-License-Identifier: MIT */
/* What each row of a process needs: what its class is, and how well it is known. */
#include "process_finish.h"

#include "number.h"

double hakstat_process_request_range(const struct hakstat_process *p, uint32_t class_id)
{
	const struct hakstat_class_state *c = &p->classes[class_id];

	if (!c->block) { /* whole pages */
		return p->config.page_size ? p->config.page_size : 4096;
	}
	return (double)hakstat_less(c->max_request, c->min_request);
}

struct hakstat_domain hakstat_process_domain(const struct hakstat_process *p,
					     const struct hakstat_samples *samples, uint32_t class_id,
					     double count)
{
	const struct hakstat_class_state *c = &p->classes[class_id];
	bool is_counted = c->has_points || p->ops.is_used || p->events.is_used || p->was_shared;

	return (struct hakstat_domain) {
		.of = &samples->classes[class_id],
		.among = &samples->classes[class_id],
		.count = count,
		.count_variance = p->ops.is_used || p->events.is_used ? 0 : c->early_variance,
		.is_count_sampled = !is_counted,
		.range = hakstat_process_request_range(p, class_id),
	};
}

void hakstat_finish_add_variances(const struct hakstat_finish *f, uint32_t class_id,
				  const struct hakstat_sample_sums *of, double count,
				  struct hakstat_counts *n)
{
	struct hakstat_domain domain = hakstat_process_domain(f->process, f->samples, class_id, count);
	struct hakstat_variances v;

	if (of && !f->exact) {
		domain.of = of;
		v = hakstat_domain_variances(&domain);
		hakstat_variances_add(&n->v, &v);
	}
}

void hakstat_finish_fill_class(const struct hakstat_process *p, uint32_t class_id, struct hakstat_row *row)
{
	row->class_id = class_id;
	row->block = p->classes[class_id].block;
	row->route = p->classes[class_id].route;
	if (!row->class_name) {
		row->class_name = hakstat_process_class_name(p, class_id);
	}
}

struct hakstat_row *hakstat_finish_route_row(const struct hakstat_finish *f, uint32_t class_id,
					     unsigned reason, uint64_t min, uint64_t max)
{
	unsigned route = f->process->classes[class_id].route;
	struct hakstat_row *row;
	char key[32];
	bool is_new;

	g_snprintf(key, sizeof key, "%u:%u", route, reason);
	row = hakstat_summary_row(f->summary, HAKSTAT_BY_ROUTE, key, &is_new);
	row->route = route;
	row->reason = reason;
	hakstat_row_add_range(row, HAKSTAT_BY_ROUTE, is_new, min, max);
	return row;
}

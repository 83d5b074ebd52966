/* SPDX-License-Identifier: MIT */
/*
 * Trapezoids between snapshots, as the areas themselves have them. One that went between two has its half
 * of the step, whose width is known when the second one comes.
 */
#include "course.h"

struct gone_sample {
	double weight;
	struct hakstat_course course;
};

void hakstat_class_course_clear(struct hakstat_class_course *course)
{
	if (course->gone) {
		g_array_unref(course->gone);
	}
	*course = (struct hakstat_class_course) { 0 };
}

void hakstat_course_go_on(struct hakstat_course *sample, double step, double residual, double scale)
{
	sample->area += step / 2 * (sample->residual + residual);
	sample->reach += step / 2 * (sample->scale + scale);
	sample->residual = residual;
	sample->scale = scale;
}

void hakstat_course_add(struct hakstat_sample_sums *sums, const struct hakstat_course *sample, double weight)
{
	struct hakstat_sample_part part = hakstat_sample_part(weight, sample->area, sample->reach);

	if (sample->reach > 0) {
		hakstat_sample_sums_add(sums, &part, 1);
	}
}

static void add_gone(struct hakstat_sample_sums *sums, const GArray *gone, double step)
{
	for (guint i = 0; gone && i < gone->len; i++) {
		struct gone_sample sample = g_array_index(gone, struct gone_sample, i);
		hakstat_course_go_on(&sample.course, step, 0, 0);
		hakstat_course_add(sums, &sample.course, sample.weight);
	}
}

double hakstat_class_course_step(struct hakstat_class_course *course, int64_t time_ns)
{
	double step = course->is_begun ? (double)(time_ns - course->time_ns) : 0;

	add_gone(&course->done, course->gone, step);
	if (course->gone) {
		g_array_set_size(course->gone, 0);
	}
	course->is_begun = true;
	course->time_ns = time_ns;
	return step;
}

void hakstat_class_course_part(struct hakstat_class_course *course, const struct hakstat_course *sample,
			       double weight)
{
	struct gone_sample gone = { weight, *sample };

	if (sample->scale <= 0 && sample->reach <= 0) {
		return; /* no snapshot met it */
	}
	if (!course->gone) {
		course->gone = g_array_new(FALSE, FALSE, sizeof gone);
	}
	g_array_append_val(course->gone, gone);
}

struct hakstat_sample_sums hakstat_class_course_gone(const struct hakstat_class_course *course)
{
	struct hakstat_sample_sums sums = course->done;

	add_gone(&sums, course->gone, 0);
	return sums;
}

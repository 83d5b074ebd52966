/* SPDX-License-Identifier: MIT */
/*
 * Variances of sums over Poisson samples, scaled to a known number of allocations.
 */
#include "domain.h"

#include <glib.h>

#include "number.h"

#define MORE 2.0 /* made-up samples, on either side */

/* What a sum is of: 1, the requested or the usable bytes of each sample. */
struct summand {
	double weighted; /* sum of w y */
	double v;	 /* sum of w (w - 1) y */
	double v_known;	 /* sum of w (w - 1) y k */
};

/* What is known of the class: k is 1 when its number is, the usable bytes when those are. */
struct known {
	double scale;	 /* to what is known */
	double weighted; /* sum of w k */
	double v;	 /* sum of w (w - 1) k^2 */
};

static struct known known_of(const struct hakstat_domain *d)
{
	const struct hakstat_sample_sums *s = d->among;

	return d->usable > 0 ? (struct known) { d->usable / s->usable, s->usable, s->v_usable2 }
			     : (struct known) { d->count / s->weight, s->weight, s->v };
}

static bool is_all(const struct hakstat_domain *d)
{
	return d->of->samples == d->among->samples && !d->is_count_sampled;
}

/*
 * `v`: sum of w (w - 1) y z over the domain. How many samples fall into a part of a class is chance, too. Of
 * few, or of nearly all, the variance is estimated badly; some samples more inside and as many outside
 * are the remedy of Agresti and Coull (Approximate is Better than "Exact" ..., 1998).
 */
static double covariance(const struct hakstat_domain *d, const struct summand *y, const struct summand *z,
			 double v)
{
	struct known k = known_of(d);
	double mean_y = y->weighted / k.weighted, mean_z = z->weighted / k.weighted;
	double inside = is_all(d) ? 1 : 1 + MORE / (double)d->of->samples;
	double both = is_all(d) ? 1 : 1 + 2 * MORE / (double)d->among->samples;

	if (d->is_count_sampled) {
		return inside * v;
	}
	return k.scale * k.scale *
		       (inside * (v - mean_z * y->v_known - mean_y * z->v_known) +
			both * mean_y * mean_z * k.v) +
	       mean_y * mean_z * d->count_variance;
}

/* That part of it which comes from how samples of the domain differ, not from how many there are. */
static double within(const struct hakstat_domain *d, const struct summand *y, const struct summand *z,
		     double v)
{
	double scale = known_of(d).scale;

	if (d->usable > 0) { /* what the number makes of it is in the bytes */
		return covariance(d, y, z, v);
	}
	return d->of->v > 0 ? scale * scale * (v - y->v * z->v / d->of->v) : 0;
}

/* Square of the skewness of what they differ in: of n values at most n. */
static double skewness2(const struct hakstat_sample_sums *s)
{
	double mean = s->requested / s->weight;
	double first = s->v_requested / s->v, second = s->v_requested2 / s->v, third = s->v_requested3 / s->v;
	double m2 = second - 2 * mean * first + mean * mean;
	double m3 = third - 3 * mean * second + 3 * mean * mean * first - mean * mean * mean;

	/* All but equal samples: what is left are rounding errors. */
	return m2 > 1e-9 * second ? MIN(m3 * m3 / (m2 * m2 * m2), (double)s->samples) : 0;
}

/*
 * Around the mean of few or skewed samples an interval of HAKSTAT_DEVIATIONS holds the truth less often
 * than in 95 of 100 times; by how much, and so how much wider it has to be, is known up to 1 / n from
 * Edgeworth's expansion (P. Hall, The Bootstrap and Edgeworth Expansion, 1992, 2.6). Of its terms the
 * ones for skewness and for the estimated deviation count.
 */
static double widening(const struct hakstat_domain *d)
{
	const double z2 = HAKSTAT_DEVIATIONS * HAKSTAT_DEVIATIONS;
	double skewness = d->usable > 0 ? 0 : skewness2(d->of); /* rests of pages are hardly skewed */

	if (d->of->v <= 0) {
		return 1;
	}
	return 1 + (skewness * (z2 * z2 + 2 * z2 - 3) / 18 + (z2 + 1) / 4) / (double)d->of->samples;
}

/*
 * One more observation, spread evenly over the class's range, keeps few samples that happen to be equal
 * from claiming certainty.
 */
static double prior(const struct hakstat_domain *d)
{
	double n = (double)d->of->samples, count = d->of->weight * d->count / d->among->weight;

	return d->of->v > 0 ? count * count * d->range * d->range / 12 / ((n + 1) * n) : 0;
}

static double at_least_zero(double value)
{
	return value > 0 ? value : 0;
}

/* That no sample is left does not mean that nothing is: none is one of few, see covariance(). */
static struct hakstat_variances of_none(const struct hakstat_domain *d)
{
	const struct hakstat_sample_sums *s = d->from;
	double scale = d->is_count_sampled ? 1 : known_of(d).scale;
	double part;

	if (!s || s->samples == 0) {
		return (struct hakstat_variances) { 0 };
	}
	part = scale * scale * MORE / (double)s->samples;
	return (struct hakstat_variances) { part * s->v, part * s->v_requested2, part * s->v_usable2,
					    part * s->v_both, 0 };
}

struct hakstat_variances hakstat_domain_variances(const struct hakstat_domain *d)
{
	const struct hakstat_sample_sums *s = d->of;
	bool k = d->usable > 0;
	const struct summand one = { s->weight, s->v, k ? s->v_usable : s->v },
			     requested = { s->requested, s->v_requested, k ? s->v_both : s->v_requested },
			     usable = { s->usable, s->v_usable, k ? s->v_usable2 : s->v_usable };
	double wider, scale;

	if (!(d->among->weight > 0) && !d->is_count_sampled) {
		return (struct hakstat_variances) { 0 };
	}
	if (s->samples == 0) {
		return of_none(d);
	}
	scale = d->is_count_sampled ? 1 : known_of(d).scale;
	wider = widening(d) * widening(d) - 1;
	return (struct hakstat_variances) {
		.allocs = at_least_zero(covariance(d, &one, &one, s->v)),
		.requested = at_least_zero(covariance(d, &requested, &requested, s->v_requested2)) +
			     wider * within(d, &requested, &requested, s->v_requested2) +
			     (wider + 1) * prior(d),
		.usable = at_least_zero(covariance(d, &usable, &usable, s->v_usable2)) +
			  wider * within(d, &usable, &usable, s->v_usable2),
		.both = covariance(d, &requested, &usable, s->v_both) +
			wider * within(d, &requested, &usable, s->v_both),
		.weights = scale * scale * s->v,
	};
}

struct hakstat_variances hakstat_sample_variances(double weight, double requested, double usable)
{
	double v = weight * (weight - 1);

	return (struct hakstat_variances) { v, v * requested * requested, v * usable * usable,
					    v * requested * usable, v };
}

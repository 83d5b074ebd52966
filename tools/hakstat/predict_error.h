/* SPDX-License-Identifier: MIT */
/*
 * How well a prediction is known whose requests samples told. What it says of a recorded class, in whatever
 * classes it puts that, rests on the same samples: a saving is their difference, and has the interval of
 * that. Internal to predict.c.
 */
#ifndef HAKSTAT_PREDICT_ERROR_H
#define HAKSTAT_PREDICT_ERROR_H

#include "summary.h"

struct hakstat_predict_error;

struct hakstat_predict_error *hakstat_predict_error_new(const struct hakstat_summary *recorded);
void hakstat_predict_error_free(struct hakstat_predict_error *error);

/* The requests of a row of sizes are part of `row`, or of all: NULL. `predicted`: what is said of them. */
void hakstat_predict_error_add(struct hakstat_predict_error *error, const struct hakstat_row *size,
			       const struct hakstat_counts *predicted, struct hakstat_row *row);

/* How far blocks of the requests of one recorded class can lie apart in the prediction. */
typedef double (*hakstat_block_range)(const void *data, const struct hakstat_row *class_row);

/* Into the rows that were told, and the sums over all. */
void hakstat_predict_error_finish(const struct hakstat_predict_error *error, hakstat_block_range range,
				  const void *data, struct hakstat_predicted *all);

#endif

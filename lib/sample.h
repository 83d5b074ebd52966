/* SPDX-License-Identifier: MIT */
/*
 * Poisson sampling by bytes. Each byte handed out starts a sample with the same small
 * chance, so a block of b bytes is picked with probability 1 - exp(-b / mean) and one over
 * that is the weight that makes counts and sums unbiased. The number of blocks of one class
 * until the next pick is geometric, which lets a countdown stand in for a draw per block.
 */
#ifndef HAK_LIB_SAMPLE_H
#define HAK_LIB_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

/* Probability that a block of `bytes` is picked, with `mean` bytes between two samples. */
HAK_HIDDEN double hak_sample_chance(uint64_t bytes, uint64_t mean);

/* Blocks of `bytes` until the next pick, itself included: at least 1. Advances *random. */
HAK_HIDDEN int64_t hak_sample_gap(uint64_t *random, uint64_t bytes, uint64_t mean);

/*
 * How densely a thread samples. A sample costs microseconds, most of them for what it displaces in
 * the caches, so a thread that allocates tens of gigabytes a second would feel it: its mean is doubled
 * while samples come too fast, down again to HAKMEM_SAMPLE_BYTES when they do not. What
 * decides is the time of earlier samples alone, never what is about to be picked, so weights of the mean
 * in force stay unbiased. A HAKMEM_SAMPLE_BYTES that the environment sets is kept, whatever it costs.
 */
struct hak_sample_pace {
	uint64_t mean;	   /* bytes, in force for the gaps that are drawn now */
	uint64_t since_ns; /* when `samples` began to be counted; 0: not yet */
	uint32_t samples;
};

HAK_HIDDEN void hak_sample_begin(struct hak_sample_pace *pace);

/* A sample was taken at now_ns (monotonic; 0: not known). True: the mean has changed, draw all gaps anew. */
HAK_HIDDEN bool hak_sample_taken(struct hak_sample_pace *pace, uint64_t now_ns);

#endif

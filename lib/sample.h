/* SPDX-License-Identifier: MIT */
/*
 * Poisson sampling by bytes. Each byte handed out starts a sample with the same small
 * chance, so a block of b bytes is picked with probability 1 - exp(-b / mean) and one over
 * that is the weight that makes counts and sums unbiased. The number of blocks of one class
 * until the next pick is geometric, which lets a countdown stand in for a draw per block.
 */
#ifndef HAK_LIB_SAMPLE_H
#define HAK_LIB_SAMPLE_H

#include <stdint.h>

#include "compiler.h"

/* Probability that a block of `bytes` is picked, with HAKMEM_SAMPLE_BYTES as the mean. */
HAK_HIDDEN double hak_sample_chance(uint64_t bytes);

/* Blocks of `bytes` until the next pick, itself included: at least 1. Advances *random. */
HAK_HIDDEN int64_t hak_sample_gap(uint64_t *random, uint64_t bytes);

#endif

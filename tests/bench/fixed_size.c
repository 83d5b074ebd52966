/* SPDX-License-Identifier: MIT */
/*
 * One request size per run. A random slot of the working set is drawn: if it holds a block, the
 * block is freed, else one is allocated, so about half of the set is live. Two draws make a pair.
 */
#include "bench.h"

enum { DRAWS = 8192, WARM_DRAWS_PER_SLOT = 8 };

static uint64_t toggle(struct bench_worker *w)
{
	const size_t size = w->options->min;
	const size_t count = w->options->slots;
	void **slots = w->slots;
	uint64_t seed = w->seed;

	for (size_t i = 0; i < DRAWS; i++) {
		void **slot = &slots[bench_below(bench_random(&seed), count)];

		if (*slot) {
			free(*slot);
			*slot = NULL;
		} else {
			*slot = bench_malloc(size);
		}
	}
	w->seed = seed;
	return DRAWS / 2;
}

/* Each slot drawn some times, so that the clock sees no page for the first time. */
static void warm(struct bench_worker *w)
{
	for (size_t drawn = 0; drawn < WARM_DRAWS_PER_SLOT * w->options->slots; drawn += DRAWS)
		toggle(w);
}

int main(int argc, char **argv)
{
	static const struct bench_mode modes[] = { { "toggle", toggle, warm }, { NULL, NULL, NULL } };
	static const struct bench_program program = {
		.name = "fixed_size",
		.defaults = { .min = 128, .max = 128, .slots = 4096, .threads = 1, .millis = 500 },
		.modes = modes,
	};

	return bench_main(argc, argv, &program);
}

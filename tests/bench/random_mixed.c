/* SPDX-License-Identifier: MIT */
/*
 * Random request sizes over a working set, 16 to 1024 bytes by default. As in fixed_size a random
 * slot is freed if it holds a block and filled if it does not.
 */
#include "bench.h"

enum { DRAWS = 8192, WARM_DRAWS_PER_SLOT = 8 };

static uint64_t toggle(struct bench_worker *w)
{
	const struct bench_options *o = w->options;
	void **slots = w->slots;
	uint64_t seed = w->seed;

	for (size_t i = 0; i < DRAWS; i++) {
		uint64_t random = bench_random(&seed);
		void **slot = &slots[bench_below(random, o->slots)];

		if (*slot) {
			free(*slot);
			*slot = NULL;
		} else {
			*slot = bench_malloc(bench_size(o, random));
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
		.name = "random_mixed",
		.defaults = { .min = 16, .max = 1024, .slots = 4096, .threads = 1, .millis = 500 },
		.modes = modes,
	};

	return bench_main(argc, argv, &program);
}

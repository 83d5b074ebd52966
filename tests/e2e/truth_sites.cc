/* SPDX-License-Identifier: MIT */
/*
 * A program whose call chains and requests are known in advance, to hold the call sites of a report
 * against.
 *
 *   truth_sites run|idle PART     makes the requests, or none of them; PART is truth_part.so
 *   truth_sites describe PART     makes them and prints which they were: for each its calls, size,
 *                                 alignment, and whether the block stays; one JSON object a line
 *
 * Seven ways to ask for memory, each from seven others; recursions, one of them deeper than a trace
 * keeps frames; a function that is inlined; member functions of templates; a shared library that
 * asks, and that calls back. The main thread and three others go through all of it, and each frees
 * what the next one got, but for every fifth block.
 */
#include "truth_part.hh"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <new>
#include <pthread.h>

namespace truth
{

enum { THREADS = 4, SLOTS = 2048, STAYS = 5, DEEPEST = 40 };

#define HERE(function) truth::here here(r.calls, function, "truth_sites", __LINE__)

/* --- those who ask ---------------------------------------------------------------------- */

TRUTH_CALLED void *by_malloc(const request &r)
{
	void *p;
	{ HERE("truth::by_malloc(truth::request const&)"); p = std::malloc(r.size); here.asked(r.size); }
	TRUTH_RETURNED(p);
	return p;
}

TRUTH_CALLED void *by_calloc(const request &r)
{
	void *p;
	{ HERE("truth::by_calloc(truth::request const&)"); p = std::calloc(1, r.size); here.asked(r.size); }
	TRUTH_RETURNED(p);
	return p;
}

/* What it asks for first is in a class of its own, so the block moves: two allocations, in two lines. */
TRUTH_CALLED void *by_realloc(const request &r)
{
	enum { FIRST = 12000 };
	void *p;
	{ HERE("truth::by_realloc(truth::request const&)"); p = std::malloc(FIRST); here.asked(FIRST, 1, false); }
	TRUTH_RETURNED(p);
	{ HERE("truth::by_realloc(truth::request const&)"); p = std::realloc(p, r.size); here.asked(r.size); }
	TRUTH_RETURNED(p);
	return p;
}

TRUTH_CALLED void *by_aligned_alloc(const request &r)
{
	void *p;
	{ HERE("truth::by_aligned_alloc(truth::request const&)"); p = aligned_alloc(r.alignment, r.size); here.asked(r.size, r.alignment); }
	TRUTH_RETURNED(p);
	return p;
}

TRUTH_CALLED void *by_new(const request &r)
{
	void *p;
	{ HERE("truth::by_new(truth::request const&)"); p = operator new(r.size); here.asked(r.size); }
	TRUTH_RETURNED(p);
	return p;
}

template <typename T> struct box {
	static void *make(const request &r);
};

template <> TRUTH_CALLED void *box<int>::make(const request &r)
{
	void *p;
	{ HERE("truth::box<int>::make(truth::request const&)"); p = operator new[](r.size); here.asked(r.size); }
	TRUTH_RETURNED(p);
	return p;
}

template <> TRUTH_CALLED void *box<box<char>>::make(const request &r)
{
	void *p;
	{ HERE("truth::box<truth::box<char> >::make(truth::request const&)"); p = std::malloc(r.size); here.asked(r.size); }
	TRUTH_RETURNED(p);
	return p;
}

static inline __attribute__((always_inline)) void *inlined(const request &r)
{
	void *p;
	{ here here(r.calls, "truth::inlined", "truth_sites", __LINE__, true); p = std::malloc(r.size); here.asked(r.size); }
	TRUTH_RETURNED(p);
	return p;
}

TRUTH_CALLED void *around_inlined(const request &r)
{
	void *p;
	{ HERE("truth::around_inlined(truth::request const&)"); p = inlined(r); }
	TRUTH_RETURNED(p);
	return p;
}

/* --- ways to them ----------------------------------------------------------------------- */

static truth_part_ask_fn *part_ask;
static truth_part_back_fn *part_back;

#define WAY(name)                                                                                            \
	TRUTH_CALLED void *name(asker ask, const request &r)                                                 \
	{                                                                                                    \
		HERE("truth::" #name "(void* (*)(truth::request const&), truth::request const&)");           \
		void *p = ask(r);                                                                            \
		TRUTH_RETURNED(p);                                                                           \
		return p;                                                                                    \
	}

WAY(straight)
WAY(other)

TRUTH_CALLED void *through_part(asker ask, const request &r)
{
	void *p;
	{ HERE("truth::through_part(void* (*)(truth::request const&), truth::request const&)"); p = part_back(ask, r); }
	TRUTH_RETURNED(p);
	return p;
}

/* Two lines of one function are two call sites. */
TRUTH_CALLED void *either(asker ask, const request &r)
{
	void *p;
	if (r.size % 2) {
		HERE("truth::either(void* (*)(truth::request const&), truth::request const&)"); p = ask(r);
		TRUTH_RETURNED(p);
	} else {
		HERE("truth::either(void* (*)(truth::request const&), truth::request const&)"); p = ask(r);
		TRUTH_RETURNED(p);
	}
	return p;
}

TRUTH_CALLED void *again(unsigned times, const request &r)
{
	void *p;
	if (times > 1) {
		HERE("truth::again(unsigned int, truth::request const&)"); p = again(times - 1, r);
		TRUTH_RETURNED(p);
	} else {
		HERE("truth::again(unsigned int, truth::request const&)"); p = by_malloc(r);
		TRUTH_RETURNED(p);
	}
	return p;
}

/* --- the list --------------------------------------------------------------------------- */

struct thread {
	struct calls calls; /* first, so that it can be told from them */
	unsigned used, number;
	void *slots[SLOTS];
};

static thread threads[THREADS];
static pthread_barrier_t barrier;
static bool is_idle;

/* Classes of at least 32 bytes: the odds of a block that no sample picks are below 1 to 10^13. */
static std::size_t size_of(unsigned number)
{
	return 20 + number * 37 % 1500 + (number % 11 == 0 ? 30000 : 0) + (number % 29 == 0 ? 700000 : 0);
}

static bool stays(unsigned slot)
{
	return slot % STAYS == 0;
}

static request next(thread &t)
{
	return { size_of(t.number++), std::size_t(64) << t.number % 3, &t.calls };
}

static void keep(thread &t, void *p)
{
	if (!p || t.used == SLOTS) {
		std::abort();
	}
	t.slots[t.used++] = p;
}

/* One line of the description. */
static void print(const calls &c, std::size_t size, std::size_t alignment, bool is_kept)
{
	const thread &t = reinterpret_cast<const thread &>(c);
	std::printf("{\"size\": %zu, \"alignment\": %zu, \"stay\": %d, \"stack\": [", size, alignment,
		    is_kept && stays(t.used));
	for (unsigned i = c.depth; i-- > 0;) {
		std::printf("[\"%s\", \"%s\", %d, %s]%s", c.at[i].function, c.at[i].module, c.at[i].line,
			    c.at[i].is_inlined ? "true" : "false", i ? ", " : "]}\n");
	}
}

#define HERE_IN_LIST here here(&t.calls, "truth::ask_all(truth::thread&)", "truth_sites", __LINE__)

TRUTH_CALLED void ask_all(thread &t)
{
	static const asker askers[] = { by_malloc, by_calloc, by_realloc, by_aligned_alloc, by_new, around_inlined,
					box<int>::make, box<box<char>>::make };
	static void *(*const ways[])(asker, const request &) = { straight, other, through_part, either };
	static const unsigned depths[] = { 1, 2, 3, 7, DEEPEST };
	for (auto way : ways) {
		for (auto ask : askers) {
			for (unsigned times = 0; times < 1 + t.number % 4; times++) {
				request r = next(t);
				HERE_IN_LIST; keep(t, way(ask, r));
			}
		}
	}
	for (unsigned depth : depths) {
		request r = next(t);
		HERE_IN_LIST; keep(t, again(depth, r));
	}
	request r = next(t);
	HERE_IN_LIST; keep(t, part_ask(r));
}

TRUTH_CALLED void *run_thread(void *arg)
{
	thread &t = *static_cast<thread *>(arg);
	thread &next = threads[(&t - threads + 1) % THREADS];
	if (!is_idle) {
		here here(&t.calls, "truth::run_thread(void*)", "truth_sites", __LINE__ + 1);
		ask_all(t);
	}
	pthread_barrier_wait(&barrier);
	for (unsigned slot = 0; slot < next.used; slot++) {
		if (!stays(slot)) {
			std::free(next.slots[slot]);
		}
	}
	return nullptr;
}

/* One thread after the other is as good, and keeps lines whole. */
static void describe()
{
	for (unsigned i = 1; i < THREADS; i++) {
		threads[i].calls.note = print;
		run_thread(&threads[i]);
	}
	threads[0].calls.note = print;
}

static bool start_others(pthread_t *others)
{
	for (unsigned i = 1; i < THREADS; i++) {
		if (pthread_create(&others[i], nullptr, run_thread, &threads[i]) != 0) {
			return false;
		}
	}
	return true;
}

static bool load_part(const char *path)
{
	void *part = dlopen(path, RTLD_NOW);
	part_ask = part ? reinterpret_cast<truth_part_ask_fn *>(dlsym(part, "truth_part_ask")) : nullptr;
	part_back = part ? reinterpret_cast<truth_part_back_fn *>(dlsym(part, "truth_part_back")) : nullptr;
	return part_ask && part_back;
}

}

using namespace truth;

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";
	bool is_description = std::strcmp(what, "describe") == 0;
	pthread_t others[THREADS];
	is_idle = std::strcmp(what, "idle") == 0;
	if (!is_description && !is_idle && std::strcmp(what, "run") != 0) {
		std::fputs("usage: truth_sites run|idle|describe PART\n", stderr);
		return 2;
	}
	if (!load_part(argv[2]) || pthread_barrier_init(&barrier, nullptr, is_description ? 1 : THREADS) != 0) {
		std::fputs("truth_sites: the shared library cannot be loaded\n", stderr);
		return 2;
	}
	if (is_description) {
		describe();
	} else if (!start_others(others)) {
		return 2;
	}
	{
		here here(&threads[0].calls, "main", "truth_sites", __LINE__ + 1);
		run_thread(&threads[0]); /* the main thread is the first of them */
	}
	for (unsigned i = 1; i < THREADS && !is_description; i++) {
		pthread_join(others[i], nullptr);
	}
	return 0;
}

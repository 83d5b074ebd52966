/* SPDX-License-Identifier: MIT */
/*
 * What truth_sites.cc and its shared library truth_part.cc have in common: requests, and a note of the
 * calls that led to each. The notes are made by the calls themselves, so what a stack must be is known
 * without reading one.
 */
#ifndef HAK_TESTS_TRUTH_PART_HH
#define HAK_TESTS_TRUTH_PART_HH

#include <cstddef>

namespace truth
{

/* A call that is under way: who called, and in which line. */
struct call {
	const char *function, *module;
	int line;
	bool is_inlined;
};

/* The outermost first. `note` is told of each block while its calls are under way; or NULL. */
struct calls {
	call at[64];
	unsigned depth;
	void (*note)(const calls &, std::size_t size, std::size_t alignment, bool is_kept);
};

struct request {
	std::size_t size, alignment;
	struct calls *calls;
};

using asker = void *(*)(const request &);

/* Stands in the line of the call. */
class here
{
	calls *under_way;

    public:
	here(calls *c, const char *function, const char *module, int line, bool is_inlined = false)
		: under_way(c)
	{
		c->at[c->depth++] = { function, module, line, is_inlined };
	}
	~here()
	{
		under_way->depth--;
	}
	here(const here &) = delete;
	here &operator=(const here &) = delete;

	/* A block was asked for; the program keeps it, or gives it back at once. */
	void asked(std::size_t size, std::size_t alignment = 1, bool is_kept = true) const
	{
		if (under_way->note) {
			under_way->note(*under_way, size, alignment, is_kept);
		}
	}
};

}

#define TRUTH_CALLED __attribute__((noinline))
/* Behind a call: so it is not the last thing done, which a jump could do as well, and its result is used. */
#define TRUTH_RETURNED(p) __asm__ volatile("" : "+r"(p) : : "memory")

/* The library's functions. */
using truth_part_ask_fn = void *(const truth::request &);
using truth_part_back_fn = void *(truth::asker, const truth::request &);

#endif

/* SPDX-License-Identifier: MIT */
/* The shared library of truth_sites.cc: asks itself, and calls back into the program. */
#include "truth_part.hh"

#include <cstdlib>

#define HERE(function) truth::here here(r.calls, function, "truth_part.so", __LINE__)

extern "C" __attribute__((visibility("default"))) truth_part_ask_fn truth_part_ask;
extern "C" __attribute__((visibility("default"))) truth_part_back_fn truth_part_back;

extern "C" TRUTH_CALLED void *truth_part_ask(const truth::request &r)
{
	void *p;
	{ HERE("truth_part_ask"); p = std::malloc(r.size); here.asked(r.size); }
	TRUTH_RETURNED(p);
	return p;
}

extern "C" TRUTH_CALLED void *truth_part_back(truth::asker ask, const truth::request &r)
{
	void *p;
	{ HERE("truth_part_back"); p = ask(r); }
	TRUTH_RETURNED(p);
	return p;
}

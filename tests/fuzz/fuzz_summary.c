/* SPDX-License-Identifier: MIT */
/* Input: a choice of what to show, and a saved summary as a file could hold it. */
#include <stdio.h>

#include "bytes.h"
#include "rendering.h"
#include "summary_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hakstat_err err = { 0 };
	struct hakstat_summary *summary;
	union {
		const uint8_t *in;
		void *out; /* fmemopen for reading writes nothing */
	} text = { data + 1 };
	FILE *in;

	if (size < 2) {
		return 0;
	}
	in = fmemopen(text.out, size - 1, "r");
	summary = hakstat_summary_load(in, "input", &err);
	fclose(in);
	if (summary) {
		rendering_check(summary, data[0]);
	} else {
		expect(err.status == HAKSTAT_TRACE && err.text[0] != '\0');
	}
	return 0;
}

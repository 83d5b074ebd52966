/* SPDX-License-Identifier: MIT */
/* Input: a script of operations of the malloc family, six bytes each, against the shadow. */
#include <stdint.h>
#include <string.h>

#include "../stress/shadow.h"
#include "alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCKS = 64, STEP_BYTES = 6 };

/* Two bytes of mantissa and one of shift reach small sizes exactly and large ones roughly. */
static size_t size_of(const uint8_t *bytes)
{
	size_t mantissa = bytes[0] | (size_t)bytes[1] << 8;
	unsigned shift = bytes[2] % 16;
	return shift < 8 ? mantissa >> (8 - shift) : mantissa << (shift - 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shadow_block blocks[BLOCKS];
	for (size_t at = 0; at + STEP_BYTES <= size; at += STEP_BYTES) {
		const uint8_t *bytes = data + at;
		struct shadow_step step = {
			.choice = bytes[1],
			.alignment = bytes[2] % 24,
			.size = size_of(bytes + 3),
			.mark = at * 0x9e3779b97f4a7c15u + bytes[0],
		};
		if (bytes[0] == 255) {
			hak_trim();
		} else if (bytes[0] == 254) {
			shadow_try_impossible(&blocks[bytes[1] % BLOCKS]);
		} else {
			shadow_do(&blocks[bytes[0] % BLOCKS], &step);
		}
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		shadow_free(&blocks[i]);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "mode.h"

const char *hakstat_mode_name(enum hakstat_mode mode)
{
	static const char *const names[HAKSTAT_MODE_COUNT] = {
		[HAKSTAT_MODE_NONE] = "none",
		[HAKSTAT_MODE_SAMPLE] = "sample",
		[HAKSTAT_MODE_EVENTS] = "events",
		[HAKSTAT_MODE_FULL] = "full",
	};

	return names[mode];
}

enum hakstat_mode hakstat_mode_of_choice(int choice)
{
	static const enum hakstat_mode modes[] = { HAKSTAT_MODE_SAMPLE, HAKSTAT_MODE_FULL,
						   HAKSTAT_MODE_EVENTS };

	return modes[choice];
}

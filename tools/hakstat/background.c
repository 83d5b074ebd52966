/* SPDX-License-Identifier: MIT */
/*
 * Going to the background; the caller has forked.
 */
#include "background.h"

#include <fcntl.h>
#include <unistd.h>

void hakstat_background(int keep)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	for (int fd = 0; fd <= 2; fd++) {
		dup2(null, fd);
	}
	if (keep > 3) {
		close_range(3, (unsigned)keep - 1, 0);
	}
	close_range((unsigned)keep + 1, ~0u, 0);
}

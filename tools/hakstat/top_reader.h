/* SPDX-License-Identifier: MIT */
/*
 * The process behind `hakstat top`: it records or follows a live trace, keeps the model, and hands over
 * what the model comes to now and then. It is a process of its own so that nothing in a trace, and
 * nothing that LTTng waits for, can hold up or take down the one that owns the terminal.
 */
#ifndef HAKSTAT_TOP_READER_H
#define HAKSTAT_TOP_READER_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "err.h"
#include "summary.h"

struct hakstat_top_source {
	pid_t pid;	 /* 0: all that have the tracer loaded */
	const char *url; /* of a live session of a relay daemon; NULL: this machine's processes */
	const char *sysroot;
	unsigned period_s;
};

struct hakstat_top_reader {
	pid_t pid;
	int from; /* readable when there is something to take, or the reader is gone */
	int to;
	GByteArray *buffer;
};

enum hakstat_top_news {
	HAKSTAT_TOP_NOTHING, /* yet */
	HAKSTAT_TOP_SUMMARY,
	HAKSTAT_TOP_ENDED, /* what is recorded has ended; nothing new will come */
	HAKSTAT_TOP_FAILED,
};

/* Returns 0, or a status with `err` set. The reader has the signal handling of its caller. */
int hakstat_top_reader_start(struct hakstat_top_reader *reader, const struct hakstat_top_source *source,
			     struct hakstat_err *err);

/* Summaries but the last one hold call sites only when they are wanted: naming them takes time. */
void hakstat_top_reader_want_sites(const struct hakstat_top_reader *reader, bool wanted);

/*
 * Takes what has come, without waiting. SUMMARY: `summary` is the caller's. FAILED: `err` is set.
 */
enum hakstat_top_news hakstat_top_reader_take(struct hakstat_top_reader *reader,
					      struct hakstat_summary **summary, struct hakstat_err *err);

/* Ends the reader and waits until nothing of its recording is left. */
void hakstat_top_reader_stop(struct hakstat_top_reader *reader);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Messages of the reading library to plain events.
 */
#ifndef HAKSTAT_CTF_DECODER_H
#define HAKSTAT_CTF_DECODER_H

#include <babeltrace2/babeltrace.h>
#include <glib.h>
#include <stdbool.h>

#include "ctf_source.h"

struct hakstat_ctf_class;
struct hakstat_ctf_trace;

struct hakstat_ctf_decoder {
	hakstat_event_sink sink;
	void *context;
	struct hakstat_err *err;
	bool failed;	 /* `err` is set: an event that can't be understood */
	uint64_t events; /* that were read, whosever */
	GHashTable *classes;
	struct hakstat_ctf_class *last_class;
	GHashTable *traces;
	struct hakstat_ctf_trace *last_trace;
	GPtrArray *sessions;	/* char *: what makes one of another */
	GPtrArray *session_ids; /* char *: and what tells them from those of other traces */
	GArray *words;
	GString *hex;
};

void hakstat_ctf_decoder_init(struct hakstat_ctf_decoder *decoder, hakstat_event_sink sink, void *context,
			      struct hakstat_err *err);

/* Hands on what a message says, if it says anything. Not to be called after it has failed. */
void hakstat_ctf_decoder_take(struct hakstat_ctf_decoder *decoder, const bt_message *message);

/* Before the graph goes, whose objects it refers to. */
void hakstat_ctf_decoder_clear(struct hakstat_ctf_decoder *decoder);

#endif

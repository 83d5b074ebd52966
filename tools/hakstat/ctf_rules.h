/* SPDX-License-Identifier: MIT */
/*
 * Which fields of which event go where in a `struct hakstat_event`: one row a field, so that
 * the reader has no code for a single event. Plain data, no type of the reading library.
 */
#ifndef HAKSTAT_CTF_RULES_H
#define HAKSTAT_CTF_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"

enum hakstat_ctf_type {
	HAKSTAT_CTF_U32, /* any integer or enumeration; a value that does not fit is cut to the maximum */
	HAKSTAT_CTF_U64,
	HAKSTAT_CTF_BOOL,
	HAKSTAT_CTF_REAL,
	HAKSTAT_CTF_TEXT,
	HAKSTAT_CTF_WORDS, /* sequence of integers; its length goes to count_offset */
	HAKSTAT_CTF_HEX,   /* sequence of bytes as hexadecimal text */
};

struct hakstat_ctf_field {
	const char *name;
	enum hakstat_ctf_type type;
	size_t offset;
	size_t count_offset;
	bool is_optional; /* came with a later version: 0 or NULL where the event has no such field */
};

enum { HAKSTAT_CTF_MAX_FIELDS = 16 };

struct hakstat_ctf_event {
	const char *name;
	enum hakstat_event_kind kind;
	bool is_ours; /* of provider hakmem: a missing field is an error, else the event is skipped */
	size_t count;
	struct hakstat_ctf_field fields[HAKSTAT_CTF_MAX_FIELDS];
};

/* The row for an event's name, or NULL. */
const struct hakstat_ctf_event *hakstat_ctf_rule(const char *name);

#endif

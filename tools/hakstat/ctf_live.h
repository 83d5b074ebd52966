/* SPDX-License-Identifier: MIT */
/*
 * What ctf_source.c asks babeltrace2 beside reading: which live session a URL means, and why something
 * failed.
 */
#ifndef HAKSTAT_CTF_LIVE_H
#define HAKSTAT_CTF_LIVE_H

#include <babeltrace2/babeltrace.h>
#include <glib.h>

#include "err.h"

/* The library's own words for what went wrong first in this thread; the error is taken. */
void hakstat_ctf_cause(char *out, size_t size);

/*
 * The URL of one session, which `url` names or which is the only one of its relay daemon. `class` is that of
 * lttng-live. Free with g_free. NULL with HAKSTAT_USAGE in `err`: nobody answers, or there is not one
 * session.
 */
char *hakstat_ctf_live_url(const bt_component_class *class, const char *url, struct hakstat_err *err);

#endif

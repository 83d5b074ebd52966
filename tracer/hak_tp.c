/* SPDX-License-Identifier: MIT */
/* The probes behind hak_tp.h: LTTng's macros make the code that writes each event. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "hak_tp.h"

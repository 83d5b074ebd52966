/* SPDX-License-Identifier: MIT */
/*
 * Frames of a call stack: what they are, their names, and stacks of them.
 */
#ifndef HAKSTAT_FRAME_H
#define HAKSTAT_FRAME_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * One function at an address; several when calls were inlined. All text is safe to show
 * (hakstat_text_clean). Free with hakstat_frame_free.
 */
struct hakstat_frame {
	char *function;	 /* demangled; NULL when nothing names the address */
	char *file;	 /* NULL when unknown */
	unsigned line;	 /* 0 when unknown */
	char *module;	 /* the module's path in the trace; NULL when no module holds the address */
	char *build_id;	 /* hexadecimal, of the traced module; NULL when unknown */
	uint64_t offset; /* the address as the module's symbol table counts it; absolute without module */
	bool inlined;	 /* inlined into the frame that follows it */
};

void hakstat_frame_free(struct hakstat_frame *frame);

/* An array of struct hakstat_frame * that frees them; and such a copy of a stack, whoever owns that. */
GPtrArray *hakstat_frames_new(void);
GPtrArray *hakstat_frames_copy(const GPtrArray *frames);

/* "function", or "module+0x12" or "0x12" when nothing names the address. Free with g_free. */
char *hakstat_frame_name(const struct hakstat_frame *frame);

/* "function (file:line)", "function (module)", or the name alone. Free with g_free. */
char *hakstat_frame_text(const struct hakstat_frame *frame);

#endif

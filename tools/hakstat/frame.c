/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <inttypes.h>
#include <string.h>

void hakstat_frame_free(struct hakstat_frame *frame)
{
	if (!frame) {
		return;
	}
	g_free(frame->function);
	g_free(frame->file);
	g_free(frame->module);
	g_free(frame->build_id);
	g_free(frame);
}

static void free_frame(void *frame)
{
	hakstat_frame_free(frame);
}

GPtrArray *hakstat_frames_new(void)
{
	return g_ptr_array_new_with_free_func(free_frame);
}

GPtrArray *hakstat_frames_copy(const GPtrArray *frames)
{
	GPtrArray *copies = hakstat_frames_new();

	for (guint i = 0; i < frames->len; i++) {
		const struct hakstat_frame *from = g_ptr_array_index(frames, i);
		struct hakstat_frame *to = g_memdup2(from, sizeof *from);
		to->function = g_strdup(from->function);
		to->file = g_strdup(from->file);
		to->module = g_strdup(from->module);
		to->build_id = g_strdup(from->build_id);
		g_ptr_array_add(copies, to);
	}
	return copies;
}

char *hakstat_frame_name(const struct hakstat_frame *frame)
{
	if (frame->function) {
		return g_strdup(frame->function);
	}
	return frame->module ? g_strdup_printf("%s+%#" PRIx64, basename(frame->module), frame->offset)
			     : g_strdup_printf("%#" PRIx64, frame->offset);
}

char *hakstat_frame_text(const struct hakstat_frame *frame)
{
	if (!frame->function) {
		return hakstat_frame_name(frame);
	}
	if (frame->file) {
		return g_strdup_printf("%s (%s:%u)", frame->function, basename(frame->file), frame->line);
	}
	return g_strdup_printf("%s (%s)", frame->function, frame->module ? basename(frame->module) : "?");
}

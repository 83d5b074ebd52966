/* SPDX-License-Identifier: MIT */
/*
 * The plan of a recording. The statedump events carry the modules, which is how addresses get
 * their names later.
 */
#include "session_plan.h"

#include <glib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proc.h"
#include "text.h"

#define SAMPLE (1u << HAKSTAT_MODE_SAMPLE)
#define FULL   (1u << HAKSTAT_MODE_FULL)
#define EVENTS (1u << HAKSTAT_MODE_EVENTS)
#define ALL    (SAMPLE | FULL | EVENTS)

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)

#define LEAST_BUFFER_BYTES (64 * KIB)

/* clang-format off */
const struct hakstat_channel_plan hakstat_channel_plans[HAKSTAT_CHANNELS + 1] = {
	[HAKSTAT_CHANNEL_METADATA] = { "metadata", 4 * KIB, 2, ALL },
	[HAKSTAT_CHANNEL_STATE] = { "state", 512 * KIB, 4, ALL },
	[HAKSTAT_CHANNEL_MODULES] = { "modules", 256 * KIB, 4, ALL },
	[HAKSTAT_CHANNEL_SAMPLE] = { "sample", 1 * MIB, 4, SAMPLE | FULL },
	[HAKSTAT_CHANNEL_OPS] = { "ops", 2 * MIB, 8, FULL },
	[HAKSTAT_CHANNEL_EVENTS] = { "events", 8 * MIB, 8, EVENTS },
	{ NULL, 0, 0, 0 },
};

const struct hakstat_event_plan hakstat_event_plans[] = {
	{ "lttng_ust_statedump:*", HAKSTAT_CHANNEL_STATE, ALL },
	{ "lttng_ust_lib:*", HAKSTAT_CHANNEL_STATE, ALL },
	{ "hakmem:config", HAKSTAT_CHANNEL_STATE, ALL },
	{ "hakmem:class_info", HAKSTAT_CHANNEL_STATE, ALL },
	{ "hakmem:class_stats", HAKSTAT_CHANNEL_STATE, ALL },
	{ "hakmem:heap_stats", HAKSTAT_CHANNEL_STATE, ALL },
	{ "hakmem:oom", HAKSTAT_CHANNEL_STATE, ALL },
	{ "hakmem:corruption", HAKSTAT_CHANNEL_STATE, ALL },
	{ "hakmem:sample_alloc", HAKSTAT_CHANNEL_SAMPLE, SAMPLE | FULL },
	{ "hakmem:sample_resize", HAKSTAT_CHANNEL_SAMPLE, SAMPLE | FULL },
	{ "hakmem:sample_free", HAKSTAT_CHANNEL_SAMPLE, SAMPLE | FULL },
	{ "hakmem:ops", HAKSTAT_CHANNEL_OPS, FULL },
	{ "hakmem:route", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:class_select", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:frag", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:alloc", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:free", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:resize", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:superslab_map", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:superslab_unmap", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:slab_acquire", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:slab_release", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ "hakmem:purge", HAKSTAT_CHANNEL_EVENTS, EVENTS },
	{ NULL, HAKSTAT_CHANNEL_STATE, 0 },
};
/* clang-format on */

bool hakstat_channel_is_used(enum hakstat_channel channel, enum hakstat_mode mode, bool is_snapshot)
{
	return (hakstat_channel_plans[channel].modes & (1u << mode)) &&
	       (is_snapshot || channel != HAKSTAT_CHANNEL_MODULES);
}

enum hakstat_channel hakstat_event_channel(const struct hakstat_event_plan *plan, bool is_snapshot)
{
	return is_snapshot && g_str_has_prefix(plan->name, "lttng_ust_") ? HAKSTAT_CHANNEL_MODULES
									 : plan->channel;
}

static uint64_t available_memory(void)
{
	uint64_t bytes = hakstat_proc_bytes("/proc/meminfo", "MemAvailable:");

	return bytes ? bytes : UINT64_MAX;
}

/* LTTng keeps its buffers in files there. */
static uint64_t available_shared_memory(void)
{
	struct statvfs status;

	if (statvfs("/dev/shm", &status) < 0) {
		return UINT64_MAX;
	}
	return (uint64_t)status.f_bavail * status.f_frsize;
}

/* LTTng makes buffers for every CPU that could ever be plugged in; each of at most `most` bytes here. */
static uint64_t planned_bytes(enum hakstat_mode mode, uint64_t most)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	uint64_t bytes = 0;

	for (unsigned i = 0; i < HAKSTAT_CHANNELS; i++) {
		const struct hakstat_channel_plan *plan = &hakstat_channel_plans[i];

		if (plan->modes & (1u << mode)) {
			bytes += MIN(plan->buffer_bytes, most) * plan->buffers;
		}
	}
	return bytes * (uint64_t)(cpus > 0 ? cpus : 1);
}

uint64_t hakstat_channel_buffer_bytes(enum hakstat_channel channel, enum hakstat_mode mode)
{
	uint64_t bytes = hakstat_channel_plans[channel].buffer_bytes;
	uint64_t planned = planned_bytes(mode, UINT64_MAX);
	uint64_t limit = MIN(available_memory(), available_shared_memory()) / 8;

	while (planned > limit && bytes > LEAST_BUFFER_BYTES) {
		planned /= 2;
		bytes /= 2;
	}
	return bytes;
}

int hakstat_session_plan_check(enum hakstat_mode mode, struct hakstat_err *err)
{
	uint64_t needed = planned_bytes(mode, LEAST_BUFFER_BYTES);
	uint64_t available = available_shared_memory();
	char need[32], have[32];

	if (needed <= available) {
		return 0;
	}
	hakstat_text_bytes(need, sizeof need, needed);
	hakstat_text_bytes(have, sizeof have, available);
	return hakstat_err_set(
		err, HAKSTAT_USAGE,
		"LTTng's buffers take %s of shared memory at least, and /dev/shm has %s free; make "
		"it larger ('mount -o remount,size=...'; of a container: --shm-size)",
		need, have);
}

/* SPDX-License-Identifier: MIT */
/*
 * The rows. Names are those of tracer/hak_tp.h and of LTTng-UST's own events.
 */
#include "ctf_rules.h"

#include <string.h>

/* clang-format off */

#define AT(member)        offsetof(struct hakstat_event, member)
#define U32(name, to)     { #name, HAKSTAT_CTF_U32, AT(to), 0, false }
#define U64(name, to)     { #name, HAKSTAT_CTF_U64, AT(to), 0, false }
#define BOOL(name, to)    { #name, HAKSTAT_CTF_BOOL, AT(to), 0, false }
#define REAL(name, to)    { #name, HAKSTAT_CTF_REAL, AT(to), 0, false }
#define TEXT(name, to)    { #name, HAKSTAT_CTF_TEXT, AT(to), 0, false }
#define MAYBE(type, name, to) { #name, HAKSTAT_CTF_##type, AT(to), 0, true }
#define HEX(name, to)     { #name, HAKSTAT_CTF_HEX, AT(to), 0, false }
#define WORDS(name, to, n) { #name, HAKSTAT_CTF_WORDS, AT(to), AT(n), false }
#define PID               U32(pid, pid)

#define EVENT(name, kind, ...) \
	{ name, HAKSTAT_EVENT_##kind, true, \
	  sizeof((struct hakstat_ctf_field[]){ __VA_ARGS__ }) / sizeof(struct hakstat_ctf_field), { __VA_ARGS__ } }
#define FOREIGN(name, kind, ...) \
	{ name, HAKSTAT_EVENT_##kind, false, \
	  sizeof((struct hakstat_ctf_field[]){ __VA_ARGS__ }) / sizeof(struct hakstat_ctf_field), { __VA_ARGS__ } }
#define BARE(name, kind, ours) { name, HAKSTAT_EVENT_##kind, ours, 0, { { NULL, HAKSTAT_CTF_U32, 0, 0, false } } }

#define OPERATION \
	U64(ptr, u.op.ptr), U64(requested, u.op.requested), U64(usable, u.op.usable), \
	U32(class_id, u.op.class_id), U32(route, u.op.route), U32(reason, u.op.reason)
#define SAMPLE REAL(weight, u.op.weight), U32(stack_id, u.op.stack_id)
#define STACK  WORDS(stack, u.op.stack, u.op.depth)

#define MODULE \
	U64(baddr, u.module.base), U64(memsz, u.module.size), TEXT(path, u.module.text)

static const struct hakstat_ctf_event rules[] = {
	EVENT("hakmem:ops", OPS, PID, U32(tid, tid), U64(first, u.ops.first),
	      U32(operations, u.ops.operations), U32(units, u.ops.units), WORDS(words, u.ops.words, u.ops.count)),
	EVENT("hakmem:alloc", ALLOC, OPERATION, U32(flags, u.op.flags)),
	EVENT("hakmem:free", FREE, OPERATION, U32(flags, u.op.flags)),
	EVENT("hakmem:resize", RESIZE, OPERATION, U32(flags, u.op.flags), U64(old_requested, u.op.old_requested)),
	EVENT("hakmem:frag", FRAG, OPERATION, STACK),
	EVENT("hakmem:sample_alloc", SAMPLE_ALLOC, OPERATION, SAMPLE, STACK),
	EVENT("hakmem:sample_resize", SAMPLE_RESIZE, OPERATION, SAMPLE, U64(old_ptr, u.op.old_ptr)),
	EVENT("hakmem:sample_free", SAMPLE_FREE, OPERATION, SAMPLE, BOOL(in_session, u.op.in_session)),
	EVENT("hakmem:class_stats", CLASS_STATS, PID, U64(snapshot, u.class_stats.snapshot),
	      U32(class_id, u.class_stats.class_id), U32(route, u.class_stats.route),
	      U64(usable, u.class_stats.usable), U64(allocs, u.class_stats.allocs), U64(frees, u.class_stats.frees),
	      U64(live, u.class_stats.live), U64(cached, u.class_stats.cached), U64(slabs, u.class_stats.slabs),
	      U64(slab_bytes, u.class_stats.slab_bytes), MAYBE(U64, hidden, u.class_stats.hidden),
	      MAYBE(U64, resident_bytes, u.class_stats.resident)),
	EVENT("hakmem:heap_stats", HEAP_STATS, PID, U64(snapshot, u.heap_stats.snapshot),
	      U64(reserved, u.heap_stats.reserved), U64(mapped, u.heap_stats.mapped),
	      U64(committed, u.heap_stats.committed), U64(cached, u.heap_stats.cached),
	      U64(large_bytes, u.heap_stats.large_bytes), U64(large_blocks, u.heap_stats.large_blocks),
	      U64(metadata, u.heap_stats.metadata), U64(purged, u.heap_stats.purged),
	      MAYBE(U64, resident_bytes, u.heap_stats.resident), MAYBE(U32, life, u.heap_stats.life)),
	EVENT("hakmem:config", CONFIG, PID, TEXT(version, u.config.version),
	      TEXT(size_classes, u.config.size_classes), U32(tiny_max_class, u.config.tiny_max_class),
	      U32(tiny_max_size, u.config.tiny_max_size), U32(class_count, u.config.class_count),
	      U32(page_size, u.config.page_size), U32(frag_percent, u.config.frag_percent),
	      U64(superslab_size, u.config.superslab_size), U64(sample_bytes, u.config.sample_bytes),
	      MAYBE(TEXT, session, u.config.session)),
	EVENT("hakmem:class_info", CLASS_INFO, PID, U32(class_id, u.class_info.class_id),
	      TEXT(name, u.class_info.name), U32(route, u.class_info.route), U64(usable, u.class_info.usable),
	      U64(min_request, u.class_info.min_request), U64(max_request, u.class_info.max_request)),
	BARE("hakmem:oom", OOM, true),
	BARE("hakmem:corruption", CORRUPTION, true),
	BARE("lttng_ust_statedump:start", IMAGE_START, false),
	FOREIGN("lttng_ust_statedump:bin_info", MODULE_LOAD, MODULE, BOOL(is_pic, u.module.is_pic)),
	FOREIGN("lttng_ust_statedump:build_id", MODULE_BUILD_ID, U64(baddr, u.module.base), HEX(build_id, u.module.text)),
	FOREIGN("lttng_ust_statedump:debug_link", MODULE_DEBUG_LINK, U64(baddr, u.module.base),
		TEXT(filename, u.module.text)),
	FOREIGN("lttng_ust_lib:load", MODULE_OPEN, MODULE),
	FOREIGN("lttng_ust_lib:build_id", MODULE_BUILD_ID, U64(baddr, u.module.base), HEX(build_id, u.module.text)),
	FOREIGN("lttng_ust_lib:debug_link", MODULE_DEBUG_LINK, U64(baddr, u.module.base),
		TEXT(filename, u.module.text)),
	FOREIGN("lttng_ust_lib:unload", MODULE_UNLOAD, U64(baddr, u.module.base)),
};

/* clang-format on */

const struct hakstat_ctf_event *hakstat_ctf_rule(const char *name)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (strcmp(rules[i].name, name) == 0) {
			return &rules[i];
		}
	}
	return NULL;
}

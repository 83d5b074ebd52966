/* SPDX-License-Identifier: MIT */
/*
 * The one table in force, built once at start: from size to bin, from class to block and
 * slab geometry. The position of the Tiny boundary changes its contents, never the code
 * that reads it. Read-only after hak_class_map_build.
 *
 * A *bin* is class_id + 1; bin 0 is nobody's, so that one byte can say "take the slow
 * path" both for sizes without a class and for units that hold no slab.
 */
#ifndef HAK_LIB_CLASS_MAP_H
#define HAK_LIB_CLASS_MAP_H

#include "compiler.h"
#include "hakmem_size_class.h"

enum {
	HAK_UNIT_LOG2 = 16, /* what one byte of the region's map stands for */
	HAK_UNIT = 1 << HAK_UNIT_LOG2,
	HAK_BINS = HAK_MAX_CLASSES + 1,
	HAK_DIRECT_MAX = 1024, /* sizes looked up byte by byte */
	HAK_WIDE_LOG2 = 4,     /* sizes above, in steps of 16 */
	HAK_WIDE_MAX = 32768,
	HAK_BIG_LOG2 = 13,   /* and above those, where more than one class may share a step */
	HAK_BLOCK_LOG2 = 44, /* fixed point of the block number's reciprocal */
};

struct hak_geometry {
	uint64_t reciprocal; /* ceil(2^44 / block) */
	uint32_t block;
	uint32_t slab_units;
	uint32_t capacity; /* blocks of a slab */
	uint32_t colours;  /* how many 64-byte offsets the first block may have */
	uint32_t limit;	   /* the largest request; 0: excluded by the boundary, or no room for marks */
	uint32_t reserved;
};

struct hak_class_map {
	struct hak_class_table table;
	uint8_t big[HAK_BLOCK_MAX >> HAK_BIG_LOG2]; /* first bin for sizes above HAK_WIDE_MAX */
	struct hak_geometry geometry[HAK_BINS];
};

extern HAK_HIDDEN struct hak_class_map hak_class_map;
extern HAK_HIDDEN uint8_t hak_bin_direct[HAK_DIRECT_MAX + 1];
extern HAK_HIDDEN uint8_t hak_bin_wide[HAK_WIDE_MAX >> HAK_WIDE_LOG2];

/* From the options; once, before the first block. */
HAK_HIDDEN void hak_class_map_build(void);

/* The bin of a size up to HAK_WIDE_MAX. 0: no class, a larger size, or the tables are not built yet. */
HAK_INLINE unsigned hak_bin_of(size_t size)
{
	if (HAK_LIKELY(size <= HAK_DIRECT_MAX)) {
		return hak_bin_direct[size];
	}
	if (HAK_LIKELY(size <= HAK_WIDE_MAX)) {
		return hak_bin_wide[(size - 1) >> HAK_WIDE_LOG2];
	}
	return 0;
}

/* The bin of a size above HAK_WIDE_MAX, 0 when it is large. */
HAK_INLINE unsigned hak_bin_big(size_t size)
{
	if (size > HAK_BLOCK_MAX) {
		return 0;
	}
	unsigned bin = hak_class_map.big[(size - 1) >> HAK_BIG_LOG2];
	while (bin && HAK_UNLIKELY(size > hak_class_map.geometry[bin].limit)) { /* 0 also without tables */
		bin = bin < hak_class_map.table.count ? bin + 1 : 0;
	}
	return bin;
}

/* The bin of any size at any power-of-two alignment, 0 when it is large. */
HAK_HIDDEN unsigned hak_bin_aligned(size_t size, size_t alignment);

/* Why a size that has a class takes the route of that class, alignment apart. */
HAK_INLINE enum hak_reason hak_reason_of_size(size_t size)
{
	const struct hak_class_table *t = &hak_class_map.table;
	return size > t->tiny_max_size && size <= t->tiny_full_size ? HAK_REASON_BOUNDARY
								    : HAK_REASON_SIZE_FIT;
}

/* Number of the block that holds byte `offset` (below 2^20) of a slab. */
HAK_INLINE uint32_t hak_block_number(const struct hak_geometry *g, uint32_t offset)
{
	return (uint32_t)((offset * g->reciprocal) >> HAK_BLOCK_LOG2);
}

#endif

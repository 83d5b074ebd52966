/* SPDX-License-Identifier: MIT */
/*
 * THE lists of routes and of reasons. Enumerations, trace labels, reports and
 * documents are made from these rows; the position of a row is its value in a
 * trace, so new rows go to the end.
 */
#ifndef HAKMEM_ROUTE_LIST_H
#define HAKMEM_ROUTE_LIST_H

/* clang-format off */

/* X(IDENTIFIER, label, what it serves) */
#define HAK_ROUTES(X) \
	X(TINY,     tiny,     "blocks of classes C0..C7, up to the Tiny boundary") \
	X(SMALLMID, smallmid, "from the Tiny boundary to 8 KiB") \
	X(MID,      mid,      "from 8 KiB to the largest class; with the classic table from the Tiny boundary") \
	X(LARGE,    large,    "whole pages, above the largest class")

/* X(IDENTIFIER, label, why the route was taken) */
#define HAK_REASONS(X) \
	X(SIZE_FIT,  size_fit,  "the size belongs to this route") \
	X(BOUNDARY,  boundary,  "the size belongs to a Tiny class that HAKMEM_TINY_MAX_CLASS excludes") \
	X(ALIGNMENT, alignment, "the alignment asks for a larger block than the size does") \
	X(ABOVE_MID, above_mid, "the size is above the largest class") \
	X(FALLBACK,  fallback,  "the first choice had no memory")

/* X(IDENTIFIER, label, bit, meaning): flags of one operation */
#define HAK_OP_FLAGS(X) \
	X(ZEROED,   zeroed,   0, "calloc: the caller asked for zeroed memory") \
	X(RESIZE,   resize,   1, "half of a realloc that moved the block") \
	X(UNTRACED, untraced, 2, "the block is older than the tracing: its requested size is unknown and given as its usable size")

/* clang-format on */

#define HAK_ROUTE_ENUM(id, label, help) HAK_ROUTE_##id,
enum hak_route { HAK_ROUTES(HAK_ROUTE_ENUM) HAK_ROUTE_COUNT };
#undef HAK_ROUTE_ENUM

#define HAK_REASON_ENUM(id, label, help) HAK_REASON_##id,
enum hak_reason { HAK_REASONS(HAK_REASON_ENUM) HAK_REASON_COUNT };
#undef HAK_REASON_ENUM

#define HAK_OP_FLAG_ENUM(id, label, bit, help) HAK_OP_##id = 1u << (bit),
enum hak_op_flag { HAK_OP_FLAGS(HAK_OP_FLAG_ENUM) HAK_OP_NONE = 0 };
#undef HAK_OP_FLAG_ENUM

#endif

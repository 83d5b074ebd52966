/* SPDX-License-Identifier: MIT */
/*
 * The options in force, read once from the environment, and the size-class table they ask
 * for. Reading neither allocates nor needs an initialised libc, and a program that runs
 * with raised privileges takes no option from its user. Read-only afterwards.
 */
#ifndef HAK_LIB_OPTIONS_H
#define HAK_LIB_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "hakmem_size_class.h"
#include "option_list.h"
#include "writer.h"

/* What a row of each type is kept in. */
typedef const char *hak_option_TABLE; /* at most PATH_MAX characters */
typedef int64_t hak_option_INT;
typedef uint64_t hak_option_SIZE;
typedef uint64_t hak_option_POWER2;
typedef bool hak_option_SWITCH;
typedef char hak_option_NAME[64];

#define HAK_OPTION_FIELD(field, type, name, value, min, max, help) hak_option_##type field;
struct hak_options {
	HAK_OPTIONS(HAK_OPTION_FIELD)
};
#undef HAK_OPTION_FIELD

extern HAK_HIDDEN struct hak_options hak_options;

#define HAK_OPTION_NUMBER(field, type, name, value, min, max, help) HAK_OPTION_##field,
enum hak_option { HAK_OPTIONS(HAK_OPTION_NUMBER) };
#undef HAK_OPTION_NUMBER

/* Whether the environment set it, and well. */
HAK_HIDDEN bool hak_options_is_given(enum hak_option which);

/*
 * Reads the environment into hak_options. An unknown HAKMEM_ name or a bad value gives one
 * warning line and the default; an empty value counts as unset. One thread, once.
 */
HAK_HIDDEN void hak_options_read(void);

/*
 * The table that hak_options asks for; call after hak_options_read, once. A file that
 * cannot be used gives one warning line, and hak_options then says `fine`.
 */
HAK_HIDDEN void hak_options_class_table(struct hak_class_table *out, uint32_t page_size);

/* Name and value of each option, a line each, indented by two spaces. */
HAK_HIDDEN void hak_options_print(struct hak_writer *w);

#endif

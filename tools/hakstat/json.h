/* SPDX-License-Identifier: MIT */
/*
 * What everything that is written as JSON has in common, beyond jansson.
 */
#ifndef HAKSTAT_JSON_H
#define HAKSTAT_JSON_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* A text made safe to show (hakstat_text_clean); null for NULL. */
json_t *hakstat_json_text(const char *text);

/* JSON's integers are signed here: what does not fit becomes the largest of them. */
json_t *hakstat_json_number(uint64_t number);

/* Writes a document, indented, and releases it. Returns 0, or -1 when the stream failed. */
int hakstat_json_write(json_t *root, FILE *out);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells of memory in files of lines "Name:   123 kB".
 */
#ifndef HAKSTAT_PROC_H
#define HAKSTAT_PROC_H

#include <stdint.h>

/* The amount in bytes behind `name`, colon included; 0 when the file has no such line or cannot be read. */
uint64_t hakstat_proc_bytes(const char *path, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * `hakstat attach PID`, `hakstat detach PID`, `hakstat ps`: recording programs that run already.
 */
#ifndef HAKSTAT_ATTACH_H
#define HAKSTAT_ATTACH_H

#include "cli.h"

extern const struct hakstat_command hakstat_command_attach;
extern const struct hakstat_command hakstat_command_detach;
extern const struct hakstat_command hakstat_command_ps;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The commands that main.c knows. Each one owns its table of options.
 */
#ifndef HAKSTAT_COMMANDS_H
#define HAKSTAT_COMMANDS_H

#include "cli.h"

extern const struct hakstat_command hakstat_command_report;
extern const struct hakstat_command hakstat_command_explain;
extern const struct hakstat_command hakstat_command_classes;
extern const struct hakstat_command hakstat_command_diff;
extern const struct hakstat_command hakstat_command_ab;
extern const struct hakstat_command hakstat_command_whatif;
extern const struct hakstat_command hakstat_command_tune;
extern const struct hakstat_command hakstat_command_top;

#endif

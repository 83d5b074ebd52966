/* SPDX-License-Identifier: MIT */
/*
 * The terminal as it was found, when a bug ends a program that draws on it. One program, one terminal.
 */
#ifndef HAKSTAT_TERMINAL_RESET_H
#define HAKSTAT_TERMINAL_RESET_H

/* Notes the terminal's modes; before anything changes them. */
void hakstat_terminal_reset_note(void);

/* From now on signals that mean a bug put the modes back first; after the terminal's description is read. */
void hakstat_terminal_reset_arm(void);
void hakstat_terminal_reset_disarm(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a process does that goes on when the command which made it has ended.
 */
#ifndef HAKSTAT_BACKGROUND_H
#define HAKSTAT_BACKGROUND_H

/*
 * Leaves the terminal, so that no Ctrl-C reaches this process, and all files but `keep`, so that
 * nobody waits at a pipe for it. Standard input and output become /dev/null.
 */
void hakstat_background(int keep);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of a few lines beside the one that parses: it can do one thing, give the finished
 * report its name, or remove it. So the sandbox need not leave the right to rename and to remove
 * files, and nothing is left behind when the parser is killed.
 *
 * It reads one byte, which nothing of the evidence can turn into more: both names were fixed
 * before.
 */
#ifndef CMD_KEEPER_H
#define CMD_KEEPER_H

#include <stdbool.h>

#include "base/err.h"

/* Our end of the line to it; -1: there is none. */
struct keeper {
	int fd;
};

/* Starts it, while there is one thread only; temporary and path are copied by the fork. */
struct err *keeper_start(struct keeper *k, const char *temporary, const char *path);

/*
 * Lets it rename (or remove) the temporary file, waits until that is done, and closes the line; 0
 * or an errno. Once.
 */
int keeper_end(struct keeper *k, bool rename);

#endif

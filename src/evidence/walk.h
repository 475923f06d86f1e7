/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the arguments of a command to the list of files to look at.
 *
 * A directory stands for all regular files under it, sorted by path; what is named itself is taken
 * as it is (a pipe may be named, but is never found). Links are followed as long as they stay below
 * the directory that was named: a copied system or what a stranger packed holds links to files of
 * the machine that reads it, which are no evidence of his incident. Those at the top of the
 * directory are followed wherever they lead, but to what the running kernel shows: people collect
 * evidence by such links. Directories are entered once, devices, sockets and pipes inside of
 * directories are left out.
 */
#ifndef EVIDENCE_WALK_H
#define EVIDENCE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"

#define WALK_FIRST_NONE SIZE_MAX

enum {
	WALK_DEPTH_MAX = 32,
	WALK_FILES_MAX = 100000,
};

/* What became of one file or directory. */
enum walk_outcome {
	WALK_CANDIDATE,  /* to be read */
	WALK_MISSING,    /* does not exist */
	WALK_DENIED,     /* may not be read */
	WALK_SPECIAL,    /* found inside a directory: device, socket, pipe */
	WALK_TOO_DEEP,   /* below WALK_DEPTH_MAX directories */
	WALK_TOO_MANY,   /* the first of those above WALK_FILES_MAX */
	WALK_UNREADABLE, /* any other failure */
	WALK_OUTSIDE,    /* found inside a directory: a link that leads out of it */
	WALK_NOWHERE,    /* found inside a directory: a link to what does not exist */
	WALK_SAME,       /* the very file (device and inode) was there before, under another name */
};

struct walk_file {
	char *path;
	enum walk_outcome outcome;
	bool named;      /* given by the user, not found in a directory */
	bool led_out;    /* behind a link at the top of a directory, which leads out of it */
	int errno_value; /* of the failure; 0: none */
	size_t first;    /* WALK_SAME: the index of the one before; WALK_FIRST_NONE: a directory */
};

/* Fills *files (initialised here) with struct walk_file, in the order of the arguments. */
void walk_expand(const char *const *args, size_t arg_count, struct vec *files);

/* Frees what walk_expand made. */
void walk_deinit(struct vec *files);

/* The outcome in words; static. */
const char *walk_outcome_text(enum walk_outcome outcome);

#endif

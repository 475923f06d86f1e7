/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tar archives, read as a stream: POSIX ustar and pax, and GNU's long names. Nothing is ever
 * written to disk, and no name in an archive is ever opened as a path.
 *
 * A file in an archive is called ARCHIVE/NAME, with NAME as the archive has it. source_open takes
 * such paths, so whoever opens evidence by its path needs to know nothing of archives.
 */
#ifndef CAPFILE_ARCHIVE_H
#define CAPFILE_ARCHIVE_H

#include "capfile/source.h"

enum {
	ARCHIVE_NAME_BYTES = 4096, /* longest name; a member with a longer one is passed over */
	ARCHIVE_MEMBERS_MAX = 100000,
};

/* A regular file in the archive. */
struct archive_member {
	char name[ARCHIVE_NAME_BYTES];
	uint64_t offset; /* of its first byte, in the unpacked archive */
	uint64_t bytes;
	int64_t written_s; /* when it was last written, since 1970; -1: not told */
};

struct archive {
	struct source *source; /* the caller's, at the first byte of the archive */
	uint64_t next;         /* where the next header is */
	size_t members;
	const char *fault; /* why it ended before its end; NULL: it did not */
};

struct archive archive_make(struct source *source);

/*
 * The next regular file, at whose first byte the source stands then; false at the end. What the
 * caller has not read of the one before is skipped.
 */
bool archive_next(struct archive *a, struct archive_member *out);

/*
 * Opens ARCHIVE/NAME for source_open. NULL with *out set when `path` goes on behind a file that is
 * a tar archive and has such a member; else *out is NULL, and so is the error when `path` is no
 * such thing at all.
 */
struct err *archive_open(const char *path, struct source **out);

#endif

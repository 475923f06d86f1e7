/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded window over the bytes of a file, a pipe or standard input, decompressed on the way.
 *
 * Knows nothing of what the bytes mean: it serves captures and logs alike. Reads with read(2) into
 * a buffer of its own (a mapped file counts as memory, and dies of SIGBUS when somebody cuts it).
 * gzip (RFC 1952), zstd (RFC 8878) and xz are recognised by their magic and unpacked as a stream,
 * so that a decompression bomb costs time but no memory. Text in UTF-16, by its byte order mark, is
 * read as UTF-8 in the same way. Nothing here fails after the opening:
 * input that cannot be read or unpacked any further ends, and source_fault tells why.
 */
#ifndef CAPFILE_SOURCE_H
#define CAPFILE_SOURCE_H

#include "base/err.h"
#include "base/slice.h"

/* How the bytes are packed. */
enum source_packing {
	SOURCE_PLAIN,
	SOURCE_GZIP,
	SOURCE_ZSTD,
	SOURCE_XZ,
	SOURCE_UTF16LE,
	SOURCE_UTF16BE,
};

enum {
	SOURCE_WINDOW_BYTES = 64 << 10,  /* read at once: what the processor keeps near */
	SOURCE_PEEK_BYTES_MAX = 8 << 20, /* the most that source_peek gives */
};

struct source;

/*
 * Opens path for reading; "-" is standard input, and ARCHIVE/NAME a file in a tar archive (see
 * archive.h). The caller destroys *out. Fails when the file
 * cannot be opened or is a directory. An empty file is no failure.
 */
struct err *source_open(const char *path, struct source **out);

/*
 * A part of another source, which it owns from now on, under a name of its own: a file in an
 * archive. Packed bytes are unpacked too. Never NULL.
 */
struct source *source_create_member(struct source *outer, uint64_t offset, uint64_t bytes,
				    const char *path);

/*
 * The next bytes of another source, which stays the caller's and must not be read or destroyed
 * meanwhile: a file in an archive that is read in order. It cannot be read a second time.
 */
struct source *source_borrow_member(struct source *outer, uint64_t bytes, const char *path);

/* The same over bytes that the caller keeps until source_destroy. Packed bytes are unpacked too. */
struct source *source_create_memory(struct slice bytes);

/* source_destroy(NULL) is fine. */
void source_destroy(struct source *s);

/*
 * At least want bytes from here on, fewer only at the end of the input (or when want is above
 * SOURCE_PEEK_BYTES_MAX); more when they are in the window anyway. Borrowed until the next peek,
 * take or skip that reads on: what was peeked stays where it is when it is taken or skipped.
 */
struct slice source_peek(struct source *s, size_t want);

/* Like source_peek, but at most count bytes, which are then behind us. Borrowed as there. */
struct slice source_take(struct source *s, size_t count);

/* Leaves count bytes behind, all of which the last source_peek returned. */
void source_pass(struct source *s, size_t count);

/* Leaves count bytes behind; the number that there were is returned. */
uint64_t source_skip(struct source *s, uint64_t count);

/*
 * Gives the window's memory back until the next peek, take or skip, which reads on as if nothing
 * had been: for files that wait for their turn, or are at their end. What was peeked is gone. Does
 * nothing to what cannot be read a second time. Packed files are unpacked again from their first
 * byte on.
 */
void source_rest(struct source *s);

/* Offset of the next byte in the unpacked bytes. */
uint64_t source_offset(const struct source *s);

/* Bytes read from the file so far, packed: for progress. */
uint64_t source_raw_offset(const struct source *s);

/* Size of the file in bytes, packed; 0: not known (a pipe) or empty. */
uint64_t source_raw_bytes(const struct source *s);

/* True for a regular file, that can be opened again and read a second time. */
bool source_seekable(const struct source *s);

/* True for a part of another source. */
bool source_is_member(const struct source *s);

enum source_packing source_packing(const struct source *s);

/* "gzip", "zstd", "xz"; "none" for plain bytes. Static. */
const char *source_packing_name(enum source_packing packing);

/* Path as opened; "-" for standard input; "(memory)" for bytes. Valid as long as the source. */
const char *source_path(const struct source *s);

/*
 * Why the input ended before its time: packed input that is cut or damaged, or a read that failed.
 * NULL: it did not (or the end is not reached yet). Valid as long as the source.
 */
const char *source_fault(const struct source *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for packet captures: a file, pipe or standard input by its path.
 *
 * Knows nothing of NFS, nor of IP. The stamps are those of the capturing host's clock.
 */
#ifndef EVIDENCE_CAPTURE_H
#define EVIDENCE_CAPTURE_H

#include "base/err.h"
#include "base/strbuf.h"
#include "capfile/capfile.h"

struct capture;

/*
 * Opens path ("-": standard input). Fails when it cannot be opened, is empty, or is not a capture:
 * the text says which. The caller destroys *out.
 */
struct err *capture_open(const char *path, struct capture **out);

/* The same for a source that was opened and looked at before; owned by the capture on success only.
 */
struct err *capture_open_source(struct source *source, struct capture **out);

/*
 * A pcap file in memory whose packets are known by the lines of a text: frame i has number lines[i
 * - 1]. Takes the bytes of `pcap` and `lines` (malloc'd) in any case, and borrows the path. Fails
 * when the bytes are no such file.
 */
struct err *capture_open_lines(struct strbuf *pcap, const char *path, uint64_t *lines, size_t len,
			       struct capture **out);

/* capture_destroy(NULL) is fine. */
void capture_destroy(struct capture *c);

/* The next packet; its bytes are borrowed until the next call. */
enum capfile_result capture_next(struct capture *c, struct capfile_packet *out);

/*
 * Gives back the memory that it reads through until the next packet is asked for, which is the same
 * as without: for captures that wait for their turn, or are at their end. The last packet's bytes
 * are gone.
 */
void capture_rest(struct capture *c);

/* Journal entries inside of a pcapng, see capfile.h. */
void capture_set_journal(struct capture *c, capfile_journal_fn *fn, void *arg);

/* Counters and damage so far; complete after CAPFILE_END. */
void capture_get_stats(const struct capture *c, struct capfile_stats *out);

/* Path as given. Valid as long as the capture. */
const char *capture_path(const struct capture *c);

/* True when the file can be opened and read a second time (a survey is possible). */
bool capture_seekable(const struct capture *c);

/* Offset of the next byte, unpacked: what bounds a survey. */
uint64_t capture_offset(const struct capture *c);

/* Bytes read of the file and its size (0: not known), both packed: for progress. */
void capture_get_progress(const struct capture *c, uint64_t *done_bytes, uint64_t *total_bytes);

#endif

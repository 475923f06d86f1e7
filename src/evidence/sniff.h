/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is this file? Told by its first bytes (unpacked), never by its name.
 */
#ifndef EVIDENCE_SNIFF_H
#define EVIDENCE_SNIFF_H

#include "base/err.h"
#include "capfile/source.h"

enum sniff_kind {
	SNIFF_PCAP,
	SNIFF_PCAPNG,
	SNIFF_TEXT,  /* a log, or any other text: the readers of text look closer */
	SNIFF_EMPTY, /* no bytes, or nothing but zeroes and blanks */
	SNIFF_TAR,
	SNIFF_ELF,   /* a vmcore perhaps */
	SNIFF_KDUMP, /* makedumpfile */
	SNIFF_UNKNOWN,
};

enum { SNIFF_HEAD_BYTES = 4096 };

/* Looks at the first bytes of a source and takes none. */
enum sniff_kind sniff_source(struct source *s);

/* The same for unpacked bytes. */
enum sniff_kind sniff_bytes(struct slice head);

/* Opens path, looks, closes. Fails when it cannot be opened. */
struct err *sniff_path(const char *path, enum sniff_kind *out);

/* "pcap", "text", …; static. */
const char *sniff_kind_name(enum sniff_kind kind);

static inline bool sniff_is_capture(enum sniff_kind kind)
{
	return kind == SNIFF_PCAP || kind == SNIFF_PCAPNG;
}

#endif

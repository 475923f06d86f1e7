/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes captures: pcap (nanoseconds) and pcapng, in the byte order of this machine.
 *
 * Records are appended to a strbuf; whoever owns it writes it out and empties it. That way the
 * writers need neither files nor errors.
 */
#ifndef CAPFILE_WRITE_H
#define CAPFILE_WRITE_H

#include "base/slice.h"
#include "base/stamp.h"
#include "base/strbuf.h"

void pcap_write_header(struct strbuf *out, uint32_t linktype, uint32_t snaplen);
void pcap_write_packet(struct strbuf *out, struct stamp at, struct slice bytes,
		       uint32_t wire_bytes);

/* Section header; application and comment NULL: none. */
void pcapng_write_section(struct strbuf *out, const char *application, const char *comment);

/* Interface description with nanosecond stamps; name NULL: none; snaplen 0: no limit. */
void pcapng_write_interface(struct strbuf *out, uint32_t linktype, uint32_t snaplen,
			    const char *name);

/* Enhanced packet block; comment NULL: none. */
void pcapng_write_packet(struct strbuf *out, uint32_t interface, struct stamp at,
			 struct slice bytes, uint32_t wire_bytes, const char *comment);

/* Interface statistics: packets that came by, and how many of them are not in the file. */
void pcapng_write_statistics(struct strbuf *out, uint32_t interface, struct stamp at,
			     uint64_t received, uint64_t dropped);

/* Journal entry (block type 9) in the export format. */
void pcapng_write_journal(struct strbuf *out, struct slice text);

#endif

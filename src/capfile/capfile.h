/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture file, read packet by packet: pcap and pcapng in all their variants.
 *
 * Knows nothing of what the packets carry. Never fails because the file is damaged: damage is
 * recorded, and reading goes on at the next record that makes sense. Formats:
 * draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
#ifndef CAPFILE_CAPFILE_H
#define CAPFILE_CAPFILE_H

#include "base/err.h"
#include "base/slice.h"
#include "base/stamp.h"
#include "capfile/source.h"

enum capfile_format { CAPFILE_PCAP, CAPFILE_PCAPNG };

/* What capfile_next found. */
enum capfile_result {
	CAPFILE_PACKET,
	CAPFILE_RESYNC, /* bytes were skipped: packets may be missing here; go on */
	CAPFILE_END,
};

enum {
	CAPFILE_RECORD_BYTES_MAX = 256
				   << 10, /* a longer packet is damage, unless snaplen allows it */
	CAPFILE_SNAPLEN_BYTES_MAX = 4 << 20, /* and no snaplen allows more than this */
	CAPFILE_BLOCK_BYTES_MAX = 8 << 20,   /* pcapng blocks that are looked into */
	CAPFILE_INTERFACES_MAX = 4096,       /* in one section */
	CAPFILE_COMMENTS_MAX = 64,
	CAPFILE_COMMENT_BYTES_MAX = 4096,
};

struct capfile_packet {
	uint64_t frame;     /* from 1, as Wireshark numbers it */
	struct stamp at;    /* UTC; CLOCK_UNKNOWN: the format has no time (a simple packet block) */
	uint32_t cap_bytes; /* bytes captured, the length of `bytes` */
	uint32_t wire_bytes; /* bytes that the packet had */
	uint32_t linktype;   /* LINKTYPE_ of www.tcpdump.org/linktypes.html */
	uint32_t interface;  /* index of the interface, over all sections; 0 in pcap */
	uint64_t offset;     /* of the record in the (unpacked) file */
	struct slice bytes;  /* borrowed until the next call of capfile_next */
};

/* What can be wrong with a capture file. */
enum capfile_damage_kind {
	CAPFILE_DAMAGE_CUT,         /* the file ends inside of a record */
	CAPFILE_DAMAGE_ZEROES,      /* zeroes where records should be */
	CAPFILE_DAMAGE_SKIPPED,     /* bytes that are no record were skipped */
	CAPFILE_DAMAGE_LENGTH,      /* a record's length that cannot be */
	CAPFILE_DAMAGE_BEYOND_WIRE, /* captured more than there was; the packet is used */
	CAPFILE_DAMAGE_BLOCK,       /* a pcapng block that contradicts itself */
	CAPFILE_DAMAGE_INTERFACE,   /* a packet of an interface that was not described */
	CAPFILE_DAMAGE_TIME,        /* a time that cannot be represented */
	CAPFILE_DAMAGE_INPUT,       /* the input cannot be read or unpacked any further */
	CAPFILE_DAMAGE_KINDS,
};

/* Damage of one kind, folded. */
struct capfile_damage {
	enum capfile_damage_kind kind;
	uint64_t offset; /* of the first */
	uint64_t frame;  /* the first came after this frame; 0: before any */
	uint64_t count;
	uint64_t skipped_bytes; /* left out in all of them */
};

struct capfile_comment {
	uint64_t frame; /* 0: of the section or an interface */
	char *text;     /* as in the file, NUL-terminated, cut at CAPFILE_COMMENT_BYTES_MAX */
};

/* Drops that the capturing program itself reported, summed over the interfaces. */
struct capfile_drops {
	bool known;               /* at least one interface was reported on */
	uint64_t received;        /* isb_ifrecv */
	uint64_t interface_drops; /* isb_ifdrop */
	uint64_t system_drops;    /* isb_osdrop */
};

struct capfile_stats {
	enum capfile_format format;
	enum source_packing packing;
	uint64_t packets;
	uint64_t wire_bytes;
	uint64_t cut_count;       /* packets of which less was captured than there was */
	uint64_t untimed_count;   /* packets without a time */
	uint64_t backwards_count; /* packets with a time before that of their predecessor */
	int64_t backwards_max_ns; /* the furthest step back, >= 0 */
	struct stamp first;       /* the earliest; CLOCK_UNKNOWN: none */
	struct stamp last;        /* the latest */
	uint32_t snaplen;         /* in the header, the smallest; 0: no limit stated */
	uint32_t linktype;        /* of the first interface */
	uint32_t interfaces;      /* described in all sections; 1 in pcap */
	uint32_t sections;        /* 1 in pcap */
	struct capfile_drops drops;
	const struct capfile_damage *damage; /* one entry a kind; valid as long as the capfile */
	size_t damage_count;
	const struct capfile_comment *comments;
	size_t comment_count;
	uint64_t comments_left_out; /* above CAPFILE_COMMENTS_MAX */
	const char *application;    /* that wrote the file (shb_userappl); NULL: not told */
};

/*
 * One systemd journal entry (pcapng block type 9, export format) with the number that Wireshark
 * gives it: it counts as a frame. `text` is borrowed for the call.
 */
typedef void capfile_journal_fn(void *arg, uint64_t frame, struct slice text);

struct capfile;

/* True when the first bytes of a file (16 or more, if it has them) are those of a capture. */
bool capfile_sniff(struct slice head, enum capfile_format *out);

/*
 * Starts to read a capture. On success the capfile owns `source`; on failure (it is not a capture,
 * or shorter than its header) the source stays the caller's, with nothing taken from it.
 */
struct err *capfile_open(struct source *source, struct capfile **out);

/* capfile_destroy(NULL) is fine. Destroys the source as well. */
void capfile_destroy(struct capfile *cf);

/* source_rest for what it reads from; the last packet's bytes are gone. */
void capfile_rest(struct capfile *cf);

/* Where journal entries go; without it they are only numbered. */
void capfile_set_journal(struct capfile *cf, capfile_journal_fn *fn, void *arg);

/* The next packet; *out is written for CAPFILE_PACKET only. */
enum capfile_result capfile_next(struct capfile *cf, struct capfile_packet *out);

/* What is known so far; complete once capfile_next has given CAPFILE_END. */
void capfile_get_stats(const struct capfile *cf, struct capfile_stats *out);

/* The source, for its path, offsets and faults. */
const struct source *capfile_source(const struct capfile *cf);

/* The kind in words: "cut inside a record". Static. */
const char *capfile_damage_text(enum capfile_damage_kind kind);

#endif

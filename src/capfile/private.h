/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers of capfile share with each other, and with nobody else. */
#ifndef CAPFILE_PRIVATE_H
#define CAPFILE_PRIVATE_H

#include "base/vec.h"
#include "capfile/capfile.h"

/* A record's header, in this machine's byte order. */
struct pcap_record {
	uint32_t seconds;
	uint32_t fraction;
	uint32_t cap_bytes;
	uint32_t wire_bytes;
};

/* How records of a pcap file look. */
struct pcap_state {
	bool big_endian;
	bool lengths_swapped;       /* version 2.2 and before: the wire length comes first */
	bool lengths_maybe_swapped; /* version 2.3: when that makes more sense */
	uint32_t frac_ns;           /* nanoseconds of one unit of the stamp's fraction */
	uint32_t record_header_bytes;
	uint32_t cap_max; /* captured length above which a header is damage */
	uint32_t linktype;
	struct pcap_record after; /* the header behind the last record: it is possible */
	uint64_t after_at;        /* its offset; 0: none was looked at, or it is not */
};

/* One interface of a pcapng section. */
struct pcapng_interface {
	uint32_t linktype;
	uint32_t snaplen; /* 0: no limit */
	uint8_t tsresol;  /* if_tsresol; 6 where it is not given */
	int64_t tsoffset_s;
	bool reported;
	uint64_t received; /* of the latest statistics block */
	uint64_t interface_drops;
	uint64_t system_drops;
};

struct pcapng_state {
	bool big_endian;
	struct vec interfaces;   /* struct pcapng_interface, of this section */
	uint32_t interface_base; /* interfaces in the sections before */
};

struct capfile {
	struct source *source;
	struct capfile_stats stats;
	struct capfile_damage damage[CAPFILE_DAMAGE_KINDS];
	struct vec comments; /* struct capfile_comment */
	char *application;
	uint64_t frame; /* number of the last one */
	int64_t previous_ns;
	bool ended;
	capfile_journal_fn *journal;
	void *journal_arg;
	struct pcap_state pcap;
	struct pcapng_state pcapng;
};

static inline uint16_t capfile_u16(const uint8_t *p, bool big_endian)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return big_endian ? __builtin_bswap16(v) : v;
}

static inline uint32_t capfile_u32(const uint8_t *p, bool big_endian)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return big_endian ? __builtin_bswap32(v) : v;
}

static inline uint64_t capfile_u64(const uint8_t *p, bool big_endian)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return big_endian ? __builtin_bswap64(v) : v;
}

/* Notes damage at this offset; skipped_bytes were left out because of it. */
void capfile_add_damage(struct capfile *cf, enum capfile_damage_kind kind, uint64_t offset,
			uint64_t skipped_bytes);

/* Numbers a packet and counts it; all other fields are set. */
void capfile_count_packet(struct capfile *cf, struct capfile_packet *packet);

/* Keeps a comment, as far as the caps allow. */
void capfile_add_comment(struct capfile *cf, uint64_t frame, struct slice text);

/* The end of the input: tells what the source has to say. Always CAPFILE_END. */
enum capfile_result capfile_finish(struct capfile *cf);

/* The same where `left` bytes from here on are no whole record: cut, or zeroes. */
enum capfile_result capfile_finish_cut(struct capfile *cf, struct slice left);

/* True when all bytes are zero. */
bool capfile_all_zero(struct slice bytes);

/* pcap.c, pcapng.c: the same contract as capfile_sniff, _open, _next. */
bool pcap_sniff(struct slice head);
struct err *pcap_start(struct capfile *cf);
enum capfile_result pcap_next(struct capfile *cf, struct capfile_packet *out);

bool pcapng_sniff(struct slice head);
void pcapng_start(struct capfile *cf);
void pcapng_stop(struct capfile *cf);
enum capfile_result pcapng_next(struct capfile *cf, struct capfile_packet *out);

#endif

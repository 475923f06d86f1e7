/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of evidence of a run: what was there at all, and in what state of health. Provenance
 * refers to it by index; rules ask it whether absence may count; the report prints it last.
 */
#ifndef EVENT_EVIDENCE_H
#define EVENT_EVIDENCE_H

#include "base/arena.h"
#include "base/stamp.h"
#include "base/vec.h"

enum evidence_kind {
	EVIDENCE_PCAP,
	EVIDENCE_PCAPNG,
	EVIDENCE_KERNEL_LOG,
	EVIDENCE_MOUNTS,      /* what a host tells of its mounts of NFS */
	EVIDENCE_HOST_CLOCK,  /* a date and an uptime: when a host booted */
	EVIDENCE_STACKS,      /* tasks and their stacks: /proc, ps, crash ... */
	EVIDENCE_FILTERS,     /* rules of a packet filter */
	EVIDENCE_LISTS,       /* what a host lists of itself: connections, services, counts ... */
	EVIDENCE_STRACE,      /* system calls of programs */
	EVIDENCE_TRACE,       /* events of a kernel's trace */
	EVIDENCE_PACKET_LIST, /* packets as Wireshark lists them: headers, and perhaps not all */
	EVIDENCE_UNREAD,      /* could not be read, or is no evidence: `problem` says why */
};

/* One kind of damage in one file. */
struct evidence_damage {
	const char *what; /* for people: "packets cut by the snap length (96 bytes)" */
	uint64_t count;
	uint64_t offset; /* of the first, in the file; UINT64_MAX: not at one place */
	uint64_t frame;  /* the first frame concerned; 0: none */
};

struct evidence {
	const char *id;      /* "e1" ...: the name in reports */
	const char *path;    /* as given, or found under a directory */
	const char *archive; /* the tar archive that it is in: `path` is archive/NAME; NULL: none */
	const char *host;    /* whose it is, by name, as its folder tells; NULL: not known */
	enum evidence_kind kind;
	const char *problem; /* EVIDENCE_UNREAD: one line; else NULL */
	uint64_t records;    /* packets or lines */
	struct stamp first, last;
	int64_t clock_error_ns; /* how far its times may be off those of the captures; -1: not known
				 * or, of a capture, not asked */
	uint64_t wire_bytes;    /* of all packets */
	struct vec damage;      /* struct evidence_damage */
	struct vec notes; /* const char *: facts that are no damage ("12 connections are also in e1,
			   * which speaks for them", "clock assumed to be UTC") */
	struct vec clock_notes;   /* const char *, some of the notes: what its times rest on */
	uint64_t lost_bytes;      /* stream bytes that the capture never showed */
	uint64_t dropped_packets; /* by the interface or system that captured; 0: none, not known */
	uint64_t data_segments;   /* TCP segments with data that it holds */
	uint64_t holes;           /* places in TCP streams at which it lacks some */
	uint64_t cut_packets;     /* packets cut by a snap length */
	uint64_t cut_first_frame; /* the first of them; 0: none */
	bool partial;             /* a list that leaves packets out, by somebody's choice */
};

struct evidence_list {
	struct vec items;   /* struct evidence */
	struct arena arena; /* owns all texts */
};

void evidence_list_init(struct evidence_list *list);
void evidence_list_deinit(struct evidence_list *list);

/* Adds an entry for the path; its id is made. The pointer is valid until the next add. */
struct evidence *evidence_list_add(struct evidence_list *list, const char *path,
				   enum evidence_kind kind);

/* Entry by index, which must exist. */
struct evidence *evidence_list_at(const struct evidence_list *list, uint32_t index);

/* Adds damage of this kind, or adds to the count of the same text. */
void evidence_add_damage(struct evidence_list *list, uint32_t index, const char *what,
			 uint64_t count, uint64_t offset, uint64_t frame);

void evidence_add_note(struct evidence_list *list, uint32_t index, const char *note);

/* A note on what the times of a log rest on, or why they stay apart. */
void evidence_add_clock_note(struct evidence_list *list, uint32_t index, const char *note);

/*
 * Whether so many packets may all have passed and be missing: at the rate at which the capture
 * lacks segments of the streams that it shows, more often than once in a hundred times. So it is
 * with captures that keep one packet of several, or drop them all the time. False of what is no
 * capture.
 */
bool evidence_may_lack(const struct evidence_list *list, uint32_t index, uint64_t packets);

/* "pcap", "pcapng", "kernel-log", "mounts", "host-clock", "stacks", "packet-filter",
 * "lists", "strace", "trace", "packet-list", "unread". */
const char *evidence_kind_name(enum evidence_kind kind);

/* True when its records are lines and not frames. */
bool evidence_has_lines(enum evidence_kind kind);

#endif

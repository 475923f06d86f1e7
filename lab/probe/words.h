/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a task of the probe is told: SERVER[:EXPORT], or /PATH of this host, and words NAME=VALUE or
 * NAME, among them mount options as mount(8) takes them.
 */
#ifndef LAB_PROBE_WORDS_H
#define LAB_PROBE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "timing/options.h"

struct net_witness;

struct probe_words {
	char server[64];
	const char *path;      /* of a file on this host instead of a server; NULL: a server */
	const char *export;    /* "/" when none was given */
	const char *file;      /* file=NAME in the export */
	const char *dir;       /* dir=NAME in the export; NULL: the export itself */
	const char *mix;       /* mix=OP+OP...: what is done in each round; NULL: the verb's own */
	const char *access;    /* access=read: opens of NFSv4 for reading only; NULL: for both */
	const char *callbacks; /* callbacks=none: those of NFSv4 are not answered;
				* callbacks=PORT: of locks, where the server calls back; NULL: those
				* of NFSv4 are answered, and none of locks */
	const char *owner;     /* owner=TEXT of NFSv4; NULL: this host's */
	int64_t for_ns;        /* for=SECONDS: until the task ends; INT64_MAX: for ever */
	int64_t every_ns;      /* every=SECONDS: between rounds */
	int64_t hold_ns;       /* hold=SECONDS: a lock is kept */
	int64_t shut_ns;       /* shut=SECONDS: the connection's end is sent then; 0: never */
	uint32_t uid;          /* uid=N */
	uint32_t verifier;     /* verifier=N of NFSv4; 0: of this run */
	uint32_t page_bytes;   /* page=BYTES of a READDIR */
	uint16_t port;         /* port=N of NFS; 0: asked for (NFSv3), 2049 (NFSv4) */
	uint32_t processes;    /* processes=N of a listing */
	uint32_t plus;         /* plus=1: READDIRPLUS */
	uint16_t portmap;      /* portmap=N: of rpcbind; 0: 111 */
	bool is_v4, has_minor; /* vers= */
	uint32_t minor;
	struct timing_options timing;
	struct net_witness *witness; /* is told what is exchanged; NULL: nobody. No word */
};

/* Reads `words[0..count)`; they are borrowed. Fails on one that is none, with what it must be. */
struct err *probe_words_parse(const char *const *words, size_t count, struct probe_words *out);

#endif

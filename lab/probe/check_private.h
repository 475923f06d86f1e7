/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of `probe check` share. */
#ifndef LAB_PROBE_CHECK_PRIVATE_H
#define LAB_PROBE_CHECK_PRIVATE_H

#include "lab/probe/ask.h"
#include "lab/probe/check.h"

enum { CHECK_HANDLE_BYTES_MAX = 64 };

/* A port that portmap told. */
struct check_port {
	bool is_known;
	uint16_t port;
	uint32_t versions; /* bits 1 << version */
};

struct check {
	const struct probe_words *words;
	struct net_loop loop;
	struct ask ask;
	struct net_address server;
	int64_t limit_ns; /* of a step */
	int64_t began_ns; /* when the step under way began */
	bool has_list;    /* portmap answered: what is not in it is not offered */
	struct check_port nfs, mount, nlm, nsm;
	uint32_t root_len; /* 0: MOUNT gave none */
	uint8_t root[CHECK_HANDLE_BYTES_MAX];
	uint32_t minor; /* of the NFSv4 that is looked at */
	struct check_report *report;
};

/* The time of the next row counts from here. */
void check_begin(struct check *c);

/* Adds a row; more than CHECK_ROWS_MAX are left out. */
void check_row(struct check *c, const char *layer, const char *step, uint16_t port,
	       enum check_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* A row that says how the last step of c->ask went wrong. */
void check_row_failed(struct check *c, const char *layer, const char *step, uint16_t port);

/* Connects to a port; false, with a row, when that is not possible. */
bool check_connect(struct check *c, const char *layer, uint16_t port);

/* NFSv4 on the connection of c->ask: check_nfs4.c. */
void check_nfs4_sessions(struct check *c, const char *layer, uint16_t port);
void check_nfs4_clientid(struct check *c, const char *layer, uint16_t port);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for what hosts list of RPC, line by line: `rpcinfo -p` and `rpcinfo` (the
 * services of a portmapper), the first table of `nfsstat -c`, `-s` and `-rc`, and the line "rpc" of
 * /proc/net/rpc/nfs and /proc/net/rpc/nfsd.
 */
#ifndef EVIDENCE_RPC_LINE_H
#define EVIDENCE_RPC_LINE_H

#include "event/host.h"

enum rpc_line_kind {
	RPC_LINE_OTHER,
	RPC_LINE_SERVICES, /* the heading of services */
	RPC_LINE_SERVICE,
	RPC_LINE_COUNTS, /* of a host that is client or server */
};

/* What lines before say of those behind. Zero at the beginning of a text. */
struct rpc_reader {
	bool in_services;
	bool in_client, in_server; /* behind the heading of nfsstat's table */
};

struct rpc_line {
	enum rpc_line_kind kind;
	struct service_fact service;
	struct rpc_counts_fact counts;
};

void rpc_line_parse(struct rpc_reader *r, struct slice line, struct rpc_line *out);

#endif

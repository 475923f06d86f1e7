/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole server: tree, programs, NFSv4 state and sockets, with the timers that they need, and what
 * faults can do to its state.
 */
#ifndef LAB_SERVE_SERVICE_H
#define LAB_SERVE_SERVICE_H

#include "lab/fault/server.h"
#include "lab/serve/endpoint/endpoint.h"

enum { SERVICE_SLOTS_MAX = 1024 }; /* of a session */

struct service_config {
	struct tree_limits limits;
	struct endpoint_config endpoint; /* its log is the service's, too */
	uint32_t versions;               /* of NFS, bits 1 << version; 0: all */
	uint32_t lease_seconds;          /* 0: 90 */
	uint32_t max_slots;              /* of each session of NFSv4.1; 0: as nfsd has them */
	uint32_t courtesy_seconds;       /* that NFSv4 state outlives its lease; 0: not */
	uint32_t grace_seconds;          /* after a restart; 0: as long as the lease */
};

struct service;

/* Makes the tree (empty) and the state; no port is open yet. The loop is borrowed. Never NULL. */
struct service *service_create(struct net_loop *loop, const struct service_config *config);

/* NULL is fine. */
void service_destroy(struct service *s);

struct tree *service_tree(struct service *s);

/* For fault_engine_serve; the context is the service. */
extern const struct fault_server_ops service_fault_ops;

/* Opens the ports. `engine` is borrowed; NULL: no faults. */
struct err *service_open(struct service *s, struct fault_engine *engine);

/* The port that it got; 0: there is none. */
uint16_t service_port(const struct service *s, enum server_port port);

/* What its rpcbind tells, or would: *len programs. Valid until a port is opened, moved or shut. */
const struct server_service *service_list(const struct service *s, size_t *len);

#endif

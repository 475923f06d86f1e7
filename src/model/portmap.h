/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients asked portmappers (rpcbind; RFC 1833): for which service, and with which port it was
 * answered, or with none. And the stretches in which a portmapper could not be asked: connections
 * to it that were not completed, and calls that it did not answer.
 *
 * The ports that were told are known as ports of their services from then on.
 */
#ifndef MODEL_PORTMAP_H
#define MODEL_PORTMAP_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	PORTMAP_SERVICES_MAX = 1024,
	PORTMAP_PEERS_MAX = 1024,
	PORTMAP_PORTS_MAX = 4096,
	PORTMAP_TROUBLES_MAX = 4, /* kept for each pair: the longest */
	PORTMAP_CITES_MAX = 4,
	PORTMAP_MOVES_MAX = 4, /* kept for each service: the last ones */
	PORTMAP_PORT = 111,
};

/* Answers of "no such service" in a row: nothing but them from first to last. */
struct portmap_refusals {
	uint64_t count;
	struct provenance first, last;
	struct provenance cites[PORTMAP_CITES_MAX]; /* the first ones */
	uint32_t cites_len;
	struct provenance over; /* the first port told after them; FRAME_NONE: none */
};

/* The answer to one question was another port than the one before. */
struct portmap_move {
	uint16_t from, to;
	struct provenance told_from; /* the last answer with the old port */
	struct provenance told;      /* the first one with the new port */
};

/* One service of one host as one client asked for it. */
struct portmap_service {
	struct endpoint client; /* port 0 */
	struct conn conn;       /* a copy: of the first question, for cites */
	struct endpoint server; /* port 0 */
	uint32_t program, version;
	uint32_t protocol; /* IPPROTO_TCP, IPPROTO_UDP; 0: not known */
	uint64_t asked, told, unanswered;
	uint16_t port; /* the last one that was told; 0: none */
	struct provenance asked_first, asked_last, told_first, told_last;
	struct portmap_move moves[PORTMAP_MOVES_MAX];
	uint32_t moves_len;
	struct portmap_refusals refusals; /* the longest row of them that is over */
	struct portmap_refusals now;      /* the row that is not over; count 0: none */
};

/* A stretch in which a client got nothing out of a portmapper. */
struct portmap_trouble {
	uint32_t connections;   /* attempts to connect: first SYNs */
	uint32_t syns_answered; /* SYN-ACKs: the host answers, and it is not completed all the same
				 */
	uint32_t refused;       /* of them: by RST */
	uint32_t calls,
		repeats; /* calls that were not answered, and how often they were repeated */
	uint32_t vain;   /* SYNs, calls and repeats of both behind which the next was sent */
	bool lossy;      /* the capture lost bytes of a connection of it */
	/* A call on a connection that was seen from its beginning: TCP would show its answer. */
	bool call_sure;
	struct stamp tried;            /* the last of `vain`, or what may become one */
	struct provenance first, last; /* of what was sent in vain */
	/* Signs that the host lives: SYN-ACKs of its portmapper, its replies from other ports. */
	struct provenance alive, alive_last;
	struct provenance worked_before; /* the last success before it; FRAME_NONE: none */
	struct provenance over;          /* the first success after it; FRAME_NONE: none */
	struct provenance cites[PORTMAP_CITES_MAX];
	uint32_t cites_len;
};

/* A client host and a portmapper. */
struct portmap_peer {
	struct endpoint client;           /* port 0 */
	struct endpoint server;           /* the portmapper's port */
	struct conn conn;                 /* a copy: of the first contact, for cites */
	struct portmap_trouble now;       /* since the last success; first.frame FRAME_NONE: none */
	struct portmap_trouble *troubles; /* PORTMAP_TROUBLES_MAX; NULL: none yet */
	uint32_t troubles_len;
	uint64_t troubles_dropped;
	struct provenance worked; /* the last success; FRAME_NONE: none */
	bool waiting;             /* something was sent, and nothing has come back yet */
	uint64_t asked;           /* calls of any kind, without repeats */
};

/* A port that a portmapper told. */
struct portmap_port {
	struct endpoint at;
	uint32_t program, version; /* last told */
	struct provenance told;    /* first told */
};

struct portmap_model {
	struct map service_map, peer_map, port_map;
	struct vec services;   /* struct portmap_service *, each list in order of first sight */
	struct vec peers;      /* struct portmap_peer * */
	struct vec ports;      /* struct portmap_port * */
	uint32_t waiting;      /* peers that are: while it is 0, other replies are not looked at */
	uint64_t alive_serial; /* the connection of the last such reply; 0: none */
	struct portmap_peer *alive_peer; /* and whom it concerns; NULL: nobody */
	uint64_t dropped;                /* questions for which there was no room */
};

void portmap_model_init(struct portmap_model *m);
void portmap_model_deinit(struct portmap_model *m);
void portmap_model_attach(struct portmap_model *m, struct event_board *board);

/* After the last event: stretches that are not over join `troubles`, rows of refusals likewise. */
void portmap_model_finish(struct portmap_model *m);

/* What a portmapper told of this port; NULL: nothing. */
const struct portmap_port *portmap_model_port(const struct portmap_model *m,
					      const struct endpoint *at);

/* True for NFS and the programs beside it (MOUNT, NLM, NSM, NFSACL, RQUOTA). */
bool portmap_program_is_nfs(uint32_t program);

/* True when a portmapper told that this port belongs to NFS, or to one of the services beside it
 * (MOUNT, NLM, NSM, NFSACL, RQUOTA). */
bool portmap_model_is_nfs_port(const struct portmap_model *m, const struct endpoint *at);

#endif

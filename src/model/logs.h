/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kernel logs told: intervals in which a server did not respond, locks that were lost, states
 * that a client used under another's ID, links that went and came, tasks that hung. By host, as the
 * logs name it.
 *
 * Not the logs themselves: a line that nothing here knows was never an event. Texts are copies.
 */
#ifndef MODEL_LOGS_H
#define MODEL_LOGS_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	LOGS_INTERVALS_MAX = 4096,
	LOGS_TALLIES_MAX = 1024, /* of each kind */
	LOGS_INTERFACES_MAX = 1024,
	LOGS_OUTAGES_MAX = 64, /* kept for each interface: the first ones and the last one */
	LOGS_TASKS_MAX = 1024,
	LOGS_HOSTS_MAX = 4096,
	LOGS_PACKETS_MAX = 4096,
	LOGS_PACKETS_BACK = 128, /* so many are looked at for one to count a packet to */
	LOGS_CITES_MAX = 8,
};

/* A host that wrote a log. */
struct logs_host {
	const char *name;
	bool told;          /* the log itself names it; else it is called after its folder */
	bool has_at;        /* the next is valid */
	struct endpoint at; /* its address, by what its log and the captures share; port 0 */
	uint64_t counts[LOG_FACT_COUNT];
	struct provenance first[LOG_FACT_COUNT], last[LOG_FACT_COUNT];
};

/* Who complains about whom. */
struct logs_subject {
	const struct logs_host *host;
	const char *program; /* "nfs", "lockd", "nfs4 cb" ...; "" where there is none */
	const char *server;  /* as the messages name it; "" when they do not */
	bool server_is_address;
	struct endpoint server_at; /* valid with server_is_address; port 0 */
};

/*
 * From the first "not responding" to "OK". Several tasks complain about one server, each once:
 * that is one interval.
 */
struct logs_interval {
	struct logs_subject of;
	struct provenance first, last;   /* complaints */
	struct provenance ok;            /* FRAME_NONE: none follows in the log */
	uint64_t trying, gave_up;        /* complaints of the two wordings */
	struct provenance gave_up_first; /* FRAME_NONE: none */
	struct provenance cites[LOGS_CITES_MAX];
	uint32_t cites_len;
	/* The first interval of this subject, which may be this one, and the next; NULL: the last.
	 */
	struct logs_interval *head, *next;
};

/* Messages of one kind from one host about one peer. */
struct logs_tally {
	enum log_fact_kind kind;
	struct logs_subject of; /* its server: the peer that the messages name */
	uint64_t count;         /* messages */
	uint64_t sum;           /* of their numbers (locks lost); 0: they tell none */
	const char *subject;    /* and number: what the first one tells */
	int64_t number;
	bool mixed; /* others tell another subject or number */
	struct provenance first, last;
	struct provenance cites[LOGS_CITES_MAX];
	uint32_t cites_len;
};

/* From the link's loss to its return. */
struct logs_outage {
	struct provenance down;
	struct provenance up; /* FRAME_NONE: it did not come back in the log */
	uint64_t messages;    /* that said "down" meanwhile */
};

/* An interface of a host. */
struct logs_interface {
	const struct logs_host *host;
	const char *name;
	struct provenance first_up; /* FRAME_NONE: none seen */
	bool down;                  /* the last outage is not over */
	bool member;                /* of a bond, whose other links may carry on */
	uint64_t outages_count;     /* all, also those not kept */
	struct vec outages;         /* struct logs_outage */
	/* Outages that begin a log's view of the interface, before it was ever up: bring-up. */
	uint64_t downs_before_up;
};

/* A task that the kernel reported as hung; reported again and again, it is one. */
struct logs_task {
	const struct logs_host *host;
	const char *name;
	int64_t pid;
	int64_t seconds; /* blocked for more than this: the largest that was told */
	const char *where, *nfs_function, *waits_in; /* as in struct log_fact; "": not told */
	bool has_stack;
	uint64_t reports;
	struct provenance first, last;
};

/* Packets of one kind that a host's packet filter logged, without a longer gap. */
struct logs_packet {
	const struct logs_host *host;
	const char *prefix;       /* what the rule puts before them; may be "" */
	struct log_packet packet; /* the first one; its flags are those of all */
	uint64_t count;
	struct provenance first, last;
};

struct logs_model {
	struct arena arena;
	struct map known;      /* what is in which list; private to logs.c */
	struct vec hosts;      /* struct logs_host *, each list in order of first sight */
	struct vec intervals;  /* struct logs_interval * */
	struct vec losses;     /* struct logs_tally *: locks that a host lost at a server */
	struct vec mismatches; /* struct logs_tally *: clients that a server says tested states of
				* another client ID */
	struct vec monitors;   /* struct logs_tally *: hosts that a lockd cannot have watched */
	struct vec in_use;     /* struct logs_tally *: servers that refuse a host's client owner */
	struct vec recoveries; /* struct logs_tally *: servers at which a host's recovery fails */
	struct vec opens;      /* struct logs_tally *: open files that a host gave up in recovery */
	struct vec lock_steps; /* struct logs_tally *: a host's locks of NLM that its server does
				* not have, or has and the host does not: of three kinds */
	struct vec loops;      /* struct logs_tally *: listings that a host found to be a circle */
	struct vec upcalls;    /* struct logs_tally *: rpc.gssd did not take what a host asked */
	struct vec
		fileids; /* struct logs_tally *: servers that answered a host with another file */
	struct vec trackings;  /* struct logs_tally *: nfsd cannot keep who may reclaim */
	struct vec fragments;  /* struct logs_tally *: records that a server refused as too long */
	struct vec interfaces; /* struct logs_interface * */
	struct vec tasks;      /* struct logs_task * */
	struct vec packets;    /* struct logs_packet * */
	struct vec conntracks; /* struct logs_tally *: a host's table of connections was full,
				* without a longer gap */
	uint64_t dropped;      /* facts for which there was no room */
};

static inline const struct logs_interval *logs_interval_at(const struct logs_model *m, size_t index)
{
	return *(struct logs_interval **)vec_at(&m->intervals, index);
}

/* Of one of the lists of tallies. */
static inline const struct logs_tally *logs_tally_at(const struct vec *tallies, size_t index)
{
	return *(struct logs_tally **)vec_at(tallies, index);
}

void logs_model_init(struct logs_model *m);
void logs_model_deinit(struct logs_model *m);

/* Registers the model's sink. */
void logs_model_attach(struct logs_model *m, struct event_board *board);

#endif

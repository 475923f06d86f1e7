/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the rules say: findings with their proof, grouped into incidents. The shape follows the
 * JSON of docs (schema nfsleuth.diagnosis/1); writers print it, they never decide.
 *
 * All texts and findings live in the diagnosis' arena.
 */
#ifndef DIAGNOSE_FINDING_H
#define DIAGNOSE_FINDING_H

#include "base/arena.h"
#include "base/vec.h"
#include "event/ident.h"

enum finding_role { ROLE_CAUSE, ROLE_SYMPTOM, ROLE_CONTEXT };

/*
 * CERTAIN: the deciding fact is in the evidence. LIKELY: it rests on supporting facts.
 * POSSIBLE: other evidence would have to decide; the finding says which.
 */
enum finding_confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN };

/* Most cites kept for one finding: enough for a proof, few enough to be read. */
enum {
	FINDING_CITES_MAX = 8,
	FINDING_EXPLAINS_MAX = 64, /* noted by name; further ones are counted */
};

/* A place in the evidence that a person can look up. */
struct cite {
	struct provenance at;
	const char *text;     /* what is to be seen there */
	uint16_t decode_port; /* the server's port, for tshark's decode-as; 0: not needed */
	enum transport transport;
};

struct ruled_out {
	const char *id;      /* a finding id */
	const char *because; /* the fact that excludes it */
};

/* A subject of a finding by name: "owner", "session", "minor version" ... */
struct subject {
	const char *name;
	const char *value;
};

struct finding {
	const char *key; /* unique in a diagnosis: "nfs4-server-restart#1" */
	const char *id;
	size_t place; /* of the id, in catalogue_ids */
	enum finding_role role;
	enum finding_confidence confidence;
	const char *title;         /* one line: what happened to whom */
	const char *why;           /* the chain of reasoning, a few sentences */
	const char *server;        /* subject; NULL: none */
	const char *host;          /* whose log or stacks tell it, for joining findings; NULL */
	struct vec clients;        /* const char * */
	struct vec subjects;       /* struct subject: further ones, in the rule's order */
	struct endpoint server_at; /* for joining findings; zero: none */
	/* By which one server of several addresses is known: set by the engine. */
	struct endpoint server_root;
	struct vec clients_at; /* struct endpoint: hosts, for joining findings */
	/* struct endpoint: addresses of `host`, where the finding names none; set by the engine. */
	struct vec host_at;
	struct stamp first, last;
	uint64_t count;      /* how often it happened */
	struct vec cites;    /* struct cite, at most FINDING_CITES_MAX, in order of time */
	struct vec explains; /* struct finding *, at most FINDING_EXPLAINS_MAX */
	/* Further ones that it explains: each is `explained`, and of the same incident. */
	uint64_t explains_more;
	struct vec ruled_out;  /* struct ruled_out */
	struct vec remedy;     /* const char *: steps, most useful first */
	struct vec references; /* const char * */
	bool explained;        /* some cause explains it */
	size_t own_remedies;   /* steps by finding_add_remedy: the first of `remedy` */
	/* The engine's: another one that it is explained with, and so on; NULL: the last of them.
	 */
	struct finding *joined;
};

/* Of a vector of struct finding *. */
static inline struct finding *finding_at(const struct vec *findings, size_t index)
{
	return *(struct finding **)vec_at(findings, index);
}

/* A rule that nearly spoke. */
struct undecided {
	const char *id;
	const char *missing; /* the fact that is missing */
	const char *how;     /* the command that would get it */
};

/* Most links of one chain: a line or two, which somebody reads before all else. */
enum { CHAIN_LINKS_MAX = 8 };

/* A step on the way from an incident's cause to its end. */
struct chain_link {
	struct stamp at;
	int64_t after_ns; /* the link before it; -1: not known, or not later */
	const char *text; /* what began: the finding's title; or what shows the end */
	const struct finding *finding;
	const struct cite *cite; /* what shows it; NULL: nothing does */
	size_t more;             /* further findings of this kind */
	bool is_end;             /* the finding was over, and not: began */
};

struct incident {
	struct finding *headline; /* never NULL, never a context */
	const char *title;        /* the headline's, and how many more clients it hit */
	struct stamp first, last;
	struct vec findings; /* struct finding *: the headline first */
	struct vec clients;  /* const char *: all that its findings name */
	struct vec chain;    /* struct chain_link: the headline first, then in order of time */
};

struct diagnosis {
	struct arena arena;
	struct vec findings;  /* struct finding *: by incident, causes before symptoms */
	struct vec incidents; /* struct incident: the gravest first */
	struct vec undecided; /* struct undecided */
};

void diagnosis_init(struct diagnosis *d);
void diagnosis_deinit(struct diagnosis *d);

/*
 * Starts a finding. Role, remedy and references come from the catalogue entry of the id; title, why
 * and the rest are the rule's to fill in. Never NULL.
 */
struct finding *diagnosis_add(struct diagnosis *d, const char *id,
			      enum finding_confidence confidence);

/*
 * Copies the texts. A place that is already cited, or that is none (FRAME_NONE), is not cited; nor
 * are more than FINDING_CITES_MAX, so cite what proves most first. conn may be NULL.
 */
void finding_cite(struct diagnosis *d, struct finding *f, const struct provenance *at,
		  const struct conn *conn, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void finding_rule_out(struct diagnosis *d, struct finding *f, const char *id, const char *format,
		      ...) __attribute__((format(printf, 4, 5)));

/* A host as reports name it, without its port; kept with the diagnosis. */
const char *diagnosis_host_text(struct diagnosis *d, const struct endpoint *host);

void finding_subject(struct diagnosis *d, struct finding *f, const char *name, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));
/* The host is what the report names; further findings are joined by it. */
void finding_set_server(struct diagnosis *d, struct finding *f, const struct endpoint *server);

/* Adds the host of the endpoint to the clients, once. */
void finding_add_client(struct diagnosis *d, struct finding *f, const struct endpoint *client);

/* A step of the remedy that goes before those of the catalogue. */
void finding_add_remedy(struct diagnosis *d, struct finding *f, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes a rule that nearly spoke; the same id and fact are kept once. */
void diagnosis_undecided(struct diagnosis *d, const char *id, const char *missing, const char *how);

const char *finding_role_name(enum finding_role role);
const char *finding_confidence_name(enum finding_confidence confidence);

#endif

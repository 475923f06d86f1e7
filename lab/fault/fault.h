/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine of faults: when something goes wrong, and what. Endpoints show it each call and each
 * reply, and do what its verdict says. It reads no clock and no socket: time is an argument.
 *
 * A script has one statement a line (or several with semicolons):
 *
 *	NAME: when CONDITIONS do ACTION, ACTION...     see match.h and filter.h
 *	at TIME do ACTION...                           a server's actions, once, since the start
 *	# comment
 *
 * A call is judged when it comes, for what happens to it and for what will happen to its reply; the
 * plan for the reply is kept by the endpoint (struct fault_call) and shown with the reply.
 */
#ifndef FAULT_FAULT_H
#define FAULT_FAULT_H

#include "base/json.h"
#include "lab/fault/filter.h"

enum {
	FAULT_RULES_MAX = 256,
	FAULT_STEPS_MAX = 8,
	FAULT_NAME_BYTES_MAX = 64,
	FAULT_SCRIPT_BYTES_MAX = 1 << 20
};

struct fault_engine;

/* A fault that fired. All is borrowed, until the call returns. */
struct fault_firing {
	int64_t now_ns;
	const char *fault;                   /* its name */
	const char *actions;                 /* those that were done now: "drop reply" */
	const char *failure;                 /* why a server's action was not done, or NULL */
	const struct fault_message *message; /* NULL: "at", or the control socket */
};

typedef void fault_fired_fn(void *context, const struct fault_firing *firing);

/*
 * start_ns: what "after" and "at" count from. seed: of "chance"; the same seed and the same
 * messages give the same faults. Never NULL.
 */
struct fault_engine *fault_engine_create(uint64_t seed, int64_t start_ns);
void fault_engine_destroy(struct fault_engine *engine);

/* Who is told of each firing; `fired` may be NULL. */
void fault_engine_on_fired(struct fault_engine *engine, fault_fired_fn *fired, void *context);

/* The server that does server actions; without one statements that have them are errors. */
void fault_engine_serve(struct fault_engine *engine, const struct fault_server_ops *ops,
			void *context);

/*
 * Adds the statements of a script, or none of them. The error says "NAME:LINE: what is wrong".
 * Every fault has a name of its own, "fault1" and so on when the script gives none.
 */
struct err *fault_engine_add(struct fault_engine *engine, const char *name, struct slice script);

/* Removes the fault; fails when there is none of that name. */
struct err *fault_engine_remove(struct fault_engine *engine, const char *name);

/* Lets a fault with "told" fire `times` more, or does the actions of one with "at" now. */
struct err *fault_engine_fire(struct fault_engine *engine, const char *name, uint64_t times,
			      int64_t now_ns);

/* Turns a fault off, or on again. */
struct err *fault_engine_switch(struct fault_engine *engine, const char *name, bool on);

/* One line for each fault: name, how often it matched and fired, its text. */
void fault_engine_list(const struct fault_engine *engine, struct strbuf *out);

/* True without a fault: nothing needs to be judged. */
bool fault_engine_is_empty(const struct fault_engine *engine);

/*
 * Judges a call, connection, or (with the call's plan, else NULL) a reply. *v is wholly written.
 * What v->fired_count is 0 for passes as it is; but v->plan counts for a call all the same.
 */
void fault_engine_judge(struct fault_engine *engine, const struct fault_message *m,
			const struct fault_plan *plan, int64_t now_ns, struct fault_verdict *v);

/* The next time of an "at"; INT64_MAX: none. fault_engine_tick then does it. */
int64_t fault_engine_next_ns(const struct fault_engine *engine);
void fault_engine_tick(struct fault_engine *engine, int64_t now_ns);

/* The message with the verdict's edits; m must be whole (nothing missing). */
void fault_verdict_apply(const struct fault_verdict *v, const struct fault_message *m,
			 struct strbuf *out);

/* "12.345 s  slow: delay reply 2s  NFSv4.1 SEQUENCE PUTFH READ xid 0x12345678 from ADDRESS:PORT" */
void fault_firing_add_text(struct strbuf *out, const struct fault_firing *f);
void fault_firing_add_json(struct json *j, const struct fault_firing *f);

/*
 * A line of the control socket: "add STATEMENT", "remove NAME", "on NAME", "off NAME",
 * "fire NAME [TIMES]", "list", "help". Adds the answer's lines to `out`; the last is "ok" or
 * "error: why".
 */
void fault_control(struct fault_engine *engine, struct slice line, int64_t now_ns,
		   struct strbuf *out);

#endif

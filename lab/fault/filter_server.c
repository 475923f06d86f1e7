// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server does to its own state: rows of words. Steps of this filter are handed to the
 * server's fault_server_ops by the engine; nothing happens to the message.
 */
#include "lab/fault/filter.h"

#include "names/mount.h"
#include "names/nfs4.h"
#include "names/nlm.h"
#include "names/nsm.h"
#include "names/portmap.h"

static const struct row {
	const char *first, *second; /* second NULL: one word */
	enum fault_server_action action;
	const char *name;
} rows[] = {
	{"restart", NULL, FAULT_RESTART, "restart"},
	{"forget", "client", FAULT_FORGET_CLIENT, "forget client"},
	{"forget", "session", FAULT_FORGET_SESSION, "forget session"},
	{"forget", "stateid", FAULT_FORGET_STATEID, "forget stateid"},
	{"forget", "lock", FAULT_FORGET_LOCK, "forget lock"},
	{"expire", NULL, FAULT_EXPIRE, "expire"},
	{"grace", "end", FAULT_GRACE_END, "grace end"},
	{"grace", NULL, FAULT_GRACE, "grace"},
	{"revoke", NULL, FAULT_REVOKE, "revoke"},
	{"recall", NULL, FAULT_RECALL, "recall"},
	{"change", "scope", FAULT_CHANGE_SCOPE, "change scope"},
	{"change", "owner", FAULT_CHANGE_OWNER, "change owner"},
	{"change", "verifier", FAULT_CHANGE_VERIFIER, "change verifier"},
	{"fill", "slots", FAULT_FILL_SLOTS, "fill slots"},
	{"freeze", "nlm", FAULT_FREEZE_NLM, "freeze nlm"},
	{"move", "port", FAULT_MOVE_PORT, "move port"},
	{"shut", NULL, FAULT_SHUT, "shut"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Whose port is shut. */
static const struct {
	const char *word;
	uint32_t program;
} ports[] = {
	{"all", 0},        {"portmap", PMAP_PROG}, {"nfs", NFS4_PROGRAM}, {"mount", MOUNT_PROGRAM},
	{"nlm", NLM_PROG}, {"nsm", SM_PROG},
};

const char *fault_server_action_name(enum fault_server_action action)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].action == action)
			return rows[i].name;
	return "?";
}

static struct err *take_port(struct fault_words *w, struct fault_step *step)
{
	const char *word = fault_words_at_end(w) ? NULL : fault_words_peek(w);

	if (!word || strcasecmp(word, "for") == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (!fault_words_take_if(w, ports[i].word))
			continue;
		step->number = ports[i].program;
		return NULL;
	}
	return err_new("shut: whose port? write portmap, nfs, mount, nlm, nsm or all");
}

/* This filter has no name of its own: its first word is one of the rows'. */
static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	bool knows_first = false;

	step->side = FAULT_CALL;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];

		if (!knows_first && !fault_words_take_if(w, row->first))
			continue;
		if (knows_first && strcmp(row->first, rows[i - 1].first) != 0)
			break;
		knows_first = true;
		if (row->second && !fault_words_take_if(w, row->second))
			continue;
		step->action = row->action;
		if (step->action == FAULT_SHUT) {
			struct err *err = take_port(w, step);

			if (err)
				return err;
		}
		return fault_take_for(w, &step->duration_ns);
	}
	if (!knows_first)
		return err_new("no such action");
	return err_new("write one of: restart, forget client|session|stateid|lock, expire, grace "
		       "[end], revoke, recall, change scope|owner|verifier, fill slots, "
		       "freeze nlm, move port, shut [PORT]");
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)step, (void)op, (void)v;
}

const struct fault_filter fault_filter_server = {
	.name = NULL,
	.usage = "restart|forget WHAT|expire|grace [end]|revoke|recall|change WHAT|fill slots|"
		 "freeze nlm|move port|shut [PORT] [for TIME]",
	.parse = parse,
	.judge = judge,
};

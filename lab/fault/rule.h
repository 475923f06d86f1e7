/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One fault of a script: private to the engine and the parser of scripts. */
#ifndef FAULT_RULE_H
#define FAULT_RULE_H

#include "lab/fault/fault.h"
#include "lab/fault/match.h"

struct fault_rule {
	uint32_t id;
	char name[FAULT_NAME_BYTES_MAX + 1]; /* empty: the engine gives one */
	char *text;                          /* the statement */
	bool is_off;
	bool is_timed; /* "at": no match, but at_ns since the start */
	bool is_done;  /* the time of "at" has come */
	int64_t at_ns;
	struct fault_match match;
	uint32_t steps_len;
	struct fault_step steps[FAULT_STEPS_MAX];
	uint64_t matched_count; /* by all but nth, every, first, skip, times, chance, told */
	uint64_t fired_count;
	uint64_t told_count; /* how often it may still fire, with "told" */
};

void fault_rule_deinit(struct fault_rule *rule);

/*
 * Reads one statement, up to a semicolon or the end. server: who does server actions; NULL: nobody.
 * On failure the rule is deinitialised.
 */
struct err *fault_rule_parse(struct fault_words *w, const struct fault_server_ops *server,
			     struct fault_rule *rule);

/* Does the fault do something to messages of that side? */
bool fault_rule_has_side(const struct fault_rule *rule, enum fault_side side);

/* Counts the match and decides by counts, times and chance. */
bool fault_rule_fires(struct fault_rule *rule, int64_t since_start_ns, uint64_t *random);

/* The words of the steps of that side, as in the script. */
void fault_rule_add_actions(const struct fault_rule *rule, enum fault_side side,
			    struct strbuf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a fault fires: the conditions between "when" and "do". All of them must hold.
 *
 *	any | NAME[|NAME...]      operations or procedures by the names that Wireshark shows, or
 *programs: READ, LOCK, NLM.LOCK, NFS3.READ, NFS4.OPEN, MOUNT, NLM connect                   a
 *client connects program N, version N, minor N, procedure N, callback from ADDRESS[/BITS] client
 *	uid N, slot N
 *	path GLOB                 with a slash the whole path, else its last name; handle HEX
 *	status NAME               of the reply
 *	nth N, every N, first N, skip N, once, times N      counted over what the others let pass
 *	chance N%
 *	between TIME and TIME, after TIME, until TIME       since the start
 *	told                      only as often as the control socket says ("fire NAME")
 */
#ifndef FAULT_MATCH_H
#define FAULT_MATCH_H

#include "base/vec.h"
#include "lab/fault/message.h"
#include "lab/fault/status.h"

/* One name of an operation, procedure or program. */
struct fault_target {
	uint32_t program; /* 0: any; callbacks: 0x40000000 */
	uint32_t version; /* 0: any */
	bool has_number;
	bool is_op; /* `number` is an operation's */
	uint32_t number;
};

struct fault_match {
	bool on_connect;
	bool is_callback;
	bool has_uid, has_slot, has_minor, has_procedure, has_status, has_from;
	bool is_told;
	uint32_t program, version; /* 0: any */
	uint32_t minor, procedure, uid, slot;
	struct vec targets; /* struct fault_target; empty: any */
	uint8_t from[16];
	unsigned from_bits;
	char *path; /* a pattern of fnmatch(3), or NULL */
	uint8_t handle[FAULT_HANDLE_BYTES_MAX];
	size_t handle_len; /* 0: any */
	struct fault_status status;
	uint64_t nth, every, first, skip, times; /* 0: not asked for */
	uint32_t chance;                         /* of 2^32; 0: not asked for */
	int64_t after_ns, until_ns;              /* since the start; until INT64_MAX */
};

void fault_match_init(struct fault_match *match);
void fault_match_deinit(struct fault_match *match);

/* Reads the conditions up to "do", which is left. */
struct err *fault_match_parse(struct fault_match *match, struct fault_words *w);

/*
 * Do the facts of the call or connection fit? Neither counts, nor times, nor the reply's status are
 * looked at. *op is the index of the first operation that fits, 0 where none was asked for.
 */
bool fault_match_test(const struct fault_match *match, const struct fault_message *m, uint8_t *op);

/* Is an operation, procedure or file asked for, so that `op` of fault_match_test means something?
 */
bool fault_match_has_op(const struct fault_match *match);

/* Targets of one word, for fault_match_parse: match_target.c. */
struct err *fault_target_parse(const char *word, struct vec *targets);

bool fault_target_fits(const struct fault_target *t, const struct fault_message *m,
		       const struct fault_op *op);

#endif

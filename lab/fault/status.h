/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A status by its name in the protocol: "NFS4ERR_DELAY", "NFS3ERR_JUKEBOX", "MNT3ERR_ACCES",
 * "NLM4_DENIED_NOLOCKS", or one of RPC itself: "PROG_UNAVAIL", "SYSTEM_ERR", "AUTH_BADCRED".
 */
#ifndef FAULT_STATUS_H
#define FAULT_STATUS_H

#include "lab/fault/message.h"
#include "lab/fault/words.h"

enum fault_status_kind {
	FAULT_STATUS_PROGRAM, /* of one version of a program */
	FAULT_STATUS_ANY,     /* a bare number: of whichever program */
	FAULT_STATUS_ACCEPT,  /* enum rpc_accept_stat */
	FAULT_STATUS_AUTH,    /* auth_stat of a denied reply */
};

struct fault_status {
	enum fault_status_kind kind;
	uint32_t program, version; /* FAULT_STATUS_PROGRAM */
	uint32_t value;
};

/* Takes a name or a number; an unknown name is an error that shows one of each kind. */
struct err *fault_status_parse(struct fault_words *w, struct fault_status *out);

/* True when results of that program can have this status. */
bool fault_status_fits(const struct fault_status *s, const struct fault_message *m);

/* True when the reply has it: the operation of that index, or FAULT_OP_WHOLE. */
bool fault_status_is(const struct fault_status *s, const struct fault_message *reply, uint32_t op);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fault can ask a server to do to its own state. A proxy has none and refuses them. */
#ifndef FAULT_SERVER_H
#define FAULT_SERVER_H

#include "lab/fault/message.h"

enum fault_server_action {
	FAULT_RESTART,        /* all state is lost, new instance, grace period */
	FAULT_FORGET_CLIENT,  /* of the call's client; all clients without a call */
	FAULT_FORGET_SESSION, /* likewise */
	FAULT_FORGET_STATEID, /* of the call's file or client: opens and delegations */
	FAULT_FORGET_LOCK,    /* byte-range locks, of NLM too */
	FAULT_EXPIRE,         /* the client's lease has run out */
	FAULT_GRACE,          /* a grace period begins, or lasts longer by duration_ns */
	FAULT_GRACE_END,
	FAULT_REVOKE,          /* delegations and locks of the client */
	FAULT_RECALL,          /* delegations of the client */
	FAULT_CHANGE_SCOPE,    /* server scope of EXCHANGE_ID */
	FAULT_CHANGE_OWNER,    /* server owner */
	FAULT_CHANGE_VERIFIER, /* of WRITE and COMMIT */
	FAULT_FILL_SLOTS,      /* every slot of the session counts as in use, for duration_ns */
	FAULT_FREEZE_NLM,      /* the lock manager answers nothing, for duration_ns */
	FAULT_MOVE_PORT,       /* the lock manager listens on another port */
	FAULT_SHUT,            /* nobody listens at the ports of `program`, for duration_ns */
};

struct fault_server_request {
	enum fault_server_action action;
	int64_t duration_ns;              /* 0: for good, or the server's default */
	uint32_t program;                 /* FAULT_SHUT; 0: all */
	const struct fault_message *call; /* whose; NULL: nobody's in particular */
	int64_t now_ns;
};

struct fault_server_ops {
	/* NULL, or why it could not. Runs inside of fault_engine_judge. */
	struct err *(*act)(void *context, const struct fault_server_request *request);
	bool has_ports_only; /* no state: FAULT_SHUT is all that it does */
};

/* "forget client" and the like. */
const char *fault_server_action_name(enum fault_server_action action);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server says of its own table of NFSv4 clients: who came, who was replaced by whom, who
 * went. Texts are borrowed: a sink copies what it keeps.
 */
#ifndef EVENT_CLID_H
#define EVENT_CLID_H

#include "base/slice.h"
#include "event/ident.h"

enum clid_fact_kind {
	CLID_FRESH,    /* a client of this name and verifier got a client ID */
	CLID_REPLACED, /* the client of `clientid`, with `old_verifier`, came with `verifier` */
	CLID_CONFIRMED,
	CLID_GONE, /* expired, destroyed, purged */
	/* A confirmed client was thrown out, because its owner came with another verifier. */
	CLID_EXPELLED,
	CLID_SESSION_MISSED, /* a session was used that is not there, or not any more */
	CLID_SESSION_ENDED,  /* a client asked for the end of a session */
	CLID_STARTED,        /* the server began its grace period: `clientid` has its start */
	CLID_GRACE_OVER,
	CLID_STALE, /* a client used `clientid`, of another start than that of the server now */
	CLID_USED, /* a client used `clientid`, the first one of its start since another was told */
	CLID_GIVEN, /* likewise, and the server gave it, or knows it */
};

struct clid_fact {
	enum clid_fact_kind kind;
	uint64_t
		clientid; /* the server's start in the upper half, as nfsd prints it; 0: not told */
	uint64_t verifier, old_verifier; /* 0: not told */
	struct slice name;               /* FRESH: the client's owner; else empty */
	bool has_client;
	struct endpoint client; /* valid with has_client: whose call it was */
	struct slice host;      /* whose table: as in struct log_fact */
	bool host_told;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts that a kernel log tells. A line is one fact at most; what is not known here is no fact,
 * only counted. Texts are borrowed from the line: a sink copies what it keeps.
 */
#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "base/slice.h"
#include "event/filter.h"
#include "event/ident.h"

enum log_fact_kind {
	LOG_NOT_RESPONDING, /* "PROGRAM: server NAME not responding, still trying" or ", timed out"
			     */
	LOG_RESPONDING,     /* "PROGRAM: server NAME OK" */
	LOG_LINK_DOWN,      /* an interface lost its link, or was taken down */
	LOG_LINK_UP,
	LOG_LOCKS_LOST,       /* "NFS: NAME: lost N locks", "Lock reclaim failed!" */
	LOG_RECOVERY_FAILED,  /* "NFS: state manager: SECTION failed on NFSv4 server NAME with error
				 N" */
	LOG_OPEN_UNRECOVERED, /* "state recovery failed for open file PATH, error = N" */
	LOG_CLIENTID_IN_USE,  /* "Server NAME reports our clientid is in use" */
	LOG_CLIENTID_MISMATCH, /* nfsd: "testing state ID with incorrect client ID" */
	LOG_READDIR_LOOP,      /* "NFS: directory PATH contains a readdir loop" */
	LOG_GSS_UPCALL,        /* "RPC: AUTH_GSS upcall timed out": rpc.gssd did not take it */
	LOG_MONITOR_FAILED,    /* "lockd: cannot monitor NAME" */
	LOG_LOCK_UNRECLAIMED,  /* "lockd: failed to reclaim lock for pid N (errno N, status N)" */
	LOG_UNLOCK_REFUSED,    /* "lockd: unexpected unlock status: N" */
	LOG_LOCK_OUT_OF_STEP,  /* lockd: "VFS is out of sync with lock manager" */
	LOG_FILEID_CHANGED,    /* "NFS: server NAME error: fileid changed" */
	LOG_FRAGMENT_REFUSED,  /* a server: an RPC record is longer than it takes */
	LOG_TRACKING_FAILED,   /* nfsd cannot keep which clients may reclaim: "Unable to initialize
				* client recovery tracking! (ERROR)" */
	LOG_GRACE_STARTED,     /* nfsd: "starting N-second grace period" */
	LOG_GRACE_SKIPPED, /* nfsd: "no clients to reclaim, skipping NFSv4 grace period": it starts
			    * all the same */
	LOG_GRACE_ENDED,
	LOG_NFS_LOADED,  /* "FS-Cache: Netfs 'nfs' registered": the client's NFS starts */
	LOG_NFS4_LOADED, /* "Key type id_resolver registered": its NFSv4 starts, at the first mount
			  * where it is a module */
	LOG_HUNG_TASK,   /* "task NAME:PID blocked for more than N seconds" */
	LOG_SOFT_LOCKUP, /* "BUG: soft lockup - CPU#N stuck for Ns! [NAME:PID]" */
	LOG_AWAKE,       /* the machine woke up from suspend or hibernation */
	LOG_OUT_OF_MEMORY,
	LOG_PACKET,         /* a packet filter's rule logs a packet: struct log_packet */
	LOG_CONNTRACK_FULL, /* "nf_conntrack: table full, dropping packet" */
	LOG_BOOT,           /* the log's first line of a boot: "Linux version ..." */
	LOG_FACT_COUNT,
};

/* What the text that a LOG rule puts before a packet says of the packet's fate. It is a name that
 * somebody gave, and no proof. */
enum log_fate {
	LOG_FATE_UNTOLD,
	LOG_FATE_DROPPED, /* "[UFW BLOCK]", "IN_DROP:" ... */
	LOG_FATE_REJECTED,
	LOG_FATE_PASSED,
};

struct log_packet {
	struct endpoint src, dst; /* port 0: the protocol has none */
	uint8_t protocol;         /* of IP; 0: not known */
	uint8_t flags;            /* of TCP */
	enum filter_hook hook;    /* by IN= and OUT= */
	enum log_fate fate;
};

struct log_fact {
	enum log_fact_kind kind;
	struct slice line; /* the message without its time, host and tag */
	struct slice host; /* who wrote the line: as the log tells, else a name for its folder */
	bool host_told;    /* the log itself names the host */
	bool has_host_at;  /* the next is valid */
	struct endpoint host_at; /* its address, by what log and captures share; port 0 */
	struct slice program;    /* NOT_RESPONDING, RESPONDING: "nfs", "lockd", "nfs4 cb" ...; "nfs
				  * client"    of other kernels than Linux */
	struct slice server;     /* the NAME in the message: a host name or an address; or empty */
	bool server_is_address;
	struct endpoint server_at; /* valid with server_is_address; port 0 */
	struct slice subject;      /* interface, section, path or task name, what a LOG rule puts
				    * before a packet, a status of NLM; or empty */
	struct log_packet packet;  /* PACKET */
	bool gave_up;              /* NOT_RESPONDING: "timed out", not "still trying" */
	bool member;               /* LINK_*: of a bond, whose other links may carry on */
	int64_t number;            /* locks lost, error, PID, seconds of grace; 0: none */
	int64_t seconds;           /* HUNG_TASK, SOFT_LOCKUP: for so long; else 0 */
	struct slice
		detail; /* HUNG_TASK: the lines of its stack, as they stand in the log; or empty */
	/* HUNG_TASK, from its stack; empty: not told. The innermost function that is no plain wait,
	 * the innermost of NFS and its transport that is none either, and what it waits in. */
	struct slice where, nfs_function, waits_in;
	/* The stamp of the line as written; `at` of the event is the same. In a boot-relative log
	 * that also tells the wall time (syslog with "[123.456]"), the boot-relative one too. */
	bool has_boot_time;
	int64_t boot_ns;
};

#endif

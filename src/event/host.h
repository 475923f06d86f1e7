/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host lists of itself at one moment: its TCP connections (ss, netstat), the RPC services of
 * a portmapper (rpcinfo), its own addresses (ip address), the clients of an NFS server
 * (/proc/fs/nfsd/clients), and what it counts of RPC (nfsstat, /proc/net/rpc) and of the network
 * (nstat, netstat -s, /proc/net/snmp); and what a program was told by its system calls (strace).
 * Texts are borrowed: a sink copies what it keeps.
 */
#ifndef EVENT_HOST_H
#define EVENT_HOST_H

#include "base/slice.h"
#include "event/ident.h"

/* Linux include/net/tcp_states.h. Listening sockets are told by listener_fact. */
enum socket_state {
	SOCKET_ESTABLISHED,
	SOCKET_SYN_SENT,
	SOCKET_SYN_RECV,
	SOCKET_FIN_WAIT1,
	SOCKET_FIN_WAIT2,
	SOCKET_TIME_WAIT,
	SOCKET_CLOSE_WAIT,
	SOCKET_LAST_ACK,
	SOCKET_CLOSING,
	SOCKET_STATE_COUNT,
};

/* Which timer of the connection runs (idiag_timer, net/ipv4/inet_diag.c). */
enum socket_timer {
	SOCKET_TIMER_UNKNOWN,   /* the list does not tell timers */
	SOCKET_TIMER_NONE,      /* it does, and none is shown */
	SOCKET_TIMER_SEND,      /* what was sent is not acknowledged, and will be sent again */
	SOCKET_TIMER_KEEPALIVE, /* probes of an idle connection */
	SOCKET_TIMER_WAIT,      /* TIME-WAIT, or an orphan in FIN-WAIT-2 */
	SOCKET_TIMER_PROBE,     /* it may not send, and asks when it may */
};

struct socket_fact {
	enum socket_state state;
	struct endpoint local, peer;
	uint64_t recv_q, send_q; /* bytes; send_q counts a SYN or FIN as one */
	enum socket_timer timer;
	uint64_t repeats; /* how often it was sent again, or probed, in vain; 0 where not told */
	/* Milliseconds since data was sent and data and an acknowledgement came. */
	bool has_times;
	uint64_t sent_ms, received_ms, acked_ms;
	uint64_t rtt_us; /* TCP's smoothed round trip; 0: not told */
};

/* A listening socket, in the same lists. */
struct listener_fact {
	uint16_t port;
	uint64_t waiting; /* connections that are made and not accepted yet */
	uint64_t room;    /* so many may wait; 0: not told */
};

/* A row of `rpcinfo -p`; or one of `rpcinfo`, which has the address in universal form. */
struct service_fact {
	uint32_t program, version;
	bool is_tcp, is_udp; /* neither: another transport */
	uint16_t port;       /* 0: not told */
};

/* NFSD4_CB_UP and so on (fs/nfsd/state.h), as client_info_show prints them. */
enum callback_state { CALLBACK_UNKNOWN, CALLBACK_UP, CALLBACK_DOWN, CALLBACK_FAULT };

/* A client of an NFS server: its file `info` (fs/nfsd/nfs4state.c, client_info_show). */
struct nfsd_client_fact {
	struct slice name; /* the client owner */
	struct slice implementation;
	struct endpoint at;
	bool has_address;
	uint64_t clientid;
	uint32_t minor;
	bool confirmed, courtesy, expirable;
	bool has_renewed;
	uint64_t renewed_s; /* seconds since it last renewed its lease */
	uint64_t revoked;   /* states that an administrator took away, and that it has not freed */
	uint64_t slots;     /* of its first session; 0: not told (before 6.14) */
	enum callback_state callback;
	uint64_t callback_line; /* 0: not told */
};

enum nfsd_state_kind { NFSD_STATE_OPEN, NFSD_STATE_LOCK, NFSD_STATE_DELEG, NFSD_STATE_LAYOUT };

/* What a client of an NFS server holds: a row of its file `states`. */
struct nfsd_state_fact {
	enum nfsd_state_kind kind;
	uint64_t clientid;  /* as in nfsd_client_fact */
	struct slice inode; /* as in file_lock_fact; empty: not told */
	struct slice file;  /* its name; empty: not told */
};

/* What a host counted of RPC since it booted, as client or as server. */
struct rpc_counts_fact {
	bool server;
	uint64_t calls;
	uint64_t retransmissions;                  /* of a client */
	uint64_t bad_format, bad_auth, bad_client; /* of a server */
};

/* What a host has counted since it booted, or since its service was started. */
enum host_counter {
	COUNT_TCP_SENT, /* segments, without those sent again */
	COUNT_TCP_RESENT,
	COUNT_TCP_BAD, /* that came with a wrong checksum or header */
	COUNT_UDP_BAD, /* that came so, or found no room */
	COUNT_IP_REASSEMBLY_FAILED,
	COUNT_LISTEN_OVERFLOWS, /* connections that came to a full queue of some program */
	COUNT_REPLY_CACHE_HITS, /* calls of nfsd that it had answered before */
	COUNT_NFSD_ALL_BUSY,    /* the last free thread was taken; 0 for ever from 2.6.33 on */
	COUNT_POOL_WOKEN,       /* an idle thread of nfsd was found for work, in one pool */
	HOST_COUNTERS,
};

struct counter_fact {
	enum host_counter counter;
	uint32_t part; /* of a host that counts it in parts */
	uint64_t value;
};

/* Calls of one name in an strace that failed with one error, or that took long. */
struct syscall_fact {
	struct slice name;  /* "read" */
	struct slice error; /* "EIO"; empty: it is told because of its time */
	struct slice path;  /* of the call that is shown; empty: not known */
	uint64_t count;
	uint64_t paths;             /* different ones, counted up to 16 */
	int64_t longest_ns, sum_ns; /* longest -1: the trace does not tell */
	bool unfinished;            /* the trace ended before it */
};

/* A row of /proc/locks (fs/locks.c, lock_get_status). */
struct file_lock_fact {
	uint64_t number; /* of the row; those that wait have that of what they wait for */
	bool waits;
	bool breaking; /* a lease or delegation that is being recalled */
	bool write;
	int64_t pid;
	struct slice kind;  /* "POSIX", "DELEG" ... */
	struct slice inode; /* "fd:00:2531452" */
	struct slice range; /* "0 EOF" */
};

/* An address of the host itself, as ip(8) and ifconfig(8) list them. */
struct address_fact {
	struct endpoint at; /* port 0 */
};

enum host_fact_kind {
	HOST_SOCKET,
	HOST_SERVICE,
	HOST_NFSD_CLIENT,
	HOST_RPC_COUNTS,
	HOST_SYSCALL,
	HOST_FILE_LOCK,
	HOST_ADDRESS,
	HOST_COUNTER,
	HOST_LISTENER,
	HOST_NFSD_STATE,
};

struct host_fact {
	enum host_fact_kind kind;
	/* Rows of one table, counters of one reading, have the same number, ascending in a run. */
	uint32_t list;
	union {
		struct socket_fact socket;
		struct service_fact service;
		struct nfsd_client_fact client;
		struct rpc_counts_fact counts;
		struct syscall_fact syscall;
		struct file_lock_fact lock;
		struct address_fact address;
		struct counter_fact counter;
		struct listener_fact listener;
		struct nfsd_state_fact state;
	};
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of RPC services that waits as the Linux kernel does: one task, which calls and waits.
 * Calls are sent again, connections made anew and complaints said by the kernel's arithmetic
 * (src/timing; net/sunrpc/xprtsock.c for connections), in the kernel's words, on standard output.
 */
#ifndef LAB_PROBE_CLIENT_H
#define LAB_PROBE_CLIENT_H

#include "lab/rpc/message.h"
#include "lab/rpc/record.h"
#include "net/address.h"
#include "net/stream.h"
#include "net/timer.h"
#include "timing/schedule.h"

enum {
	CLIENT_CALL_BYTES_MAX = 128 << 10,
	CLIENT_REPLY_BYTES_MAX = 2 << 20,
	CLIENT_HANDLE_BYTES_MAX = 128,
	CLIENT_NAME_BYTES_MAX = 64,
};

/* What has become of a call. */
enum client_result {
	CLIENT_ANSWERED, /* its results are here */
	CLIENT_REFUSED,  /* denied, or not accepted; client->why tells */
	CLIENT_FAILED,   /* a soft mount gave up */
	CLIENT_OVER,     /* the task's time is up */
};

struct client_peer;

/* The reply to a call that was posted; results: behind a header that says success, else empty. */
typedef void client_reply_fn(void *context, uint32_t xid, struct cursor results);

/*
 * Answers a call that came on a connection of ours (NFSv4.1 callbacks). Writes the whole reply;
 * false: no answer.
 */
typedef bool client_serve_fn(void *context, const struct rpc_in *in, struct xdr_writer *reply);

/* One task, with the loop that it waits in. */
struct client {
	struct net_loop loop;
	struct net_timer timer;
	int64_t end_ns;  /* when the task's time is up; INT64_MAX: never */
	int64_t shut_ns; /* when the next connection that waits sends its FIN; INT64_MAX: never */
	uint32_t next_xid;
	struct rpc_auth_sys sys;
	char machine[CLIENT_NAME_BYTES_MAX];
	char server_name[NET_ADDRESS_TEXT_BYTES]; /* as complaints name it */
	struct net_address server;
	uint8_t *call;  /* CLIENT_CALL_BYTES_MAX */
	uint8_t *reply; /* CLIENT_REPLY_BYTES_MAX */
	uint32_t why;   /* accept_stat or, with DENIED, auth_stat */
};

/* A service of the server, and the connection to it. */
struct client_peer {
	struct client *client;
	const char *voice; /* "nfs", "lockd": in whose name it complains; NULL: never */
	struct net_address to;
	uint16_t from_port; /* kept over connections, as the kernel does; 0: any */
	struct net_stream *stream;
	bool connected;
	int64_t connect_ns;      /* when the next connection may be tried */
	int64_t connect_late_ns; /* when the attempt under way is given up */
	uint64_t connections;    /* how many were established */
	struct rpc_assembler assembler;
	client_serve_fn *serve; /* NULL: calls of the other side are not answered */
	void *serve_context;
	client_reply_fn *replied; /* to what was posted; NULL: nobody wants to know */
	void *replied_context;
	/* The call under way. */
	struct timing_call timing;
	struct xdr_writer writer;
	uint32_t xid;
	bool waiting, sent, answered;
	size_t reply_len;
};

/*
 * `server`: an address. `speed`: how many seconds pass in one of the machine's. Fails on a wrong
 * address, and without a loop.
 */
struct err *client_init(struct client *c, const char *server, double speed);
void client_deinit(struct client *c);

int64_t client_now_ns(const struct client *c);
bool client_is_over(const struct client *c);

/* Waits; false when the time was up before. Peers' connections are served meanwhile. */
bool client_sleep(struct client *c, int64_t ns);

/* The same, until *over is true: something that comes sets it, and stops the loop. */
bool client_sleep_unless(struct client *c, int64_t ns, const bool *over);

/* Says a line as the kernel would. */
void client_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `timing`: of its calls. Nothing is connected yet. */
void client_peer_init(struct client_peer *p, struct client *c, const char *voice, uint16_t port,
		      const struct timing_call *timing);
void client_peer_deinit(struct client_peer *p);

/*
 * One who connected to us and calls: its socket belongs to the peer from now on. Nothing is called
 * over it; p->stream is NULL when it is gone.
 */
void client_peer_accept(struct client_peer *p, struct client *c, int fd,
			const struct net_address *from, client_serve_fn *serve, void *context);

/* Starts a call: the caller writes its arguments into what is returned, and client_call sends it.
 */
struct xdr_writer *client_begin(struct client_peer *p, uint32_t program, uint32_t version,
				uint32_t procedure);

/*
 * Sends the call that was begun and waits for its answer, as long as the kernel would. *results is
 * valid until the next call is begun.
 */
enum client_result client_call(struct client_peer *p, struct cursor *results);

/*
 * Sends the call that was begun and does not wait: p->replied is told. It is not sent again; false
 * without a connection.
 */
bool client_post(struct client_peer *p);

#endif

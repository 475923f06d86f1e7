// SPDX-License-Identifier: GPL-2.0-or-later
/* See service.h. */
#include "lab/serve/service.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lab/serve/nfs4_faults.h"
#include "lab/serve/nfs4_server.h"
#include "net/timer.h"

#define NS_PER_S INT64_C(1000000000)

enum { NFS_VERSION_4 = 4, NAME_BYTES = 64 };

struct service {
	struct net_loop *loop;
	struct service_config config;
	struct tree *tree;
	struct server server;
	struct nfs4_server *nfs4; /* NULL: not served */
	struct endpoint *endpoint;
	struct net_timer tick; /* leases, grace, recalls */
};

static int64_t now_of(const struct service *s)
{
	return net_loop_now_ns(s->loop);
}

static void log_nfs4(void *context, const char *text)
{
	struct service *s = context;
	char line[512];

	if (!s->config.endpoint.log)
		return;
	snprintf(line, sizeof(line), "nfs4: %s", text);
	s->config.endpoint.log(s->config.endpoint.context, line);
}

static void on_tick(void *context)
{
	struct service *s = context;
	int64_t now_ns = now_of(s);
	int64_t next_ns = nfs4_tick(s->nfs4, now_ns);

	/* Calls that come meanwhile may want it earlier than it thinks now. */
	net_timer_start(&s->tick, next_ns < now_ns + NS_PER_S ? next_ns - now_ns : NS_PER_S);
}

static void on_answer(void *context, uint64_t token, bool answered, struct cursor results)
{
	struct service *s = context;

	nfs4_callback_done(s->nfs4, token, answered, results, now_of(s));
	on_tick(s);
}

/* NFSv4's callbacks: on a connection of the client's, or to the address that it told. */
static bool send_callback(void *context, const struct nfs4_callback *callback)
{
	struct service *s = context;
	struct endpoint_call call = {.connection = callback->connection,
				     .transport = RPC_OVER_TCP,
				     .program = callback->program,
				     .version = 1,
				     .procedure = callback->procedure,
				     .args = callback->args,
				     .answer = on_answer,
				     .context = s,
				     .token = callback->token};
	struct err *err;

	if (!callback->connection) {
		if (!callback->address)
			return false;
		err = net_address_parse_universal(slice_of_string(callback->address), &call.to);
		if (err) {
			err_destroy(err);
			return false;
		}
	}
	return s->endpoint && endpoint_call_out(s->endpoint, &call);
}

static void on_closed(void *context, uint64_t connection)
{
	struct service *s = context;

	if (s->nfs4)
		nfs4_connection_closed(s->nfs4, connection, now_of(s));
}

static struct nfs4_server *nfs4_make(struct service *s)
{
	char name[NAME_BYTES];
	struct nfs4_server_config config = {
		.tree = s->tree,
		.ops = {.send_callback = send_callback, .log = log_nfs4, .context = s},
		.owner = name,
		.scope = name,
		.wall_offset_ns = s->server.wall_offset_ns,
		.boot_seconds = (uint32_t)(net_loop_utc_ns(s->loop) / NS_PER_S),
		.lease_seconds = s->config.lease_seconds,
		.grace_seconds = s->config.grace_seconds,
		.max_minor = 2,
		.max_io_bytes = SERVER_IO_BYTES_MAX,
	};

	snprintf(name, sizeof(name), "nfsleuth-%llx",
		 (unsigned long long)(s->server.wall_offset_ns / 1000));
	return nfs4_server_create(&config, now_of(s));
}

struct service *service_create(struct net_loop *loop, const struct service_config *config)
{
	struct service *s = mem_alloc(1, sizeof(*s));
	int64_t utc_ns = net_loop_utc_ns(loop);

	s->loop = loop;
	s->config = *config;
	s->tree = tree_create(&config->limits, (uint64_t)utc_ns, utc_ns);
	server_init(&s->server, s->tree, utc_ns - now_of(s));
	if (config->versions)
		s->server.versions = config->versions;
	if (s->server.versions >> NFS_VERSION_4 & 1)
		s->nfs4 = nfs4_make(s);
	s->server.nfs4 = s->nfs4;
	net_timer_init(&s->tick, loop, on_tick, s);
	return s;
}

void service_destroy(struct service *s)
{
	if (!s)
		return;
	net_timer_deinit(&s->tick);
	endpoint_destroy(s->endpoint);
	nfs4_server_destroy(s->nfs4);
	server_deinit(&s->server);
	tree_destroy(s->tree);
	free(s);
}

struct tree *service_tree(struct service *s)
{
	return s->tree;
}

struct err *service_open(struct service *s, struct fault_engine *engine)
{
	struct err *err;

	s->config.endpoint.engine = engine;
	err = endpoint_create(s->loop, &s->server, &s->config.endpoint, &s->endpoint);
	if (err)
		return err;
	endpoint_on_closed(s->endpoint, on_closed, s);
	if (s->nfs4)
		on_tick(s);
	return NULL;
}

uint16_t service_port(const struct service *s, enum server_port port)
{
	return endpoint_port(s->endpoint, port);
}

static void say(struct service *s, const char *text)
{
	if (s->config.endpoint.log)
		s->config.endpoint.log(s->config.endpoint.context, text);
}

/* What belongs to no protocol's state, or to that of version 3. True: it was done. */
static bool act_here(struct service *s, const struct fault_server_request *request)
{
	switch (request->action) {
	case FAULT_RESTART:
		say(s, "the server restarts: state is lost, connections break");
		s->server.write_verifier++;
		if (s->endpoint)
			endpoint_reset_all(s->endpoint);
		return true;
	case FAULT_CHANGE_VERIFIER:
		s->server.write_verifier++;
		return true;
	case FAULT_FORGET_CLIENT:
	case FAULT_FORGET_SESSION:
	case FAULT_FORGET_STATEID:
	case FAULT_FORGET_LOCK:
	case FAULT_EXPIRE:
	case FAULT_GRACE:
	case FAULT_GRACE_END:
	case FAULT_REVOKE:
	case FAULT_RECALL:
	case FAULT_CHANGE_SCOPE:
	case FAULT_CHANGE_OWNER:
	case FAULT_FILL_SLOTS:
	case FAULT_FREEZE_NLM:
	case FAULT_MOVE_PORT:
		break;
	}
	return false;
}

static struct err *act(void *context, const struct fault_server_request *request)
{
	struct service *s = context;
	struct err *err = NULL;
	bool done = act_here(s, request);

	if (s->nfs4)
		err = nfs4_fault_act(s->nfs4, request);
	else if (!done)
		err = err_new("version 4 is not served");
	if (err && done) {
		err_destroy(err);
		err = NULL;
	}
	if (s->nfs4)
		on_tick(s);
	return err;
}

const struct fault_server_ops service_fault_ops = {.act = act};

// SPDX-License-Identifier: GPL-2.0-or-later
/* See service.h. */
#include "lab/serve/service.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lab/rpc/ports.h"
#include "lab/serve/nfs4/nfs4_faults.h"
#include "lab/serve/nfs4/nfs4_server.h"
#include "lab/serve/nlm/nlm.h"
#include "names/portmap.h"
#include "net/timer.h"

#define NS_PER_S         INT64_C(1000000000)
#define DEFAULT_GRACE_NS (90 * NS_PER_S)

enum { NFS_VERSION_4 = 4, NAME_BYTES = 64, LEASE_SECONDS = 90 };

struct service {
	struct net_loop *loop;
	struct service_config config;
	struct tree *tree;
	struct server server;
	struct nfs4_server *nfs4; /* NULL: not served */
	struct nlm_server *nlm;
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
	int64_t next_ns = nlm_tick(s->nlm, now_ns);

	if (s->nfs4) {
		int64_t state_ns = nfs4_tick(s->nfs4, now_ns);

		next_ns = state_ns < next_ns ? state_ns : next_ns;
	}
	/* Calls that come meanwhile may want it earlier than it thinks now. */
	net_timer_start(&s->tick, next_ns < now_ns + NS_PER_S ? next_ns - now_ns : NS_PER_S);
}

/* NFSv4 has a callback to send, once the call at hand is answered. */
static void on_wake(void *context)
{
	struct service *s = context;

	net_timer_start(&s->tick, 0);
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

static bool held_by_nlm(void *context, uint64_t fileid, const struct held_range *wanted,
			struct held_range *out)
{
	const struct service *s = context;

	return s->nlm && nlm_holds(s->nlm, fileid, wanted, out);
}

static bool held_by_nfs4(void *context, uint64_t fileid, const struct held_range *wanted,
			 struct held_range *out)
{
	const struct service *s = context;

	return s->nfs4 && nfs4_holds(s->nfs4, fileid, wanted, out);
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
		.ops = {.send_callback = send_callback,
			.wake = on_wake,
			.log = log_nfs4,
			.held = held_by_nlm,
			.context = s},
		.owner = name,
		.scope = name,
		.wall_offset_ns = s->server.wall_offset_ns,
		.boot_seconds = (uint32_t)(net_loop_utc_ns(s->loop) / NS_PER_S),
		.lease_seconds = s->config.lease_seconds,
		.max_slots = s->config.max_slots,
		.grace_seconds = s->config.grace_seconds,
		.courtesy_seconds = s->config.courtesy_seconds,
		.max_minor = 2,
		.max_io_bytes = SERVER_IO_BYTES_MAX,
	};

	snprintf(name, sizeof(name), "nfsleuth-%llx",
		 (unsigned long long)(s->server.wall_offset_ns / 1000));
	return nfs4_server_create(&config, now_of(s));
}

/* A call to a client's lock manager or status monitor: first its rpcbind is asked for the port. */
struct errand {
	struct service *service;
	struct endpoint_call call;
	size_t len;
	uint8_t args[];
};

static void on_port(void *context, uint64_t token, bool answered, struct cursor results)
{
	struct errand *errand = context;
	struct service *s = errand->service;
	uint16_t port;
	bool is_told = answered && ports_take(&results, &errand->call.to, &port) && port;

	(void)token;
	errand->call.args = slice_make(errand->args, errand->len);
	if (is_told && s->endpoint) {
		net_address_set_port(&errand->call.to, port);
		endpoint_call_out(s->endpoint, &errand->call);
	} else if (s->config.endpoint.log) {
		s->config.endpoint.log(s->config.endpoint.context,
				       "nlm: the client's rpcbind tells no port for a call to it");
	}
	free(errand);
}

static void nlm_send(void *context, const struct nlm_send *send)
{
	enum { ARGS_BYTES = 64 };
	struct service *s = context;
	struct errand *errand = mem_alloc(1, sizeof(*errand) + send->args.len);
	bool is_udp = send->transport == RPC_OVER_UDP;
	uint8_t memory[ARGS_BYTES];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct endpoint_call ask = {.to = *send->client,
				    .transport = send->transport,
				    .program = PMAP_PROG,
				    .version = ports_version(send->client),
				    .procedure = ports_procedure(send->client),
				    .answer = on_port,
				    .context = errand};

	errand->service = s;
	errand->call = (struct endpoint_call){.to = *send->client,
					      .transport = send->transport,
					      .program = send->program,
					      .version = send->version,
					      .procedure = send->procedure};
	errand->len = send->args.len;
	memcpy(errand->args, send->args.ptr, send->args.len);
	ports_ask(&w, send->client, is_udp, send->program, send->version);
	ask.args = xdr_writer_bytes(&w);
	net_address_set_port(&ask.to, PMAP_PORT);
	if (!s->endpoint || !endpoint_call_out(s->endpoint, &ask))
		free(errand);
}

static void log_line(void *context, const char *text)
{
	const struct service *s = context;

	if (s->config.endpoint.log)
		s->config.endpoint.log(s->config.endpoint.context, text);
}

static struct nlm_server *nlm_make(struct service *s)
{
	struct nlm_ops ops = {
		.send = nlm_send, .log = log_line, .held = held_by_nfs4, .context = s};
	uint32_t seconds =
		s->config.grace_seconds ? s->config.grace_seconds : s->config.lease_seconds;

	return nlm_create(s->tree, &ops, (seconds ? seconds : LEASE_SECONDS) * NS_PER_S);
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
	s->nlm = nlm_make(s);
	s->server.nlm = s->nlm;
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
	nlm_destroy(s->nlm);
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
	on_tick(s);
	return NULL;
}

uint16_t service_port(const struct service *s, enum server_port port)
{
	return endpoint_port(s->endpoint, port);
}

const struct server_service *service_list(const struct service *s, size_t *len)
{
	*len = s->server.services_len;
	return s->server.services;
}

/* The host whose call it is; NULL: nobody's in particular. */
static const struct net_address *client_of(const struct fault_server_request *request,
					   struct net_address *memory)
{
	static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *address;

	if (!request->call)
		return NULL;
	address = request->call->client.address;
	*memory = (struct net_address){.v6 = {.sin6_family = AF_INET6}};
	memcpy(&memory->v6.sin6_addr, address, 16);
	if (memcmp(address, v4_mapped, sizeof(v4_mapped)) == 0) {
		*memory = (struct net_address){.v4 = {.sin_family = AF_INET}};
		memcpy(&memory->v4.sin_addr, address + sizeof(v4_mapped), 4);
	}
	return memory;
}

static void restart(struct service *s, const struct fault_server_request *request)
{
	log_line(s, "the server restarts: state is lost, connections break");
	s->server.write_verifier++;
	if (s->endpoint)
		endpoint_reset_all(s->endpoint);
	nlm_restart(s->nlm, request->duration_ns, request->now_ns);
}

/* What belongs to no protocol's state, or to that of version 3. True: it was done. */
static bool act_here(struct service *s, const struct fault_server_request *request)
{
	struct net_address memory;
	const struct net_address *client = client_of(request, &memory);

	switch (request->action) {
	case FAULT_RESTART:
		restart(s, request);
		return true;
	case FAULT_CHANGE_VERIFIER:
		s->server.write_verifier++;
		return true;
	case FAULT_FORGET_LOCK:
	case FAULT_REVOKE:
		nlm_forget(s->nlm, client, request->now_ns);
		return true;
	case FAULT_GRACE:
		nlm_grace(s->nlm, request->duration_ns ? request->duration_ns : DEFAULT_GRACE_NS,
			  request->now_ns);
		return true;
	case FAULT_GRACE_END:
		nlm_grace(s->nlm, 0, request->now_ns);
		return true;
	case FAULT_FREEZE_NLM:
		nlm_freeze(s->nlm, request->duration_ns, request->now_ns);
		return true;
	case FAULT_MOVE_PORT: /* see act */
	case FAULT_SHUT:
	case FAULT_FORGET_CLIENT:
	case FAULT_FORGET_SESSION:
	case FAULT_FORGET_STATEID:
	case FAULT_EXPIRE:
	case FAULT_RECALL:
	case FAULT_CHANGE_SCOPE:
	case FAULT_CHANGE_OWNER:
	case FAULT_FILL_SLOTS:
		break;
	}
	return false;
}

static void shut(struct service *s, const struct fault_server_request *request)
{
	for (int port = 0; port < SERVER_PORTS && s->endpoint; port++)
		if (!request->program ||
		    request->program == server_port_program((enum server_port)port))
			endpoint_shut_port(s->endpoint, (enum server_port)port,
					   request->duration_ns);
}

static struct err *act(void *context, const struct fault_server_request *request)
{
	struct service *s = context;
	struct err *err = NULL;
	bool done;

	if (request->action == FAULT_MOVE_PORT)
		return s->endpoint ? endpoint_move_port(s->endpoint, SERVER_NLM) : NULL;
	if (request->action == FAULT_SHUT) {
		shut(s, request);
		return NULL;
	}
	done = act_here(s, request);
	if (s->nfs4 && request->action != FAULT_FREEZE_NLM)
		err = nfs4_fault_act(s->nfs4, request);
	else if (!done)
		err = err_new("version 4 is not served");
	/* One of the two protocols had something to do. */
	if (err && done) {
		err_destroy(err);
		err = NULL;
	}
	if (s->endpoint)
		on_tick(s);
	return err;
}

const struct fault_server_ops service_fault_ops = {.act = act};

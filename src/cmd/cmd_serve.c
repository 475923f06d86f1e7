// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth serve`: an NFS server in memory, to make incidents with. */
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/endpoints.h"
#include "cmd/faults.h"
#include "lab/probe/registrar.h"
#include "lab/serve/service.h"
#include "lab/serve/tree/tree_text.h"
#include "names/portmap.h"

enum { TREE_FILE_BYTES_MAX = 16 << 20, PORT_MAX = 65535, SECONDS_MAX = 1000000 };

/* A server with all that belongs to it. */
struct serving {
	struct net_loop loop;
	struct endpoint_log log;
	struct service_config config;
	struct service *service;
	struct registrar registrar;
};

/* "nfs=2049", "mount=none". */
static struct err *take_port(const char *value, struct endpoint_config *config)
{
	const char *equals = strchr(value, '=');
	size_t len = equals ? (size_t)(equals - value) : strlen(value);
	uint64_t number;
	struct err *err;

	if (!equals)
		return err_new("--port=%s: it must be NAME=NUMBER", value);
	for (int port = 0; port < SERVER_PORTS; port++) {
		const char *name = server_port_name((enum server_port)port);

		if (strlen(name) != len || strncmp(name, value, len) != 0)
			continue;
		config->closed[port] = strcmp(equals + 1, "none") == 0;
		if (config->closed[port])
			return NULL;
		err = endpoint_take_number("--port", equals + 1, PORT_MAX, &number);
		if (!err)
			config->ports[port] = (uint16_t)number;
		return err;
	}
	return err_new("--port=%s: no such port; there are portmap, nfs, mount, nlm, nsm", value);
}

/* "--dir big=1000000" and "--file data=10M" are lines of a tree's description. */
static struct err *add_node(struct serving *s, const char *value, bool is_dir)
{
	const char *equals = strrchr(value, '=');
	struct strbuf line;
	struct err *err;

	if (!equals || equals == value)
		return err_new("%s=%s: it must be NAME=%s", is_dir ? "--dir" : "--file", value,
			       is_dir ? "COUNT" : "BYTES");
	strbuf_init(&line);
	strbuf_add_format(&line, "%s %s%.*s %s=%s", is_dir ? "dir" : "file",
			  value[0] == '/' ? "" : "/", (int)(equals - value), value,
			  is_dir ? "entries" : "size", equals + 1);
	err = tree_text_add_line(service_tree(s->service), slice_of_string(strbuf_text(&line)),
				 net_loop_utc_ns(&s->loop));
	strbuf_deinit(&line);
	return err;
}

static struct err *add_tree(struct serving *s, const char *path)
{
	struct strbuf text;
	struct err *err, *all;

	strbuf_init(&text);
	err = endpoint_read_file(path, TREE_FILE_BYTES_MAX, &text);
	if (!err) {
		err = tree_text_add(service_tree(s->service), slice_of_string(strbuf_text(&text)),
				    net_loop_utc_ns(&s->loop));
		if (err) {
			all = err_new("%s: %s", path, err_text(err));
			err_destroy(err);
			err = all;
		}
	}
	strbuf_deinit(&text);
	return err;
}

static struct err *fill_tree(struct serving *s, const struct options *options)
{
	struct err *err = NULL;

	for (size_t i = 0; i < options->tree.len && !err; i++)
		err = add_tree(s, options->tree.items[i]);
	for (size_t i = 0; i < options->dir.len && !err; i++)
		err = add_node(s, options->dir.items[i], true);
	for (size_t i = 0; i < options->file.len && !err; i++)
		err = add_node(s, options->file.items[i], false);
	return err;
}

static struct err *take_seconds(const char *option, const char *text, uint32_t *out)
{
	uint64_t seconds = 0;
	struct err *err = text ? endpoint_take_number(option, text, SECONDS_MAX, &seconds) : NULL;

	*out = (uint32_t)seconds;
	return err;
}

static struct err *take_ports(struct endpoint_config *config, const struct options *options)
{
	struct err *err = NULL;

	if (options->listen.len > 1)
		return err_new("--listen: serve listens at one address");
	if (options->listen.len)
		err = net_address_parse(options->listen.items[0], 0, &config->listen);
	for (size_t i = 0; i < options->port.len && !err; i++)
		err = take_port(options->port.items[i], config);
	if (!err && options->register_programs && config->ports[SERVER_PORTMAP])
		err = err_new("--port=portmap and --register exclude each other");
	if (options->register_programs)
		config->closed[SERVER_PORTMAP] = true;
	return err;
}

static struct err *take_config(struct serving *s, const struct options *options)
{
	struct err *err;
	uint64_t slots = 0;

	s->log = (struct endpoint_log){.loop = &s->loop, .quiet = options->quiet};
	s->config.endpoint = (struct endpoint_config){
		.listen = net_address_loopback(0), .log = endpoint_log_say, .context = &s->log};
	err = take_ports(&s->config.endpoint, options);
	if (!err && options->memory)
		err = endpoint_take_number("--memory", options->memory, UINT64_C(1) << 40,
					   &s->config.limits.data_bytes_max);
	if (!err)
		err = take_seconds("--lease", options->lease, &s->config.lease_seconds);
	if (!err)
		err = take_seconds("--grace", options->grace, &s->config.grace_seconds);
	if (!err)
		err = take_seconds("--courtesy", options->courtesy, &s->config.courtesy_seconds);
	if (!err && options->slots)
		err = endpoint_take_number("--slots", options->slots, SERVICE_SLOTS_MAX, &slots);
	s->config.max_slots = (uint32_t)slots;
	return err;
}

static struct err *say_ready(const struct serving *s, const struct options *options)
{
	struct strbuf lines;
	struct err *err;

	strbuf_init(&lines);
	for (int port = 0; port < SERVER_PORTS; port++) {
		struct net_address at = s->config.endpoint.listen;
		char text[NET_ADDRESS_TEXT_BYTES];

		if (s->config.endpoint.closed[port])
			continue;
		net_address_set_port(&at, service_port(s->service, (enum server_port)port));
		net_address_format(&at, text);
		strbuf_add_format(&lines, "%s %s\n", server_port_name((enum server_port)port),
				  text);
	}
	err = endpoint_say_ready(options, &lines);
	strbuf_deinit(&lines);
	return err;
}

/* Tells this host's rpcbind of all that is open. */
static struct err *register_programs(struct serving *s)
{
	struct registrar_entry entries[REGISTRAR_ENTRIES_MAX];
	size_t len, count = 0;
	const struct server_service *services = service_list(s->service, &len);

	for (size_t i = 0; i < len && count < REGISTRAR_ENTRIES_MAX; i++) {
		struct registrar_entry e = {.program = services[i].program,
					    .version = services[i].version,
					    .is_udp = services[i].transport == RPC_OVER_UDP,
					    .at = s->config.endpoint.listen};

		for (int port = 0; port < SERVER_PORTS; port++)
			if (server_port_program((enum server_port)port) == e.program)
				e.name = server_port_name((enum server_port)port);
		net_address_set_port(&e.at, services[i].port);
		entries[count++] = e;
	}
	return registrar_add(&s->registrar, entries, count);
}

/* From the open ports to the end. */
static struct err *serve_on(struct serving *s, const struct options *options)
{
	struct net_address rpcbind = net_address_loopback(PMAP_PORT);
	struct err *err = NULL, *last;

	registrar_init(&s->registrar, &s->loop, &rpcbind);
	if (options->register_programs)
		err = register_programs(s);
	if (!err)
		err = say_ready(s, options);
	if (!err)
		net_loop_run(&s->loop);
	last = registrar_remove(&s->registrar);
	registrar_deinit(&s->registrar);
	if (!err)
		return last;
	err_destroy(last);
	return err;
}

/* What fails before the first port is open is wrong usage. */
static struct err *prepare(struct serving *s, const struct options *options)
{
	struct err *err = take_config(s, options);

	if (err)
		return err;
	s->service = service_create(&s->loop, &s->config);
	err = fill_tree(s, options);
	command_raise_file_limit();
	return err ? err : endpoint_end_by_signal(&s->loop);
}

static enum status complain(struct err *err, enum status status)
{
	command_complain("serve: %s", err_text(err));
	err_destroy(err);
	return status;
}

static enum status run(struct serving *s, const struct options *options)
{
	struct faults faults;
	struct err *err = prepare(s, options);

	if (!err)
		err = faults_init(&faults, &s->loop, options, &service_fault_ops, s->service);
	if (err)
		return complain(err, STATUS_USAGE);
	err = service_open(s->service, faults.engine);
	if (!err)
		err = serve_on(s, options);
	/* The server's end must find its engine. */
	service_destroy(s->service);
	s->service = NULL;
	faults_deinit(&faults);
	return err ? complain(err, STATUS_UNREAD) : STATUS_NOTHING;
}

static enum status serve(const struct options *options)
{
	struct serving s = {0};
	enum status status;
	struct diary *diary = NULL;
	double speed;
	struct err *err = NULL;

	if (options->arg_count)
		err = err_new("%s: serve takes options only", options->args[0]);
	if (!err)
		err = endpoint_take_speed(options, &speed);
	if (!err)
		err = endpoint_open_diary(options, "serve", speed, &diary);
	if (!err)
		err = net_loop_init(&s.loop, speed);
	if (err)
		return complain(endpoint_close_diary(diary, err), STATUS_USAGE);
	s.loop.witness = diary ? diary_witness(diary) : NULL;
	status = run(&s, options);
	service_destroy(s.service);
	net_loop_deinit(&s.loop);
	err = endpoint_close_diary(diary, NULL);
	return err ? complain(err, STATUS_UNREAD) : status;
}

const struct command command_serve = {
	.name = "serve",
	.arguments = "",
	.summary = "be an NFS server that misbehaves on command",
	.detail = "Serves files from memory over NFS, without root, to stage incidents with real "
		  "clients:\n"
		  "rpcbind, MOUNT, NFSv3, NLM and NSM over TCP and UDP, NFSv4.0 to 4.2. Everything "
		  "may be\n"
		  "read and written; nothing outlives the program. Says its ports on standard "
		  "output, then \"ready\"; SIGTERM "
		  "ends it.",
	.option_set = OPTION_BIT(OPTION_LISTEN) | OPTION_BIT(OPTION_PORT) |
		      OPTION_BIT(OPTION_TREE) | OPTION_BIT(OPTION_DIR) | OPTION_BIT(OPTION_FILE) |
		      OPTION_BIT(OPTION_MEMORY) | OPTION_BIT(OPTION_LEASE) |
		      OPTION_BIT(OPTION_GRACE) | OPTION_BIT(OPTION_COURTESY) |
		      OPTION_BIT(OPTION_SLOTS) | OPTION_BIT(OPTION_REGISTER) | OPTIONS_FAULT |
		      OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_READY_FD) |
		      OPTION_BIT(OPTION_QUIET) | OPTION_BIT(OPTION_WRITE_PCAPNG),
	.run = serve,
};

// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth serve`: an NFS server in memory, to make incidents with. */
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/endpoints.h"
#include "lab/serve/endpoint.h"
#include "lab/serve/tree_text.h"

enum { TREE_FILE_BYTES_MAX = 16 << 20, PORT_MAX = 65535 };

/* A server with all that belongs to it. */
struct serving {
	struct net_loop loop;
	struct endpoint_log log;
	struct tree *tree;
	struct server server;
	struct endpoint_config config;
	struct endpoint *endpoint;
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
	return err_new("--port=%s: no such port; there are portmap, nfs, mount", value);
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
	err = tree_text_add_line(s->tree, slice_of_string(strbuf_text(&line)),
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
		err = tree_text_add(s->tree, slice_of_string(strbuf_text(&text)),
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
	const char *memory = options->memory;
	struct tree_limits limits = {0};
	struct err *err = NULL;

	if (memory)
		err = endpoint_take_number("--memory", memory, UINT64_C(1) << 40,
					   &limits.data_bytes_max);
	if (err)
		return err;
	s->tree = tree_create(&limits, (uint64_t)net_loop_utc_ns(&s->loop),
			      net_loop_utc_ns(&s->loop));
	for (size_t i = 0; i < options->tree.len && !err; i++)
		err = add_tree(s, options->tree.items[i]);
	for (size_t i = 0; i < options->dir.len && !err; i++)
		err = add_node(s, options->dir.items[i], true);
	for (size_t i = 0; i < options->file.len && !err; i++)
		err = add_node(s, options->file.items[i], false);
	return err;
}

static struct err *take_config(struct serving *s, const struct options *options)
{
	struct err *err = NULL;

	s->config = (struct endpoint_config){
		.listen = net_address_loopback(0), .log = endpoint_log_say, .context = &s->log};
	s->config.closed[SERVER_NLM] = true;
	s->config.closed[SERVER_NSM] = true;
	s->log.quiet = options->quiet;
	if (options->listen.len > 1)
		err = err_new("--listen: serve listens at one address");
	else if (options->listen.len)
		err = net_address_parse(options->listen.items[0], 0, &s->config.listen);
	for (size_t i = 0; i < options->port.len && !err; i++)
		err = take_port(options->port.items[i], &s->config);
	return err;
}

static struct err *say_ready(const struct serving *s, const struct options *options)
{
	struct strbuf lines;
	struct err *err;

	strbuf_init(&lines);
	for (int port = 0; port < SERVER_PORTS; port++) {
		struct net_address at = s->config.listen;
		char text[NET_ADDRESS_TEXT_BYTES];

		if (s->config.closed[port])
			continue;
		net_address_set_port(&at, endpoint_port(s->endpoint, (enum server_port)port));
		net_address_format(&at, text);
		strbuf_add_format(&lines, "%s %s\n", server_port_name((enum server_port)port),
				  text);
	}
	err = endpoint_say_ready(options, &lines);
	strbuf_deinit(&lines);
	return err;
}

/* What fails before the first port is open is wrong usage. */
static struct err *prepare(struct serving *s, const struct options *options)
{
	struct err *err = take_config(s, options);

	if (err)
		return err;
	err = fill_tree(s, options);
	if (err)
		return err;
	server_init(&s->server, s->tree, net_loop_utc_ns(&s->loop) - net_loop_now_ns(&s->loop));
	return endpoint_end_by_signal(&s->loop);
}

static enum status run(struct serving *s, const struct options *options)
{
	enum status status = STATUS_USAGE;
	struct err *err = prepare(s, options);

	if (!err) {
		status = STATUS_UNREAD;
		err = endpoint_create(&s->loop, &s->server, &s->config, &s->endpoint);
	}
	if (!err)
		err = say_ready(s, options);
	if (err) {
		command_complain("serve: %s", err_text(err));
		err_destroy(err);
		return status;
	}
	net_loop_run(&s->loop);
	return STATUS_NOTHING;
}

static enum status serve(const struct options *options)
{
	struct serving s = {0};
	enum status status = STATUS_USAGE;
	double speed;
	struct err *err = NULL;

	if (options->arg_count)
		err = err_new("%s: serve takes options only", options->args[0]);
	if (!err)
		err = endpoint_take_speed(options, &speed);
	if (!err)
		err = net_loop_init(&s.loop, speed);
	if (err) {
		command_complain("serve: %s", err_text(err));
		err_destroy(err);
		return STATUS_USAGE;
	}
	s.log.loop = &s.loop;
	status = run(&s, options);
	endpoint_destroy(s.endpoint);
	server_deinit(&s.server);
	tree_destroy(s.tree);
	net_loop_deinit(&s.loop);
	return status;
}

const struct command command_serve = {
	.name = "serve",
	.arguments = "",
	.summary = "be an NFS server that misbehaves on command",
	.detail =
		"Serves files from memory over NFS, without root, to stage incidents with real "
		"clients:\n"
		"rpcbind, MOUNT and NFSv3, over TCP and UDP. Everything may be read and written; "
		"nothing\n"
		"outlives the program. Says its ports on standard output, then \"ready\"; SIGTERM "
		"ends it.",
	.option_set = OPTION_BIT(OPTION_LISTEN) | OPTION_BIT(OPTION_PORT) |
		      OPTION_BIT(OPTION_TREE) | OPTION_BIT(OPTION_DIR) | OPTION_BIT(OPTION_FILE) |
		      OPTION_BIT(OPTION_MEMORY) | OPTION_BIT(OPTION_SPEED) |
		      OPTION_BIT(OPTION_READY_FD) | OPTION_BIT(OPTION_QUIET),
	.run = serve,
};

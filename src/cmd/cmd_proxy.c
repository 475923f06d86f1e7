// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth proxy`: faults between any client and any server. */
#include "cmd/command.h"
#include "cmd/endpoints.h"
#include "cmd/faults.h"
#include "lab/proxy/proxy.h"

enum { NFS_PORT = 2049 };

static struct err *check_pairs(const struct options *o)
{
	if (o->arg_count)
		return err_new("%s: too much; the server is told by --to", o->args[0]);
	if (!o->to.len)
		return err_new(
			"which server? try: nfsleuth proxy --listen :20490 --to SERVER:2049");
	if (o->listen.len > o->to.len)
		return err_new("--listen=%s has no --to", o->listen.items[o->to.len]);
	return NULL;
}

/* A --to without its --listen is listened for at a free port of loopback. */
static struct err *add_routes(struct proxy *proxy, const struct options *o)
{
	struct err *err = NULL;

	for (size_t i = 0; i < o->to.len && !err; i++) {
		struct net_address at = net_address_loopback(0), to;

		err = net_address_parse(o->to.items[i], NFS_PORT, &to);
		if (!err && i < o->listen.len)
			err = net_address_parse(o->listen.items[i], 0, &at);
		if (!err)
			err = proxy_add_route(proxy, &at, &to);
	}
	return err;
}

/* Faults are told on standard output: as JSON they are all that stands there. */
static struct err *say_ready(const struct proxy *proxy, const struct options *o)
{
	const struct net_address *at, *to;
	struct strbuf lines;
	struct err *err;

	if (o->json && !o->ready_fd)
		return NULL;
	strbuf_init(&lines);
	for (size_t i = 0; (at = proxy_route_at(proxy, i, &to)); i++) {
		char at_text[NET_ADDRESS_TEXT_BYTES], to_text[NET_ADDRESS_TEXT_BYTES];

		net_address_format(at, at_text);
		net_address_format(to, to_text);
		strbuf_add_format(&lines, "%s %s\n", at_text, to_text);
	}
	err = endpoint_say_ready(o, &lines);
	strbuf_deinit(&lines);
	return err;
}

static struct err *relay(struct net_loop *loop, const struct options *o)
{
	struct endpoint_log log = {.loop = loop, .quiet = o->quiet};
	struct faults faults;
	struct proxy *proxy = NULL;
	struct err *err = faults_init(&faults, loop, o, &proxy_fault_ops, &proxy);

	if (err)
		return err;
	proxy = proxy_create(loop, faults.engine, endpoint_log_say, &log);
	err = add_routes(proxy, o);
	if (!err)
		err = say_ready(proxy, o);
	if (!err)
		net_loop_run(loop);
	proxy_destroy(proxy);
	faults_deinit(&faults);
	return err;
}

static struct err *run(const struct options *o)
{
	struct diary *diary = NULL;
	struct net_loop loop;
	double speed;
	struct err *err = check_pairs(o);

	if (!err)
		err = endpoint_take_speed(o, &speed);
	if (!err)
		err = endpoint_open_diary(o, "proxy", speed, &diary);
	if (!err)
		err = net_loop_init(&loop, speed);
	if (err)
		return endpoint_close_diary(diary, err);
	loop.witness = diary ? diary_witness(diary) : NULL;
	command_raise_file_limit();
	err = endpoint_end_by_signal(&loop);
	if (!err)
		err = relay(&loop, o);
	net_loop_deinit(&loop);
	return endpoint_close_diary(diary, err);
}

static enum status proxy(const struct options *options)
{
	struct err *err = run(options);

	if (!err)
		return STATUS_NOTHING;
	command_complain("proxy: %s", err_text(err));
	err_destroy(err);
	return STATUS_USAGE;
}

const struct command command_proxy = {
	.name = "proxy",
	.arguments = "",
	.summary = "relay between client and server, with faults",
	.detail =
		"Waits for clients of NFS and its side protocols and relays what they say to a "
		"server,\nbyte for byte, but for what --fault or a script wants to go wrong: see\n"
		"nfsleuth-faults(7). Ports that the server's portmap (give one --to with port "
		"111)\nnames become ports of the proxy. Each fault that fires is a line on "
		"standard output.",
	.option_set = OPTIONS_FAULT | OPTION_BIT(OPTION_LISTEN) | OPTION_BIT(OPTION_TO) |
		      OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_READY_FD) |
		      OPTION_BIT(OPTION_QUIET) | OPTION_BIT(OPTION_WRITE_PCAPNG),
	.run = proxy,
};

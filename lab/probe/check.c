// SPDX-License-Identifier: GPL-2.0-or-later
/* See check.h: the layers below NFSv4, in the order in which a mount needs them. */
#include "lab/probe/check_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/stamp.h"
#include "lab/rpc/ports.h"
#include "names/mount.h"
#include "names/names.h"
#include "names/nfs3.h"
#include "names/nfs4.h"
#include "names/nlm.h"
#include "names/nsm.h"
#include "names/portmap.h"

enum { NFS_PORT = 2049, LIMIT_S = 5, ENTRIES_MAX = 4096, VERSIONS_MAX = 31 };

void check_begin(struct check *c)
{
	c->began_ns = net_loop_now_ns(&c->loop);
}

void check_row(struct check *c, const char *layer, const char *step, uint16_t port,
	       enum check_outcome outcome, const char *format, ...)
{
	struct check_row *row = &c->report->rows[c->report->len];
	va_list args;

	if (c->report->len == CHECK_ROWS_MAX)
		return;
	*row = (struct check_row){.layer = layer,
				  .step = step,
				  .port = port,
				  .outcome = outcome,
				  .took_ns = net_loop_now_ns(&c->loop) - c->began_ns};
	va_start(args, format);
	(void)vsnprintf(row->detail, sizeof(row->detail), format, args);
	va_end(args);
	c->report->len++;
	check_begin(c);
}

void check_row_failed(struct check *c, const char *layer, const char *step, uint16_t port)
{
	char why[ASK_TEXT_BYTES];

	ask_explain(&c->ask, why);
	check_row(c, layer, step, port, CHECK_FAILED, "%s", why);
}

bool check_connect(struct check *c, const char *layer, uint16_t port)
{
	struct net_address to = c->server;

	net_address_set_port(&to, port);
	check_begin(c);
	if (ask_connect(&c->ask, &to, c->limit_ns) != ASK_OK) {
		check_row_failed(c, layer, "connect", port);
		return false;
	}
	check_row(c, layer, "connect", port, CHECK_OK, "%s", "");
	return true;
}

/* --- rpcbind --- */

static struct check_port *port_of(struct check *c, uint32_t program)
{
	switch (program) {
	case NFS4_PROGRAM:
		return &c->nfs;
	case MOUNT_PROGRAM:
		return &c->mount;
	case NLM_PROG:
		return &c->nlm;
	case SM_PROG:
		return &c->nsm;
	default: /* numbers of programs, no closed enum: others are not looked at */
		return NULL;
	}
}

static void take_list(struct check *c, struct cursor at)
{
	uint32_t program, version;
	uint16_t port;

	for (unsigned i = 0;
	     i < ENTRIES_MAX && ports_next(&at, &c->server, &program, &version, &port); i++) {
		struct check_port *p = port_of(c, program);

		if (!p || !port)
			continue;
		p->is_known = true;
		p->port = port;
		if (version <= VERSIONS_MAX)
			p->versions |= 1u << version;
	}
}

static void add_versions(char *text, size_t size, const char *name, const struct check_port *p)
{
	size_t len = strlen(text);

	if (!p->is_known)
		return;
	len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", name);
	for (unsigned v = 1; v <= 4 && len < size; v++)
		if (p->versions >> v & 1)
			len += (size_t)snprintf(text + len, size - len, " %u", v);
}

static void check_portmap(struct check *c)
{
	uint16_t port = c->words->portmap ? c->words->portmap : PMAP_PORT;
	char list[CHECK_DETAIL_BYTES] = "";
	struct cursor at;

	if (!check_connect(c, "rpcbind", port))
		return;
	/* The number of DUMP is the same in all versions. */
	ask_begin(&c->ask, PMAP_PROG, ports_version(&c->server), PMAPPROC_DUMP);
	if (ask_call(&c->ask, c->limit_ns, &at) != ASK_OK) {
		check_row_failed(c, "rpcbind", "DUMP", port);
		return;
	}
	c->has_list = true;
	take_list(c, at);
	add_versions(list, sizeof(list), "NFS", &c->nfs);
	add_versions(list, sizeof(list), "MOUNT", &c->mount);
	add_versions(list, sizeof(list), "NLM", &c->nlm);
	add_versions(list, sizeof(list), "STAT", &c->nsm);
	check_row(c, "rpcbind", "DUMP", port, CHECK_OK, "%s",
		  list[0] ? list : "no program of NFS is registered for TCP");
}

/* --- MOUNT, NFSv3, NLM, NSM --- */

static bool check_null(struct check *c, const char *layer, uint32_t program, uint32_t version,
		       uint16_t port)
{
	struct cursor at;

	ask_begin(&c->ask, program, version, 0);
	if (ask_call(&c->ask, c->limit_ns, &at) == ASK_OK) {
		check_row(c, layer, "NULL", port, CHECK_OK, "version %u", version);
		return true;
	}
	if (c->ask.result == ASK_DENIED && !c->ask.auth_stat &&
	    (c->ask.accept_stat == RPC_ACCEPT_PROG_MISMATCH ||
	     c->ask.accept_stat == RPC_ACCEPT_PROG_UNAVAIL))
		check_row(c, layer, "NULL", port, CHECK_ABSENT, "version %u is not offered",
			  version);
	else
		check_row_failed(c, layer, "NULL", port);
	return false;
}

static const char *status_name(uint32_t program, uint32_t version, uint32_t status)
{
	const char *name = names_status(program, version, status);

	return name ? name : "an unknown status";
}

/* A program that only portmap can find. */
static bool enter(struct check *c, const char *layer, const struct check_port *p)
{
	check_begin(c);
	if (p->is_known)
		return check_connect(c, layer, p->port);
	if (c->has_list)
		check_row(c, layer, "port", 0, CHECK_ABSENT, "not registered at rpcbind");
	else
		check_row(c, layer, "port", 0, CHECK_SKIPPED, "its port is not known");
	return false;
}

static void check_mount(struct check *c)
{
	struct xdr_opaque path = {.ptr = (const uint8_t *)c->words->export};
	struct cursor at;
	uint32_t status;

	if (!enter(c, "MOUNT", &c->mount) ||
	    !check_null(c, "MOUNT", MOUNT_PROGRAM, MOUNT_V3, c->mount.port))
		return;
	path.len = path.have = (uint32_t)strlen(c->words->export);
	xdr_put_opaque(ask_begin(&c->ask, MOUNT_PROGRAM, MOUNT_V3, MOUNTPROC3_MNT), path,
		       MNTPATHLEN);
	if (ask_call(&c->ask, c->limit_ns, &at) != ASK_OK) {
		check_row_failed(c, "MOUNT", "MNT", c->mount.port);
		return;
	}
	status = cursor_u32(&at);
	if (status == MNT3_OK) {
		struct xdr_opaque handle = cursor_opaque(&at, FHSIZE3);

		if (cursor_ok(&at) && handle.have <= sizeof(c->root)) {
			memcpy(c->root, handle.ptr, handle.have);
			c->root_len = handle.have;
		}
	}
	/* Nobody said that "/" is an export: that it is none is no failure of the server. */
	check_row(c, "MOUNT", "MNT", c->mount.port,
		  status == MNT3_OK                    ? CHECK_OK
		  : strcmp(c->words->export, "/") == 0 ? CHECK_ABSENT
						       : CHECK_FAILED,
		  "%s: %s", c->words->export, status_name(MOUNT_PROGRAM, MOUNT_V3, status));
}

static void check_root3(struct check *c, uint16_t port)
{
	struct xdr_opaque handle = {c->root, c->root_len, c->root_len};
	struct cursor at;
	uint32_t status;

	if (!c->root_len)
		return;
	xdr_put_opaque(ask_begin(&c->ask, NFS4_PROGRAM, NFS_V3, NFSPROC3_GETATTR), handle,
		       NFS3_FHSIZE);
	if (ask_call(&c->ask, c->limit_ns, &at) != ASK_OK) {
		check_row_failed(c, "NFSv3", "GETATTR", port);
		return;
	}
	status = cursor_u32(&at);
	check_row(c, "NFSv3", "GETATTR", port, status == NFS3_OK ? CHECK_OK : CHECK_FAILED,
		  "%s: %s", c->words->export, status_name(NFS4_PROGRAM, NFS_V3, status));
}

static bool wants(const struct check *c, uint32_t version)
{
	return !c->words->timing.has_vers || c->words->timing.vers == version;
}

static void check_nfs4(struct check *c, uint16_t port)
{
	static const char *const layers[] = {"NFSv4.0", "NFSv4.1", "NFSv4.2"};

	if (!check_null(c, "NFSv4", NFS4_PROGRAM, NFS_V4, port))
		return;
	for (uint32_t minor = 0; minor <= 2; minor++) {
		if (c->words->has_minor && c->words->minor != minor)
			continue;
		c->minor = minor;
		/* A client ID belongs to a connection of its own, as a mount's does. */
		if (!c->ask.stream && !check_connect(c, layers[minor], port))
			return;
		if (minor == 0)
			check_nfs4_clientid(c, layers[minor], port);
		else
			check_nfs4_sessions(c, layers[minor], port);
	}
}

static void check_nfs(struct check *c)
{
	uint16_t port = c->nfs.is_known ? c->nfs.port : NFS_PORT;

	if (c->words->port)
		port = c->words->port;
	if (!check_connect(c, "NFS", port))
		return;
	if (wants(c, 3) && check_null(c, "NFSv3", NFS4_PROGRAM, NFS_V3, port))
		check_root3(c, port);
	if (wants(c, 4) && (c->ask.stream || check_connect(c, "NFSv4", port)))
		check_nfs4(c, port);
}

struct err *probe_check(const struct probe_words *words, double speed, struct check_report *out)
{
	struct rpc_auth_sys sys = {.machine = slice_of_string("nfsleuth-probe"), .uid = words->uid};
	struct check c = {.words = words, .report = out, .limit_ns = LIMIT_S * STAMP_NS_PER_S};
	struct err *err = net_address_parse(words->server, 0, &c.server);

	out->len = 0;
	if (!err)
		err = net_loop_init(&c.loop, speed);
	if (err)
		return err;
	c.loop.witness = words->witness;
	if (words->timing.has_timeo)
		c.limit_ns = words->timing.timeo_ds * STAMP_NS_PER_S / 10;
	ask_init(&c.ask, &c.loop, &sys);
	/* NFSv4 has a port of its own and needs none of these. */
	if (wants(&c, 3)) {
		check_portmap(&c);
		check_mount(&c);
	}
	check_nfs(&c);
	if (wants(&c, 3) && enter(&c, "NLM", &c.nlm))
		check_null(&c, "NLM", NLM_PROG, NLM4_VERS, c.nlm.port);
	if (wants(&c, 3) && enter(&c, "STAT", &c.nsm))
		check_null(&c, "STAT", SM_PROG, SM_VERS, c.nsm.port);
	ask_deinit(&c.ask);
	net_loop_deinit(&c.loop);
	return NULL;
}

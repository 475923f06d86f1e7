// SPDX-License-Identifier: GPL-2.0-or-later
/* What is told of a fault that fired: a line of text, or an object of JSON. */
#include "lab/fault/fault.h"

#include "names/names.h"
#include "names/nfs4.h"

#include <arpa/inet.h>

static void add_address(struct strbuf *out, const struct fault_peer *peer)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN] = "?";

	if (memcmp(peer->address, mapped, sizeof(mapped)) == 0) {
		inet_ntop(AF_INET, peer->address + 12, text, sizeof(text));
		strbuf_add_format(out, "%s:%u", text, peer->port);
	} else {
		inet_ntop(AF_INET6, peer->address, text, sizeof(text));
		strbuf_add_format(out, "[%s]:%u", text, peer->port);
	}
}

static void add_program(struct strbuf *out, const struct fault_message *m)
{
	const struct names_program *p = names_program_find(
		m->is_callback && rpc_program_is_transient(m->program) ? NFS4_CALLBACK
								       : m->program);

	if (p)
		strbuf_add_text(out, p->name);
	else
		strbuf_add_format(out, "program %u", m->program);
}

static void add_operations(struct strbuf *out, const struct fault_message *m)
{
	for (uint32_t i = 0; i < m->ops_len; i++) {
		const char *name = m->is_callback ? nfs4_nfs_cb_opnum4_name(m->ops[i].number)
						  : nfs4_nfs_opnum4_name(m->ops[i].number);

		if (name)
			strbuf_add_format(out, " %s", name);
		else
			strbuf_add_format(out, " OP_%u", m->ops[i].number);
	}
}

static void add_procedure(struct strbuf *out, const struct fault_message *m)
{
	const char *name = names_procedure(m->program, m->version, m->procedure);

	add_program(out, m);
	if (m->is_compound) {
		strbuf_add_format(out, "v4.%u", m->minor);
		add_operations(out, m);
		return;
	}
	strbuf_add_format(out, "v%u", m->version);
	if (name)
		strbuf_add_format(out, " %s", name);
	else
		strbuf_add_format(out, " procedure %u", m->procedure);
}

void fault_firing_add_text(struct strbuf *out, const struct fault_firing *f)
{
	const struct fault_message *m = f->message;

	strbuf_add_seconds(out, f->now_ns);
	strbuf_add_format(out, " s %s: %s", f->fault, f->actions);
	if (m && m->side == FAULT_CONNECT) {
		strbuf_add_text(out, " (connection");
	} else if (m) {
		strbuf_add_text(out, " (");
		add_procedure(out, m);
		strbuf_add_format(out, " xid 0x%08x", m->xid);
	}
	if (m) {
		strbuf_add_text(out, " from ");
		add_address(out, &m->client);
		strbuf_add_char(out, ')');
	}
	if (f->failure)
		strbuf_add_format(out, ": not done: %s", f->failure);
}

void fault_firing_add_json(struct json *j, const struct fault_firing *f)
{
	const struct fault_message *m = f->message;
	struct strbuf text;

	strbuf_init(&text);
	json_object_begin(j);
	json_member_seconds(j, "at_s", f->now_ns);
	json_member_text(j, "fault", f->fault);
	json_member_text(j, "actions", f->actions);
	if (m) {
		add_address(&text, &m->client);
		json_member_text(j, "client", strbuf_text(&text));
	}
	if (m && m->side != FAULT_CONNECT) {
		strbuf_reset(&text);
		add_procedure(&text, m);
		json_member_text(j, "message", strbuf_text(&text));
		json_member_u64(j, "xid", m->xid);
	}
	if (f->failure)
		json_member_text(j, "failure", f->failure);
	json_object_end(j);
	strbuf_deinit(&text);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See label.h. Names of RPC's own outcomes: RFC 5531 section 9, RFC 2203 section 5.3.3.3. */
#include "cmd/label.h"

#include <stdio.h>

#include "names/names.h"
#include "names/nfs4.h"

enum {
	PROGRAM_MOUNT = 100005,
	PROGRAM_NFSACL = 100227,
	/* Callbacks come under a number that the client chooses: this is the one in the RFCs. */
	PROGRAM_NFS4_CALLBACK = 0x40000000,
};

static const char *const outcome_names[] = {
	[RPC_NO_REPLY] = NULL,
	[RPC_SUCCESS] = "RPC_SUCCESS",
	[RPC_PROG_UNAVAIL] = "RPC_PROG_UNAVAIL",
	[RPC_PROG_MISMATCH] = "RPC_PROG_MISMATCH",
	[RPC_PROC_UNAVAIL] = "RPC_PROC_UNAVAIL",
	[RPC_GARBAGE_ARGS] = "RPC_GARBAGE_ARGS",
	[RPC_SYSTEM_ERR] = "RPC_SYSTEM_ERR",
	[RPC_MISMATCH] = "RPC_MISMATCH",
	[RPC_AUTH_ERROR] = "RPC_AUTH_ERROR",
	[RPC_REPLY_CUT] = NULL,
};

static const struct names_entry auth_entries[] = {
	{1, "RPC_AUTH_BADCRED"},      {2, "RPC_AUTH_REJECTEDCRED"}, {3, "RPC_AUTH_BADVERF"},
	{4, "RPC_AUTH_REJECTEDVERF"}, {5, "RPC_AUTH_TOOWEAK"},      {6, "RPC_AUTH_INVALIDRESP"},
	{7, "RPC_AUTH_FAILED"},       {13, "RPC_GSS_CREDPROBLEM"},  {14, "RPC_GSS_CTXPROBLEM"},
};

static const struct names_table auth_names = {
	.entries = auth_entries,
	.count = sizeof(auth_entries) / sizeof(auth_entries[0]),
};

/* Not written in one piece with what follows: "??(" is a trigraph. */
static const char unknown[] = "???";

/* How the statuses of a program begin, for those that have no name. */
static const struct status_family {
	uint32_t program;
	uint32_t version_max;
	const char *name;
} status_families[] = {
	{LABEL_PROGRAM_NFS, 2, "NFSERR"},  {LABEL_PROGRAM_NFS, 3, "NFS3ERR"},
	{LABEL_PROGRAM_NFS, 4, "NFS4ERR"}, {PROGRAM_MOUNT, 2, "MNTERR"},
	{PROGRAM_MOUNT, 3, "MNT3ERR"},     {LABEL_PROGRAM_NLM, 3, "NLM"},
	{LABEL_PROGRAM_NLM, 4, "NLM4"},    {PROGRAM_NFSACL, 3, "NFS3ERR"},
};

static const char *status_family(uint32_t program, uint32_t version)
{
	for (size_t i = 0; i < sizeof(status_families) / sizeof(status_families[0]); i++)
		if (status_families[i].program == program &&
		    version <= status_families[i].version_max)
			return status_families[i].name;
	return "STATUS";
}

void label_add_program(struct strbuf *out, bool callback, uint32_t program)
{
	const struct names_program *found =
		names_program_find(callback ? PROGRAM_NFS4_CALLBACK : program);

	if (found)
		strbuf_add_text(out, found->name);
	else
		strbuf_add_format(out, "%u", program);
}

void label_add_procedure(struct strbuf *out, bool callback, uint32_t program, uint32_t version,
			 uint32_t procedure)
{
	const char *name = callback ? names_procedure(PROGRAM_NFS4_CALLBACK, 1, procedure)
				    : names_procedure(program, version, procedure);

	if (name)
		strbuf_add_text(out, name);
	else if (procedure == 0)
		strbuf_add_text(out, "NULL"); /* RFC 5531 section 12: true of every program */
	else
		strbuf_add_format(out, "%u", procedure);
}

void label_add_op(struct strbuf *out, bool callback, uint32_t op)
{
	const char *name = callback ? nfs4_nfs_cb_opnum4_name(op) : nfs4_nfs_opnum4_name(op);

	if (name)
		strbuf_add_text(out, name);
	else
		strbuf_add_format(out, "%s_%s(%u)", callback ? "CB" : "OP", unknown, op);
}

void label_add_nfs4_status(struct strbuf *out, uint32_t status)
{
	if (status != NFS4_STATUS_NONE)
		label_add_status(out, LABEL_PROGRAM_NFS, 4, RPC_SUCCESS, true, status);
}

void label_add_status(struct strbuf *out, uint32_t program, uint32_t version,
		      enum rpc_outcome outcome, bool has_status, uint32_t status)
{
	const char *name = outcome_names[outcome];

	if (outcome == RPC_SUCCESS && has_status) {
		name = names_status(program, version, status);
		if (!name) {
			strbuf_add_format(out, "%s_%s(%u)", status_family(program, version),
					  unknown, status);
			return;
		}
	}
	if (outcome == RPC_AUTH_ERROR && names_lookup(&auth_names, status))
		name = names_lookup(&auth_names, status);
	if (name)
		strbuf_add_text(out, name);
}

void label_add_call_status(struct strbuf *out, const struct rpc_call *c)
{
	bool refused = c->outcome == RPC_AUTH_ERROR;
	uint32_t program = c->is_callback ? LABEL_PROGRAM_NFS : c->program;
	uint32_t version = c->is_callback ? 4 : c->version;

	label_add_status(out, program, version, c->outcome, c->has_status,
			 refused ? c->auth_stat : c->status);
}

bool label_is_callback(uint32_t program)
{
	return program >= 0x40000000 && program < 0x60000000;
}

const char *label_transport(enum transport transport)
{
	static const char *const names[] = {
		[TRANSPORT_TCP] = "tcp",
		[TRANSPORT_UDP] = "udp",
	};

	return names[transport];
}

void label_add_caller(struct strbuf *out, const struct rpc_call *c)
{
	endpoint_add_text(out, c->from == CONN_FROM_CLIENT ? &c->conn->client : &c->conn->server);
}

void label_add_answerer(struct strbuf *out, const struct rpc_call *c)
{
	endpoint_add_text(out, c->from == CONN_FROM_CLIENT ? &c->conn->server : &c->conn->client);
}

void label_member(struct json *j, const char *key, struct strbuf *text)
{
	json_member_text(j, key, text->len ? strbuf_text(text) : NULL);
	strbuf_reset(text);
}

void label_member_stamp(struct json *j, const char *key, struct stamp at)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format(at, text);
	json_member_text(j, key, stamp_known(at) ? text : NULL);
}

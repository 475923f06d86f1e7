// SPDX-License-Identifier: GPL-2.0-or-later
/* See status.h. */
#include "lab/fault/status.h"

#include "names/names.h"
#include "names/nfs4.h"

#include <ctype.h>
#include <strings.h>

static const struct {
	uint32_t program, version;
} families[] = {{100003, 4}, {100003, 3}, {100003, 2}, {100005, 3},
		{100021, 4}, {100021, 3}, {100227, 3}};

static const struct {
	const char *name;
	enum fault_status_kind kind;
	uint32_t value;
} rpc_statuses[] = {
	{"PROG_UNAVAIL", FAULT_STATUS_ACCEPT, RPC_ACCEPT_PROG_UNAVAIL},
	{"PROG_MISMATCH", FAULT_STATUS_ACCEPT, RPC_ACCEPT_PROG_MISMATCH},
	{"PROC_UNAVAIL", FAULT_STATUS_ACCEPT, RPC_ACCEPT_PROC_UNAVAIL},
	{"GARBAGE_ARGS", FAULT_STATUS_ACCEPT, RPC_ACCEPT_GARBAGE_ARGS},
	{"SYSTEM_ERR", FAULT_STATUS_ACCEPT, RPC_ACCEPT_SYSTEM_ERR},
	/* RFC 5531 section 9 */
	{"AUTH_BADCRED", FAULT_STATUS_AUTH, 1},
	{"AUTH_REJECTEDCRED", FAULT_STATUS_AUTH, 2},
	{"AUTH_BADVERF", FAULT_STATUS_AUTH, 3},
	{"AUTH_REJECTEDVERF", FAULT_STATUS_AUTH, 4},
	{"AUTH_TOOWEAK", FAULT_STATUS_AUTH, 5},
	{"RPCSEC_GSS_CREDPROBLEM", FAULT_STATUS_AUTH, 13},
	{"RPCSEC_GSS_CTXPROBLEM", FAULT_STATUS_AUTH, 14},
};

static bool find_in_family(const char *word, size_t family, uint32_t *value)
{
	const struct names_version *version =
		names_version_find(families[family].program, families[family].version);

	for (uint32_t i = 0; i < version->statuses->count; i++) {
		const struct names_entry *entry = &version->statuses->entries[i];

		if (strcasecmp(entry->name, word) == 0) {
			*value = entry->value;
			return true;
		}
	}
	return false;
}

static bool find_name(const char *word, struct fault_status *out)
{
	for (size_t i = 0; i < sizeof(rpc_statuses) / sizeof(rpc_statuses[0]); i++) {
		if (strcasecmp(rpc_statuses[i].name, word) != 0)
			continue;
		*out = (struct fault_status){.kind = rpc_statuses[i].kind,
					     .value = rpc_statuses[i].value};
		return true;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		uint32_t value;

		if (!find_in_family(word, i, &value))
			continue;
		*out = (struct fault_status){.kind = FAULT_STATUS_PROGRAM,
					     .program = families[i].program,
					     .version = families[i].version,
					     .value = value};
		return true;
	}
	return false;
}

struct err *fault_status_parse(struct fault_words *w, struct fault_status *out)
{
	const char *word = fault_words_at_end(w) ? NULL : fault_words_peek(w);
	struct err *err;
	uint64_t value;

	if (word && isdigit((unsigned char)word[0])) {
		err = fault_words_number(w, "status", 0, UINT32_MAX, &value);
		if (!err)
			*out = (struct fault_status){.kind = FAULT_STATUS_ANY,
						     .value = (uint32_t)value};
		return err;
	}
	if (!word)
		return err_new("a status is missing, such as NFS4ERR_DELAY");
	if (!find_name(word, out))
		return err_new("\"%s\" is no status; write it as NFS4ERR_DELAY, NFS3ERR_JUKEBOX, "
			       "MNT3ERR_ACCES, NLM4_DENIED_NOLOCKS, SYSTEM_ERR, AUTH_BADCRED or a "
			       "number",
			       word);
	fault_words_take(w);
	return NULL;
}

/* NFSACL has the statuses of NFSv3, callbacks those of NFSv4. */
static bool is_of(const struct fault_status *s, const struct fault_message *m)
{
	if (s->program == 100003 && s->version == NFS_V4)
		return m->is_compound;
	if (s->program == 100003 && s->version == 3 && m->program == 100227)
		return m->version == 3;
	/* NLM versions 1 and 3 share theirs. */
	if (s->program == 100021 && s->version == 3)
		return m->program == s->program && m->version != 4;
	return m->program == s->program && m->version == s->version;
}

bool fault_status_fits(const struct fault_status *s, const struct fault_message *m)
{
	switch (s->kind) {
	case FAULT_STATUS_PROGRAM:
		return m->procedure != 0 && is_of(s, m);
	case FAULT_STATUS_ANY:
		return m->procedure != 0;
	case FAULT_STATUS_ACCEPT:
	case FAULT_STATUS_AUTH:
		break;
	}
	return true;
}

bool fault_status_is(const struct fault_status *s, const struct fault_message *reply, uint32_t op)
{
	if (!fault_status_fits(s, reply))
		return false;
	if (op == FAULT_OP_WHOLE || !reply->is_compound)
		return reply->has_status && reply->status == s->value;
	/* An operation that was not reached has no status. */
	return op < reply->ops_len && reply->ops[op].has_status &&
	       reply->ops[op].status == s->value;
}

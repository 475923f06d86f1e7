// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of operations, procedures and programs: what a word stands for in each program and version
 * that knows it. LOCK is an operation of NFSv4 and a procedure of NLM; "NLM.LOCK" and "NFS4.LOCK"
 * tell them apart.
 */
#include "lab/fault/match.h"

#include "names/names.h"
#include "names/nfs4.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { OP_NUMBER_MAX = 80, VERSION_MAX = 4, TARGETS_MAX = 256 };

static const struct {
	const char *name;
	uint32_t program;
} programs[] = {
	{"Portmap", 100000}, {"NFS", 100003},  {"MOUNT", 100005},         {"RQUOTA", 100011},
	{"NLM", 100021},     {"STAT", 100024}, {"NFSACL", 100227},        {"CB", NFS4_CALLBACK},
	{"rpcbind", 100000}, {"NSM", 100024},  {"NFS_CB", NFS4_CALLBACK},
};

enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };

static void push(struct vec *targets, struct fault_target t)
{
	if (targets->len < TARGETS_MAX)
		*(struct fault_target *)vec_push(targets) = t;
}

/* "NLM", "NLM4": the program, and the version behind its name. */
static bool find_program(const char *name, size_t len, uint32_t *program, uint32_t *version)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		size_t own = strlen(programs[i].name);

		if (len < own || strncasecmp(name, programs[i].name, own) != 0)
			continue;
		*version = len == own + 1 && isdigit((unsigned char)name[own])
				   ? (uint32_t)(name[own] - '0')
				   : 0;
		if (len != own && *version == 0)
			continue;
		*program = programs[i].program;
		return true;
	}
	return false;
}

static void add_operations(struct vec *targets, const char *name, uint32_t program,
			   uint32_t version)
{
	bool fore =
		(program == 0 || program == NFS4_PROGRAM) && (version == 0 || version == NFS_V4);
	bool back = program == 0 || program == NFS4_CALLBACK;

	for (uint32_t number = 0; number < OP_NUMBER_MAX; number++) {
		const struct names_operation *op = nfs4_nfs_opnum4_find(number);

		if (fore && op && strcasecmp(op->name, name) == 0)
			push(targets,
			     (struct fault_target){NFS4_PROGRAM, NFS_V4, true, true, number});
		op = nfs4_nfs_cb_opnum4_find(number);
		if (back && op && strcasecmp(op->name, name) == 0)
			push(targets, (struct fault_target){NFS4_CALLBACK, 0, true, true, number});
	}
}

static void add_procedures_of(struct vec *targets, const char *name, uint32_t program,
			      uint32_t version)
{
	const struct names_version *v = names_version_find(program, version);

	for (uint32_t i = 0; v && i < v->procedures.count; i++)
		if (strcasecmp(v->procedures.entries[i].name, name) == 0)
			push(targets, (struct fault_target){program, version, true, false,
							    v->procedures.entries[i].value});
}

static void add_procedures(struct vec *targets, const char *name, uint32_t program,
			   uint32_t version)
{
	/* The last rows are other names of the same programs. */
	for (size_t i = 0; i + 3 < PROGRAMS; i++) {
		if (program != 0 && programs[i].program != program)
			continue;
		for (uint32_t v = 1; v <= VERSION_MAX; v++)
			if (version == 0 || version == v)
				add_procedures_of(targets, name, programs[i].program, v);
	}
}

struct err *fault_target_parse(const char *word, struct vec *targets)
{
	const char *dot = strchr(word, '.');
	const char *name = dot ? dot + 1 : word;
	uint32_t program = 0, version = 0;
	size_t before = targets->len;

	if (dot && !find_program(word, (size_t)(dot - word), &program, &version))
		return err_new("\"%.*s\" is no program; write NFS, NFS3, NFS4, MOUNT, NLM, NSM, "
			       "NFSACL, RQUOTA, Portmap or CB in front of the dot",
			       (int)(dot - word), word);
	if (!dot && find_program(word, strlen(word), &program, &version)) {
		push(targets, (struct fault_target){.program = program, .version = version});
		return NULL;
	}
	add_operations(targets, name, program, version);
	add_procedures(targets, name, program, version);
	if (targets->len == before)
		return err_new("\"%s\" is neither a condition nor an operation, procedure or "
			       "program; names are those that Wireshark shows: READ, SEQUENCE, "
			       "NLM.LOCK, NFS3.LOOKUP, MOUNT",
			       word);
	return NULL;
}

bool fault_target_fits(const struct fault_target *t, const struct fault_message *m,
		       const struct fault_op *op)
{
	uint32_t program =
		m->is_callback && rpc_program_is_transient(m->program) ? NFS4_CALLBACK : m->program;

	if ((t->program && t->program != program) || (t->version && t->version != m->version))
		return false;
	if (!t->has_number)
		return true;
	if (t->is_op)
		return m->is_compound && op && op->number == t->number;
	return m->procedure == t->number;
}

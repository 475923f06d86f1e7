// SPDX-License-Identifier: GPL-2.0-or-later
/* The registry of names: a row for each specification. */
#include "names/names.h"

#include "names/mount.h"
#include "names/nfs2.h"
#include "names/nfs3.h"
#include "names/nfs4.h"
#include "names/nfsacl.h"
#include "names/nlm.h"
#include "names/nsm.h"
#include "names/portmap.h"
#include "names/rquota.h"

#include <stddef.h>

static const struct names_spec *const specs[] = {
	&nfs4_spec, &portmap_spec, &nfs3_spec, &mount_spec,  &nlm_spec,
	&nsm_spec,  &nfsacl_spec,  &nfs2_spec, &rquota_spec,
};

#define SPEC_COUNT (sizeof(specs) / sizeof(specs[0]))

const char *names_lookup(const struct names_table *table, uint32_t value)
{
	uint32_t low = 0;
	uint32_t high = table->count;

	/* the numbers of most tables are 0, 1, 2 ... */
	if (value < high && table->entries[value].value == value)
		return table->entries[value].name;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table->entries[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == table->count || table->entries[low].value != value)
		return NULL;
	return table->entries[low].name;
}

const struct names_operation *names_operation_lookup(const struct names_operation *rows,
						     uint32_t count, uint32_t number)
{
	uint32_t low = 0;
	uint32_t high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rows[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == count || rows[low].number != number)
		return NULL;
	return &rows[low];
}

const struct names_program *names_program_find(uint32_t program)
{
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		for (uint32_t j = 0; j < specs[i]->program_count; j++) {
			if (specs[i]->programs[j].program == program)
				return &specs[i]->programs[j];
		}
	}
	return NULL;
}

static const struct names_version *program_version(const struct names_program *program,
						   uint32_t version)
{
	for (uint32_t i = 0; i < program->version_count; i++) {
		if (program->versions[i].version == version)
			return &program->versions[i];
	}
	return NULL;
}

const struct names_version *names_version_find(uint32_t program, uint32_t version)
{
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		for (uint32_t j = 0; j < specs[i]->program_count; j++) {
			const struct names_program *row = &specs[i]->programs[j];
			const struct names_version *found = NULL;

			if (row->program == program)
				found = program_version(row, version);
			if (found)
				return found;
		}
	}
	return NULL;
}

const char *names_procedure(uint32_t program, uint32_t version, uint32_t procedure)
{
	const struct names_version *row = names_version_find(program, version);

	return row ? names_lookup(&row->procedures, procedure) : NULL;
}

const char *names_status(uint32_t program, uint32_t version, uint32_t value)
{
	const struct names_version *row = names_version_find(program, version);

	return row && row->statuses ? names_lookup(row->statuses, value) : NULL;
}

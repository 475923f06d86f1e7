/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of the protocols: programs, versions, procedures, operations, statuses and flags.
 *
 * The tables are made by tools/xdrgen from src/proto/spec; this header has their shapes and the
 * registry over all of them. Names are those that Wireshark shows. All strings are static.
 */
#ifndef NAMES_NAMES_H
#define NAMES_NAMES_H

#include <stdint.h>

struct names_entry {
	uint32_t value;
	const char *name;
};

/* Sorted by value; the first of several names of one value is the one that is shown. */
struct names_table {
	const struct names_entry *entries;
	uint32_t count;
};

/* An operation inside of a COMPOUND. */
struct names_operation {
	uint32_t number;
	const char *name;
	uint32_t since_minor; /* the minor version that brought it */
};

struct names_version {
	uint32_t version;
	struct names_table procedures;
	const struct names_table *statuses; /* with which results begin; NULL when with none */
};

struct names_program {
	uint32_t program;
	const char *name;
	const struct names_version *versions;
	uint32_t version_count;
};

/* The programs of one specification. */
struct names_spec {
	const struct names_program *programs;
	uint32_t program_count;
};

/* The name of value, or NULL. */
const char *names_lookup(const struct names_table *table, uint32_t value);

/* The row of number in count rows sorted by number, or NULL. */
const struct names_operation *names_operation_lookup(const struct names_operation *rows,
						     uint32_t count, uint32_t number);

/*
 * The program of that number, or NULL. Where several specifications describe one program (the
 * versions of NFS do), this is the first of them: ask names_version_find for a version.
 */
const struct names_program *names_program_find(uint32_t program);

/* The version of that program in whichever specification has it, or NULL. */
const struct names_version *names_version_find(uint32_t program, uint32_t version);

/* A procedure's name, such as "COMPOUND", or NULL. */
const char *names_procedure(uint32_t program, uint32_t version, uint32_t procedure);

/* The name of the status with which results of that program begin, or NULL. */
const char *names_status(uint32_t program, uint32_t version, uint32_t value);

#endif

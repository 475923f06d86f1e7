/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalogue: what each finding means, in words. The pages are text files in
 * src/diagnose/catalogue/, compiled in (tools/catalogue.py), and the source of
 * nfsleuth-findings(7).
 */
#ifndef DIAGNOSE_CATALOGUE_H
#define DIAGNOSE_CATALOGUE_H

#include "diagnose/finding.h"

struct catalogue_section {
	const char *heading; /* "What it is", "How it shows", "Look-alikes" ... */
	const char *text;    /* paragraphs and "- " items, as in the file */
};

struct catalogue_page {
	const char *id;
	const char *title; /* one line */
	enum finding_role role;
	const char *const *remedy;                /* NULL-terminated */
	const char *const *references;            /* NULL-terminated */
	const struct catalogue_section *sections; /* heading NULL ends; remedy and references are
						   * among them */
};

/* A finding id as it is fixed for users, also one that no rule makes yet. */
struct catalogue_id {
	const char *id;
	enum finding_role role;
};

/* All ids, sorted by id. */
extern const struct catalogue_id catalogue_ids[];
extern const size_t catalogue_ids_count;

/* The entry of an id, or NULL when there is no such id. */
const struct catalogue_id *catalogue_id_find(const char *id);

/* All pages, sorted by id. */
extern const struct catalogue_page catalogue_pages[];
extern const size_t catalogue_pages_count;

/* The page of an id, or NULL. */
const struct catalogue_page *catalogue_find(const char *id);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* See dir_common.h. */
#include "diagnose/rules/dir_common.h"

#include "event/handle.h"

#include <stdlib.h>

bool dir_chain_same_dir(const struct dir_chain *a, const struct dir_chain *b)
{
	return endpoint_equal(&a->server, &b->server) && endpoint_equal(&a->client, &b->client) &&
	       file_handle_equal(&a->dir, &b->dir);
}

static int chain_order(const void *a, const void *b)
{
	const struct dir_chain *x = *(struct dir_chain *const *)a;
	const struct dir_chain *y = *(struct dir_chain *const *)b;
	int64_t longer = dir_chain_elapsed_ns(y) - dir_chain_elapsed_ns(x);
	int order = endpoint_compare(&x->server, &y->server);

	if (order == 0)
		order = endpoint_compare(&x->client, &y->client);
	if (order == 0)
		order = (x->dir.len > y->dir.len) - (x->dir.len < y->dir.len);
	if (order == 0)
		order = memcmp(x->dir.bytes, y->dir.bytes, x->dir.len);
	if (order == 0)
		order = (longer > 0) - (longer < 0);
	return order ? order
		     : (x->first.frame > y->first.frame) - (x->first.frame < y->first.frame);
}

void dir_chains_select(const struct dir_model *m, dir_chain_fn *takes, struct vec *chains)
{
	vec_init(chains, sizeof(struct dir_chain *));
	for (size_t i = 0; i < longest_count(&m->chains); i++) {
		struct dir_chain *c = longest_at(&m->chains, i);

		if (takes(c))
			*(struct dir_chain **)vec_push(chains) = c;
	}
	if (chains->len)
		qsort(chains->items, chains->len, chains->item_bytes, chain_order);
}

struct finding *dir_finding(struct diagnosis *d, const struct dir_chain *c, const char *id,
			    enum finding_confidence confidence)
{
	struct finding *f = diagnosis_add(d, id, confidence);

	finding_set_server(d, f, &c->server);
	finding_add_client(d, f, &c->client);
	finding_subject(d, f, "directory", "handle with hash 0x%08x (nfs.fh.hash)",
			file_handle_hash(&c->dir));
	f->first = c->first.at;
	f->last = c->last.at;
	f->count = c->calls;
	return f;
}

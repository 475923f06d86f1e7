// SPDX-License-Identifier: GPL-2.0-or-later
/* See dir_common.h. */
#include "diagnose/rules/dir/dir_common.h"

#include "event/handle.h"
#include "model/conn.h"
#include "model/path/path.h"

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

#define TIMES_OTHERS 10 /* as long as other calls take on average */
enum { OTHERS_MIN = 20 };

int64_t dir_chain_others_ns(const struct dir_chain *c)
{
	int64_t mean_ns;

	if (c->other_calls < OTHERS_MIN)
		return 0;
	mean_ns = c->other_rtt_sum_ns / (int64_t)c->other_calls;
	return mean_ns > 0 ? mean_ns : 1;
}

bool dir_chain_takes_longer(const struct dir_chain *c, int64_t sum_ns)
{
	int64_t others_ns = dir_chain_others_ns(c);

	return others_ns > 0 && sum_ns / (int64_t)c->replies / TIMES_OTHERS >= others_ns;
}

/* Many answers that take a while each, and long together. */
#define PAGES_SUM_MIN_NS  (10 * STAMP_NS_PER_S)
#define PAGES_MEAN_MIN_NS (100 * STAMP_NS_PER_MS)
#define PAGES_TIMES_PATH  20 /* more than queues make of a round trip */
enum { PAGES_MIN = 20, PAGES_A_LOSS = 10 };

bool dir_chain_pages_are_long(const struct rule_input *in, const struct dir_chain *c)
{
	const struct conn_record *r = in->conns ? conn_model_find(in->conns, c->conn.serial) : NULL;

	/* What is sent again takes as long as a timer. */
	if (r && (r->retransmissions[CONN_FROM_CLIENT] + r->retransmissions[CONN_FROM_SERVER]) *
				 PAGES_A_LOSS >
			 c->replies)
		return false;
	return !c->conn.lossy && c->replies >= PAGES_MIN && c->made_sum_ns >= PAGES_SUM_MIN_NS &&
	       c->made_sum_ns / (int64_t)c->replies >= PAGES_MEAN_MIN_NS;
}

bool dir_chain_pages_are_slow(const struct rule_input *in, const struct dir_chain *c,
			      int64_t *path_ns)
{
	const struct conn_record *r = in->conns ? conn_model_find(in->conns, c->conn.serial) : NULL;

	*path_ns = 0;
	/* From SYN to the handshake's last ACK: there and back, wherever the capture was taken. */
	if (!r || r->syns != 1 || r->syn_acks != 1 || r->established.frame == FRAME_NONE)
		return false;
	*path_ns = path_span_ns(r->syn.at, r->established.at);
	return *path_ns > 0 && dir_chain_pages_are_long(in, c) &&
	       c->made_sum_ns / (int64_t)c->replies / PAGES_TIMES_PATH >= *path_ns;
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

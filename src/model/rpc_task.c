// SPDX-License-Identifier: GPL-2.0-or-later
/* See rpc_task.h. */
#include "model/rpc_task.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "model/rpc_alarm.h"

static const char *keep(struct rpc_task_model *m, struct slice text)
{
	return texts_keep(&m->names, &m->arena, text);
}

static bool elapsed(const struct provenance *from, const struct provenance *to, int64_t *ns)
{
	if (from->frame == FRAME_NONE || to->frame == FRAME_NONE ||
	    from->at.clock != to->at.clock || !stamp_known(from->at))
		return false;
	*ns = to->at.ns - from->at.ns;
	return *ns >= 0;
}

/* --- whose --- */

static struct rpc_task_host *host_get(struct rpc_task_model *m, const struct event *e)
{
	const struct rpc_task_fact *f = e->rpc_task;
	struct rpc_task_host *h;

	for (size_t i = 0; i < m->hosts.len; i++) {
		h = *(struct rpc_task_host **)vec_at(&m->hosts, i);
		if (slice_equal(slice_of_string(h->name), f->host))
			return h;
	}
	if (m->hosts.len == RPC_TASK_HOSTS_MAX)
		return NULL;
	h = arena_alloc(&m->arena, sizeof(*h));
	h->name = keep(m, f->host);
	h->told = f->host_told;
	h->last[0].frame = h->last[1].frame = FRAME_NONE;
	vec_init(&h->clients, sizeof(struct rpc_task_client *));
	vec_init(&h->peers, sizeof(struct rpc_task_peer *));
	vec_init(&h->alarms, sizeof(struct rpc_task_alarms));
	*(struct rpc_task_host **)vec_push(&m->hosts) = h;
	return h;
}

static struct rpc_task_client *client_get(struct rpc_task_model *m, struct rpc_task_host *h,
					  uint64_t id)
{
	struct rpc_task_client *c;

	for (size_t i = 0; i < h->clients.len; i++) {
		c = *(struct rpc_task_client **)vec_at(&h->clients, i);
		if (c->id == id)
			return c;
	}
	if (h->clients.len == RPC_TASK_CLIENTS_MAX)
		return NULL;
	c = arena_alloc(&m->arena, sizeof(*c));
	c->host = h;
	c->id = id;
	c->program = "";
	*(struct rpc_task_client **)vec_push(&h->clients) = c;
	return c;
}

struct task_key {
	const struct rpc_task_host *host;
	uint64_t client, task;
};

static bool task_is(const void *item, const void *key)
{
	const struct rpc_task_seen *t = item;
	const struct task_key *k = key;

	return t->of->host == k->host && t->of->id == k->client && t->task == k->task;
}

static uint64_t task_hash(const struct task_key *k)
{
	uint64_t hash = hash_bytes(k->host->name, strlen(k->host->name));

	return hash_u64(hash_u64(hash, k->client), k->task);
}

static bool xid_is(const void *item, const void *key)
{
	const struct rpc_task_seen *t = item;
	const struct task_key *k = key;

	return t->of->host == k->host && t->xid == (uint32_t)k->task;
}

static uint64_t xid_hash(const struct rpc_task_host *h, uint32_t xid)
{
	return hash_u64(hash_bytes(h->name, strlen(h->name)), xid);
}

static void task_learn_xid(struct rpc_task_model *m, struct rpc_task_seen *t, uint32_t xid)
{
	struct task_key key = {.host = t->of->host, .task = t->xid};

	if (t->has_xid && t->xid == xid)
		return;
	if (t->has_xid)
		map_remove(&m->xids, xid_hash(t->of->host, t->xid), &key);
	key.task = xid;
	map_remove(&m->xids, xid_hash(t->of->host, xid), &key);
	t->has_xid = true;
	t->xid = xid;
	map_add(&m->xids, xid_hash(t->of->host, xid), t);
}

/* Connections that failed while a call waited so long are worth telling. */
#define HURTS_NS (5 * STAMP_NS_PER_S)

static void hurt_peers(const struct rpc_task_seen *t, const struct provenance *end)
{
	struct rpc_task_host *h = t->of->host;
	int64_t ns;

	if (h->peers.len == 0 || !elapsed(&t->begun, end, &ns) || ns < HURTS_NS)
		return;
	for (size_t i = 0; i < h->peers.len; i++) {
		struct rpc_task_peer *p = *(struct rpc_task_peer **)vec_at(&h->peers, i);

		if (p->failures && p->hurt.frame == FRAME_NONE && elapsed(&t->begun, &p->last, &ns))
			p->hurt = t->begun;
	}
}

static void task_end(struct rpc_task_model *m, struct rpc_task_seen *t)
{
	struct task_key key = {.host = t->of->host, .client = t->of->id, .task = t->task};

	map_remove(&m->open, task_hash(&key), &key);
	if (t->has_xid) {
		key.task = t->xid;
		map_remove(&m->xids, xid_hash(t->of->host, t->xid), &key);
	}
	if (t->sent && !t->doubtful && t->replied.frame == FRAME_NONE && t->of->in_flight)
		t->of->in_flight--;
	t->free_next = m->free;
	m->free = t;
}

/* Where the ends of tasks are not traced: what has its answer is not needed any more. */
static void sweep(struct rpc_task_model *m)
{
	struct vec answered; /* struct rpc_task_seen * */
	struct rpc_task_seen *t;

	if (!m->may_sweep)
		return;
	m->may_sweep = false;
	vec_init(&answered, sizeof(struct rpc_task_seen *));
	for (size_t i = 0; (t = map_next(&m->open, &i)) != NULL;)
		if (t->replied.frame != FRAME_NONE)
			*(struct rpc_task_seen **)vec_push(&answered) = t;
	for (size_t i = 0; i < answered.len; i++)
		task_end(m, *(struct rpc_task_seen **)vec_at(&answered, i));
	vec_deinit(&answered);
}

static struct rpc_task_seen *task_new(struct rpc_task_model *m, const struct event *e,
				      struct rpc_task_host *h)
{
	struct rpc_task_client *c = client_get(m, h, e->rpc_task->client);
	struct rpc_task_seen *t;

	if (m->open.len == RPC_TASK_OPEN_MAX)
		sweep(m);
	t = m->free;
	if (!c || m->open.len == RPC_TASK_OPEN_MAX) {
		m->dropped++;
		return NULL;
	}
	if (t)
		m->free = t->free_next;
	else
		t = arena_alloc(&m->arena, sizeof(*t));
	*t = (struct rpc_task_seen){.of = c, .task = e->rpc_task->task, .begun = e->at};
	t->program = t->procedure = t->queue = "";
	t->sent_first.frame = t->sent_last.frame = t->slept.frame = FRAME_NONE;
	t->replied.frame = t->listed_first.frame = t->listed_last.frame = FRAME_NONE;
	return t;
}

/* The task of the fact; made if it is new and the fact names it. */
static struct rpc_task_seen *task_get(struct rpc_task_model *m, const struct event *e,
				      struct rpc_task_host *h)
{
	const struct rpc_task_fact *f = e->rpc_task;
	struct task_key key = {.host = h, .client = f->client, .task = f->task};
	struct rpc_task_seen *t;

	if (!f->has_task) {
		key.task = f->xid;
		return map_find(&m->xids, xid_hash(h, f->xid), &key);
	}
	t = map_find(&m->open, task_hash(&key), &key);
	if (t && f->step == RPC_TASK_BEGUN) {
		/* The number is used again: the end of the one before was not told. */
		task_end(m, t);
		t = NULL;
	}
	if (!t && f->step != RPC_TASK_ENDED) {
		t = task_new(m, e, h);
		if (t)
			map_add(&m->open, task_hash(&key), t);
	}
	return t;
}

/* --- what happens --- */

bool rpc_task_lasts(const struct rpc_task_host *h, const struct provenance *from, int64_t *ns)
{
	return elapsed(from, &h->last[from->at.clock == CLOCK_UTC], ns);
}

static struct rpc_task_queue *queue_get(struct rpc_task_client *c, const char *name)
{
	struct rpc_task_queue *q;

	for (size_t i = 0; i < c->queues_len; i++)
		if (strcmp(c->queues[i].name, name) == 0)
			return &c->queues[i];
	if (c->queues_len == RPC_TASK_QUEUES_MAX)
		return NULL;
	q = &c->queues[c->queues_len++];
	q->name = name;
	return q;
}

static void wait_ends(struct rpc_task_seen *t, const struct event *e)
{
	struct rpc_task_queue *q = t->queue[0] ? queue_get(t->of, t->queue) : NULL;
	int64_t ns, apart;

	if (!q || !elapsed(&t->slept, &e->at, &ns))
		return;
	/* Neither do waits end in the order in which they began, nor are files given in theirs. */
	if (q->waits == 0 || !elapsed(&q->first, &t->slept, &apart))
		q->first = t->slept;
	if (q->waits++ == 0 || elapsed(&q->last, &t->slept, &apart))
		q->last = t->slept;
	q->total_ns += ns;
	if (ns >= q->longest_ns) {
		q->longest_ns = ns;
		q->longest = e->at;
	}
	t->queue = "";
	t->slept.frame = FRAME_NONE;
}

static void sleeps(struct rpc_task_model *m, struct rpc_task_seen *t, const struct event *e)
{
	struct rpc_task_queue *q;

	t->queue = keep(m, e->rpc_task->queue);
	t->slept = e->at;
	q = t->queue[0] ? queue_get(t->of, t->queue) : NULL;
	if (!q)
		return;
	q->idle += t->of->in_flight == 0;
	if (t->of->in_flight > q->in_flight_max)
		q->in_flight_max = t->of->in_flight;
}

static void is_sent(struct rpc_task_seen *t, const struct event *e)
{
	if (!t->sent)
		t->of->in_flight++;
	t->sent = true;
	t->transmissions++;
	if (t->sent_first.frame == FRAME_NONE)
		t->sent_first = e->at;
	t->sent_last = e->at;
}

/* What was answered late, though another one that was sent behind it was not. */
static void keep_late(struct rpc_task_client *c, const struct rpc_task_seen *t, int64_t ns)
{
	size_t at = c->late_len;
	int64_t other;

	while (at > 0 && elapsed(&c->late[at - 1].sent_first, &c->late[at - 1].replied, &other) &&
	       other < ns)
		at--;
	if (at == RPC_TASK_LATE_MAX)
		return;
	if (c->late_len < RPC_TASK_LATE_MAX)
		c->late_len++;
	memmove(&c->late[at + 1], &c->late[at], (c->late_len - 1 - at) * sizeof(*t));
	c->late[at] = *t;
}

/* A call that was sent later has its answer: then this one has reached the server. */
static void is_overtaken(struct rpc_task_seen *t)
{
	const struct rpc_task_client *c = t->of;
	int64_t ns;

	if (!t->overtaken && c->replies && elapsed(&t->sent_last, &c->answered_sent, &ns) &&
	    ns > 0) {
		t->overtaken = true;
		t->overtaken_sent = c->answered_sent;
		t->overtaken_replied = c->answered;
	}
}

static void is_answered(struct rpc_task_seen *t, const struct event *e)
{
	struct rpc_task_client *c = t->of;
	int64_t ns;

	if (!t->sent || t->replied.frame != FRAME_NONE)
		return;
	is_overtaken(t);
	t->replied = e->at;
	if (c->in_flight && !t->doubtful)
		c->in_flight--;
	if (!elapsed(&t->sent_first, &e->at, &ns))
		return;
	c->reply_total_ns += ns;
	if (ns > c->reply_longest_ns)
		c->reply_longest_ns = ns;
	if (t->overtaken)
		keep_late(c, t, ns);
	if (c->replies++ == 0 || (elapsed(&c->answered_sent, &t->sent_last, &ns) && ns > 0)) {
		c->answered_sent = t->sent_last;
		c->answered = e->at;
	}
}

static void is_listed(struct rpc_task_model *m, struct rpc_task_seen *t, const struct event *e)
{
	if (t->lists++ == 0)
		t->listed_first = e->at;
	t->listed_last = e->at;
	t->sent |= e->rpc_task->sent;
	t->queue = keep(m, e->rpc_task->queue);
}

static void peer_take(struct rpc_task_model *m, struct rpc_task_host *h, const struct event *e)
{
	const struct rpc_task_fact *f = e->rpc_task;
	struct rpc_task_peer *p = NULL;

	for (size_t i = 0; i < h->peers.len && !p; i++) {
		p = *(struct rpc_task_peer **)vec_at(&h->peers, i);
		if (!endpoint_equal(&p->at, &f->peer))
			p = NULL;
	}
	if (f->step == RPC_TASK_PEER_JOINED) {
		if (p) {
			p->tried.frame = FRAME_NONE;
			if (p->joined.frame == FRAME_NONE)
				p->joined = e->at;
		}
		return;
	}
	if (!p) {
		if (h->peers.len == RPC_TASK_PEERS_MAX) {
			m->dropped++;
			return;
		}
		p = arena_alloc(&m->arena, sizeof(*p));
		p->at = f->peer;
		p->tried.frame = p->joined.frame = p->hurt.frame = FRAME_NONE;
		*(struct rpc_task_peer **)vec_push(&h->peers) = p;
	}
	if (p->tried.frame == FRAME_NONE)
		p->tried = e->at;
	if (f->step == RPC_TASK_PEER_TRIED)
		return;
	if (p->failures++ == 0)
		p->first = e->at;
	p->last = e->at;
	p->status = f->status;
	p->joined.frame = FRAME_NONE;
}

/* Whether what is under way has ended or was answered meanwhile nobody knows. */
static void lose(struct rpc_task_model *m, const struct rpc_task_host *h)
{
	struct rpc_task_seen *t;

	for (size_t i = 0; (t = map_next(&m->open, &i)) != NULL;)
		t->doubtful |= t->of->host == h;
	for (size_t i = 0; i < h->clients.len; i++)
		(*(struct rpc_task_client **)vec_at(&h->clients, i))->in_flight = 0;
}

static void task_step(struct rpc_task_model *m, struct rpc_task_seen *t, const struct event *e)
{
	const struct rpc_task_fact *f = e->rpc_task;

	switch (f->step) {
	case RPC_TASK_LISTED:
		is_listed(m, t, e);
		break;
	case RPC_TASK_SLEPT:
		/* Where sending itself is not traced: it waits for the reply to what was sent. */
		if (f->sent && t->sent_first.frame == FRAME_NONE)
			is_sent(t, e);
		sleeps(m, t, e);
		break;
	case RPC_TASK_WOKEN:
		wait_ends(t, e);
		break;
	case RPC_TASK_SENT:
		is_sent(t, e);
		break;
	case RPC_TASK_REPLIED:
		wait_ends(t, e);
		m->may_sweep = true;
		is_answered(t, e);
		break;
	case RPC_TASK_ENDED:
		wait_ends(t, e);
		hurt_peers(t, &e->at);
		task_end(m, t);
		break;
	case RPC_TASK_BEGUN:
	case RPC_TASK_NAMED:
	case RPC_TASK_ALARM:
	case RPC_TASK_LOST:
	case RPC_TASK_PEER_TRIED:
	case RPC_TASK_PEER_FAILED:
	case RPC_TASK_PEER_JOINED:
		break;
	}
}

static void rpc_task_take(void *context, const struct event *e)
{
	struct rpc_task_model *m = context;
	const struct rpc_task_fact *f = e->rpc_task;
	struct rpc_task_host *h = host_get(m, e);
	struct rpc_task_seen *t;

	if (!h) {
		m->dropped++;
		return;
	}
	h->last[e->at.at.clock == CLOCK_UTC] = e->at;
	if (f->has_peer) {
		peer_take(m, h, e);
		return;
	}
	if (f->step == RPC_TASK_ALARM) {
		rpc_alarm_take(h, e);
		return;
	}
	if (f->step == RPC_TASK_LOST) {
		lose(m, h);
		return;
	}
	t = task_get(m, e, h);
	if (!t)
		return;
	if (f->has_xid && f->has_task)
		task_learn_xid(m, t, f->xid);
	if (f->program.len) {
		t->program = keep(m, f->program);
		t->procedure = keep(m, f->procedure);
		t->of->program = t->program;
	}
	task_step(m, t, e);
}

void rpc_task_model_init(struct rpc_task_model *m)
{
	*m = (struct rpc_task_model){0};
	arena_init(&m->arena);
	texts_init(&m->names, RPC_TASK_NAMES_MAX);
	map_init(&m->open, task_is);
	map_init(&m->xids, xid_is);
	vec_init(&m->hosts, sizeof(struct rpc_task_host *));
	vec_init(&m->under_way, sizeof(struct rpc_task_seen *));
}

void rpc_task_model_deinit(struct rpc_task_model *m)
{
	for (size_t i = 0; i < m->hosts.len; i++) {
		struct rpc_task_host *h = *(struct rpc_task_host **)vec_at(&m->hosts, i);

		vec_deinit(&h->clients);
		vec_deinit(&h->peers);
		vec_deinit(&h->alarms);
	}
	vec_deinit(&m->hosts);
	vec_deinit(&m->under_way);
	texts_deinit(&m->names);
	map_deinit(&m->open);
	map_deinit(&m->xids);
	arena_deinit(&m->arena);
}

void rpc_task_model_attach(struct rpc_task_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_TASK, rpc_task_take, m);
}

static int by_begin(const void *a, const void *b)
{
	const struct rpc_task_seen *x = *(struct rpc_task_seen *const *)a;
	const struct rpc_task_seen *y = *(struct rpc_task_seen *const *)b;

	if (x->begun.evidence != y->begun.evidence)
		return x->begun.evidence < y->begun.evidence ? -1 : 1;
	return (x->begun.frame > y->begun.frame) - (x->begun.frame < y->begun.frame);
}

void rpc_task_model_finish(struct rpc_task_model *m)
{
	struct rpc_task_seen *t;

	for (size_t i = 0; (t = map_next(&m->open, &i)) != NULL;) {
		struct rpc_task_queue *q = t->queue[0] ? queue_get(t->of, t->queue) : NULL;

		if (q)
			q->waiting++;
		hurt_peers(t, &t->of->host->last[t->begun.at.clock == CLOCK_UTC]);
		if (t->replied.frame == FRAME_NONE)
			is_overtaken(t);
		*(struct rpc_task_seen **)vec_push(&m->under_way) = t;
	}
	if (m->under_way.len)
		qsort(m->under_way.items, m->under_way.len, m->under_way.item_bytes, by_begin);
}

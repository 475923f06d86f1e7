// SPDX-License-Identifier: GPL-2.0-or-later
/* See logs.h. */
#include "model/logs.h"

#include <string.h>

/* A silence of this length ends an interval that no "OK" ended: each task complains once only. */
#define INTERVAL_GAP_NS (3600 * STAMP_NS_PER_S)

/* Packets that are logged, and tables that are full, so far apart are told apart. */
#define TALLY_GAP_NS (30 * STAMP_NS_PER_S)

enum { LOGS_TEXT_BYTES_MAX = 1024 };

void logs_model_init(struct logs_model *m)
{
	*m = (struct logs_model){0};
	arena_init(&m->arena);
	vec_init(&m->hosts, sizeof(struct logs_host *));
	vec_init(&m->intervals, sizeof(struct logs_interval *));
	vec_init(&m->losses, sizeof(struct logs_tally *));
	vec_init(&m->mismatches, sizeof(struct logs_tally *));
	vec_init(&m->monitors, sizeof(struct logs_tally *));
	vec_init(&m->in_use, sizeof(struct logs_tally *));
	vec_init(&m->recoveries, sizeof(struct logs_tally *));
	vec_init(&m->loops, sizeof(struct logs_tally *));
	vec_init(&m->upcalls, sizeof(struct logs_tally *));
	vec_init(&m->interfaces, sizeof(struct logs_interface *));
	vec_init(&m->tasks, sizeof(struct logs_task *));
	vec_init(&m->packets, sizeof(struct logs_packet *));
	vec_init(&m->conntracks, sizeof(struct logs_tally *));
}

void logs_model_deinit(struct logs_model *m)
{
	for (size_t i = 0; i < m->interfaces.len; i++)
		vec_deinit(&(*(struct logs_interface **)vec_at(&m->interfaces, i))->outages);
	vec_deinit(&m->hosts);
	vec_deinit(&m->intervals);
	vec_deinit(&m->losses);
	vec_deinit(&m->mismatches);
	vec_deinit(&m->monitors);
	vec_deinit(&m->in_use);
	vec_deinit(&m->recoveries);
	vec_deinit(&m->loops);
	vec_deinit(&m->upcalls);
	vec_deinit(&m->interfaces);
	vec_deinit(&m->tasks);
	vec_deinit(&m->packets);
	vec_deinit(&m->conntracks);
	arena_deinit(&m->arena);
}

static bool is_text(const char *text, struct slice s)
{
	return slice_equal(slice_of_string(text), s);
}

static const char *keep(struct logs_model *m, struct slice s)
{
	return arena_copy(&m->arena, s.ptr,
			  s.len < LOGS_TEXT_BYTES_MAX ? s.len : LOGS_TEXT_BYTES_MAX);
}

/* Room for one more of `bytes` in the list; NULL: it is full. */
static void *list_add(struct logs_model *m, struct vec *list, size_t max, size_t bytes)
{
	if (list->len == max) {
		m->dropped++;
		return NULL;
	}
	return *(void **)vec_push(list) = arena_alloc(&m->arena, bytes);
}

static struct logs_host *host_of(struct logs_model *m, const struct log_fact *f)
{
	struct logs_host *h;

	for (size_t i = 0; i < m->hosts.len; i++) {
		h = *(struct logs_host **)vec_at(&m->hosts, i);
		if (h->told == f->host_told && is_text(h->name, f->host))
			return h;
	}
	h = list_add(m, &m->hosts, LOGS_HOSTS_MAX, sizeof(*h));
	if (!h)
		return NULL;
	h->name = keep(m, f->host);
	h->told = f->host_told;
	h->has_at = f->has_host_at;
	h->at = f->host_at;
	return h;
}

static bool subject_is(const struct logs_subject *s, const struct logs_host *host,
		       const struct log_fact *f)
{
	return s->host == host && is_text(s->program, f->program) && is_text(s->server, f->server);
}

static struct logs_subject subject_make(struct logs_model *m, const struct logs_host *host,
					const struct log_fact *f)
{
	return (struct logs_subject){
		.host = host,
		.program = keep(m, f->program),
		.server = keep(m, f->server),
		.server_is_address = f->server_is_address,
		.server_at = f->server_at,
	};
}

static void cite_add(struct provenance *cites, uint32_t *len, const struct provenance *at)
{
	if (*len < LOGS_CITES_MAX)
		cites[(*len)++] = *at;
}

/* True when `late` is more than gap_ns behind `early`; of one clock. */
static bool is_far(struct stamp late, struct stamp early, int64_t gap_ns)
{
	int64_t apart;

	return stamp_known(late) && late.clock == early.clock &&
	       !__builtin_sub_overflow(late.ns, early.ns, &apart) && apart > gap_ns;
}

/* The last interval of this subject, open or not; NULL: none. */
static struct logs_interval *interval_last(const struct logs_model *m, const struct logs_host *host,
					   const struct log_fact *f)
{
	for (size_t i = m->intervals.len; i > 0; i--) {
		struct logs_interval *v = *(struct logs_interval **)vec_at(&m->intervals, i - 1);

		if (subject_is(&v->of, host, f))
			return v;
	}
	return NULL;
}

static void take_not_responding(struct logs_model *m, const struct logs_host *host,
				const struct event *e)
{
	struct logs_interval *v = interval_last(m, host, e->log);

	if (!v || v->ok.frame != FRAME_NONE || v->last.at.clock != e->at.at.clock ||
	    is_far(e->at.at, v->last.at, INTERVAL_GAP_NS)) {
		v = list_add(m, &m->intervals, LOGS_INTERVALS_MAX, sizeof(*v));
		if (!v)
			return;
		v->of = subject_make(m, host, e->log);
		v->first = e->at;
	}
	v->last = e->at;
	if (e->log->gave_up && v->gave_up++ == 0)
		v->gave_up_first = e->at;
	v->trying += !e->log->gave_up;
	cite_add(v->cites, &v->cites_len, &e->at);
}

static void take_responding(struct logs_model *m, const struct logs_host *host,
			    const struct event *e)
{
	struct logs_interval *v = interval_last(m, host, e->log);

	if (v && v->ok.frame == FRAME_NONE && v->last.at.clock == e->at.at.clock)
		v->ok = e->at;
}

/* Counts the message in this list, by host and peer. */
static void tally_take(struct logs_model *m, struct vec *list, const struct logs_host *host,
		       const struct event *e)
{
	struct logs_tally *tally = NULL;

	for (size_t i = 0; i < list->len && !tally; i++) {
		struct logs_tally *one = *(struct logs_tally **)vec_at(list, i);

		if (subject_is(&one->of, host, e->log))
			tally = one;
	}
	if (!tally) {
		tally = list_add(m, list, LOGS_TALLIES_MAX, sizeof(*tally));
		if (!tally)
			return;
		tally->of = subject_make(m, host, e->log);
		tally->first = e->at;
		tally->subject = keep(m, e->log->subject);
		tally->number = e->log->number;
	}
	tally->mixed |=
		!is_text(tally->subject, e->log->subject) || tally->number != e->log->number;
	tally->count++;
	if (e->log->number > 0)
		tally->sum += (uint64_t)e->log->number;
	tally->last = e->at;
	cite_add(tally->cites, &tally->cites_len, &e->at);
}

static void take_locks_lost(struct logs_model *m, const struct logs_host *host,
			    const struct event *e)
{
	tally_take(m, &m->losses, host, e);
}

static void take_mismatch(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	tally_take(m, &m->mismatches, host, e);
}

static void take_monitor(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	tally_take(m, &m->monitors, host, e);
}

static void take_in_use(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	tally_take(m, &m->in_use, host, e);
}

static void take_recovery(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	tally_take(m, &m->recoveries, host, e);
}

static void take_loop(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	tally_take(m, &m->loops, host, e);
}

static void take_upcall(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	tally_take(m, &m->upcalls, host, e);
}

static struct logs_interface *interface_of(struct logs_model *m, const struct logs_host *host,
					   const struct log_fact *f)
{
	struct logs_interface *n;

	for (size_t i = 0; i < m->interfaces.len; i++) {
		n = *(struct logs_interface **)vec_at(&m->interfaces, i);
		if (n->host == host && is_text(n->name, f->subject))
			return n;
	}
	n = list_add(m, &m->interfaces, LOGS_INTERFACES_MAX, sizeof(*n));
	if (!n)
		return NULL;
	n->host = host;
	n->name = keep(m, f->subject);
	vec_init(&n->outages, sizeof(struct logs_outage));
	return n;
}

static void take_link(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	struct logs_interface *n = interface_of(m, host, e->log);
	struct logs_outage *last = n ? vec_last(&n->outages) : NULL;

	if (!n)
		return;
	n->member |= e->log->member;
	if (e->log->kind == LOG_LINK_UP) {
		if (n->down)
			last->up = e->at;
		else if (n->first_up.frame == FRAME_NONE)
			n->first_up = e->at;
		n->down = false;
		return;
	}
	if (n->down) {
		last->messages++;
		return;
	}
	if (n->first_up.frame == FRAME_NONE && n->outages_count == 0)
		n->downs_before_up++;
	n->down = true;
	n->outages_count++;
	if (n->outages.len < LOGS_OUTAGES_MAX)
		last = vec_push(&n->outages);
	*last = (struct logs_outage){.down = e->at, .messages = 1};
}

static void take_hung_task(struct logs_model *m, const struct logs_host *host,
			   const struct event *e)
{
	const struct log_fact *f = e->log;
	struct logs_task *t = NULL;

	for (size_t i = 0; i < m->tasks.len && !t; i++) {
		struct logs_task *one = *(struct logs_task **)vec_at(&m->tasks, i);

		if (one->host == host && one->pid == f->number && is_text(one->name, f->subject))
			t = one;
	}
	if (!t) {
		t = list_add(m, &m->tasks, LOGS_TASKS_MAX, sizeof(*t));
		if (!t)
			return;
		t->host = host;
		t->name = keep(m, f->subject);
		t->pid = f->number;
		t->where = t->nfs_function = t->waits_in = "";
		t->first = e->at;
	}
	if (!t->has_stack && f->where.len) {
		t->has_stack = true;
		t->where = keep(m, f->where);
		t->nfs_function = keep(m, f->nfs_function);
		t->waits_in = keep(m, f->waits_in);
	}
	if (f->seconds > t->seconds)
		t->seconds = f->seconds;
	t->reports++;
	t->last = e->at;
}

static bool packet_is(const struct logs_packet *p, const struct logs_host *host,
		      const struct event *e)
{
	const struct log_packet *a = &p->packet, *b = &e->log->packet;

	return p->host == host && a->protocol == b->protocol && a->hook == b->hook &&
	       a->fate == b->fate && a->flags == b->flags && endpoint_equal(&a->src, &b->src) &&
	       endpoint_equal(&a->dst, &b->dst) && p->last.at.clock == e->at.at.clock &&
	       !is_far(e->at.at, p->last.at, TALLY_GAP_NS) && is_text(p->prefix, e->log->subject);
}

static void take_packet(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	struct logs_packet *p = NULL;

	for (size_t i = 0; i < m->packets.len && i < LOGS_PACKETS_BACK && !p; i++) {
		struct logs_packet *one =
			*(struct logs_packet **)vec_at(&m->packets, m->packets.len - 1 - i);

		if (packet_is(one, host, e))
			p = one;
	}
	if (!p) {
		p = list_add(m, &m->packets, LOGS_PACKETS_MAX, sizeof(*p));
		if (!p)
			return;
		*p = (struct logs_packet){.host = host,
					  .prefix = keep(m, e->log->subject),
					  .packet = e->log->packet,
					  .first = e->at};
	}
	p->count++;
	p->last = e->at;
}

static void take_conntrack(struct logs_model *m, const struct logs_host *host,
			   const struct event *e)
{
	struct logs_tally *tally = NULL;

	for (size_t i = 0; i < m->conntracks.len; i++) {
		struct logs_tally *one = *(struct logs_tally **)vec_at(&m->conntracks, i);

		if (one->of.host == host && one->last.at.clock == e->at.at.clock &&
		    !is_far(e->at.at, one->last.at, TALLY_GAP_NS))
			tally = one;
	}
	if (!tally) {
		tally = list_add(m, &m->conntracks, LOGS_TALLIES_MAX, sizeof(*tally));
		if (!tally)
			return;
		tally->of = subject_make(m, host, e->log);
		tally->first = e->at;
	}
	tally->count++;
	tally->last = e->at;
	cite_add(tally->cites, &tally->cites_len, &e->at);
}

static void logs_take(void *context, const struct event *e)
{
	static void (*const takers[LOG_FACT_COUNT])(struct logs_model *, const struct logs_host *,
						    const struct event *) = {
		[LOG_NOT_RESPONDING] = take_not_responding,
		[LOG_RESPONDING] = take_responding,
		[LOG_LINK_DOWN] = take_link,
		[LOG_LINK_UP] = take_link,
		[LOG_LOCKS_LOST] = take_locks_lost,
		[LOG_CLIENTID_MISMATCH] = take_mismatch,
		[LOG_MONITOR_FAILED] = take_monitor,
		[LOG_CLIENTID_IN_USE] = take_in_use,
		[LOG_RECOVERY_FAILED] = take_recovery,
		[LOG_READDIR_LOOP] = take_loop,
		[LOG_GSS_UPCALL] = take_upcall,
		[LOG_HUNG_TASK] = take_hung_task,
		[LOG_PACKET] = take_packet,
		[LOG_CONNTRACK_FULL] = take_conntrack,
	};
	struct logs_model *m = context;
	struct logs_host *host = host_of(m, e->log);
	enum log_fact_kind kind = e->log->kind;

	if (!host)
		return;
	if (host->counts[kind]++ == 0)
		host->first[kind] = e->at;
	host->last[kind] = e->at;
	if (takers[kind])
		takers[kind](m, host, e);
}

void logs_model_attach(struct logs_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_LOG, logs_take, m);
}

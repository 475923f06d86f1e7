// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Incidents are the connected components of findings, where causes and symptoms are connected when
 * one explains the other, or when they are about the same subjects at the same time; and faults of
 * a server that hit several clients at once (precedence_shared). A context never connects: plain
 * contention on a busy server would tie everything together. It joins the first incident that it
 * fits.
 */
#include "diagnose/incident.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/*
 * A cause is often seen later than what it does: a restart shows when the first client has come
 * back (a Linux client waits 3 s after a refusal, then longer), and the clocks of two captures are
 * aligned no better than their traffic allows.
 */
#define CAUSE_SEEN_LATE_NS (30 * STAMP_NS_PER_S)

/*
 * And what it does may show later than the cause: a lost lease is noticed by the next call, up to a
 * lease later; a grace period lasts as long as a lease again. Linux' default for both is 90 s.
 */
#define EFFECT_SEEN_LATE_NS (180 * STAMP_NS_PER_S)

/* Findings of one incident without an explanation between them: only clocks may be that much off.
 */
#define SAME_TIME_NS (10 * STAMP_NS_PER_S)

static bool clients_share_host(const struct finding *a, const struct finding *b)
{
	for (size_t i = 0; i < a->clients_at.len; i++)
		for (size_t j = 0; j < b->clients_at.len; j++)
			if (endpoint_same_host(vec_at(&a->clients_at, i),
					       vec_at(&b->clients_at, j)))
				return true;
	return false;
}

/* The same two hosts, of which one serves NFS and the other is called back by it. */
static bool called_back(const struct finding *a, const struct finding *b)
{
	bool found = false;

	for (size_t i = 0; i < a->clients_at.len && !found; i++)
		found = endpoint_same_host(vec_at(&a->clients_at, i), &b->server_at);
	for (size_t i = 0; found && i < b->clients_at.len; i++)
		if (endpoint_same_host(vec_at(&b->clients_at, i), &a->server_at))
			return true;
	return found && b->clients_at.len == 0;
}

static bool names_host(const struct finding *f)
{
	return f->server || f->clients_at.len;
}

static const char *log_of(const struct finding *f)
{
	for (size_t i = 0; i < f->subjects.len; i++) {
		const struct subject *s = vec_at(&f->subjects, i);

		if (strcmp(s->name, "log of") == 0)
			return s->value;
	}
	return NULL;
}

/* Nothing is known but whose log tells of them, and it is the same. */
static bool shares_log(const struct finding *a, const struct finding *b)
{
	return log_of(a) && log_of(b) && strcmp(log_of(a), log_of(b)) == 0;
}

/* What a host tells of itself, and what was captured of an address of it. */
static bool host_is_in(const struct finding *own, const struct finding *wire)
{
	for (size_t i = 0; i < own->host_at.len; i++) {
		const struct endpoint *at = vec_at(&own->host_at, i);

		if (wire->server && endpoint_same_host(at, &wire->server_at))
			return true;
		for (size_t k = 0; k < wire->clients_at.len; k++)
			if (endpoint_same_host(at, vec_at(&wire->clients_at, k)))
				return true;
	}
	return false;
}

bool finding_subjects_meet(const struct finding *a, const struct finding *b)
{
	/* What a host tells of itself has no address: its name is what the two have in common. */
	if (a->host && b->host && strcmp(a->host, b->host) == 0 && (!a->server || !b->server))
		return true;
	if (host_is_in(a, b) || host_is_in(b, a))
		return true;
	if (!names_host(a) && !names_host(b))
		return shares_log(a, b);
	if (!a->server || !b->server)
		return clients_share_host(a, b);
	if (!endpoint_same_host(&a->server_root, &b->server_root))
		return called_back(a, b) || called_back(b, a);
	return a->clients_at.len == 0 || b->clients_at.len == 0 || clients_share_host(a, b);
}

/* True when `late` is at most slack_ns after `early`; also when one of them is not known. */
static bool stamp_within(struct stamp late, struct stamp early, int64_t slack_ns)
{
	int64_t apart;

	if (!stamp_known(late) || !stamp_known(early))
		return true;
	if (late.clock != early.clock)
		return false; /* what was not aligned is not compared (docs/clocks.md) */
	if (__builtin_sub_overflow(late.ns, early.ns, &apart))
		return late.ns < early.ns;
	return apart <= slack_ns;
}

bool finding_times_follow(const struct finding *cause, const struct finding *effect)
{
	return stamp_within(cause->first, effect->last, CAUSE_SEEN_LATE_NS) &&
	       stamp_within(effect->first, cause->last, EFFECT_SEEN_LATE_NS);
}

static bool findings_same_time(const struct finding *a, const struct finding *b)
{
	return stamp_within(a->first, b->last, SAME_TIME_NS) &&
	       stamp_within(b->first, a->last, SAME_TIME_NS);
}

/* A forest over the findings' indices: each root stands for an incident. */
static size_t group_find(size_t *group, size_t i)
{
	while (group[i] != i) {
		group[i] = group[group[i]];
		i = group[i];
	}
	return i;
}

/* The client owner that a finding is about; NULL: about none. */
static const char *finding_owner(const struct finding *f)
{
	for (size_t i = 0; i < f->subjects.len; i++) {
		const struct subject *s = vec_at(&f->subjects, i);

		if (strcmp(s->name, "owner") == 0)
			return s->value;
	}
	return NULL;
}

/* Clients under one client owner, each with the same finding: they are one client to the server. */
static bool findings_share_owner(const struct finding *a, const struct finding *b)
{
	const char *owner = finding_owner(a);
	const char *other = finding_owner(b);

	return owner && other && strcmp(owner, other) == 0 && strcmp(a->id, b->id) == 0;
}

/* One fault of a server, as several of its clients have it. */
static bool findings_share(const struct precedence *p, const struct finding *a,
			   const struct finding *b)
{
	return a->server && b->server && endpoint_same_host(&a->server_root, &b->server_root) &&
	       (precedence_shared(p, a->id, b->id) || findings_share_owner(a, b));
}

/* The last of those that are joined with it. */
static struct finding *finding_root(struct finding *f)
{
	while (f->joined) {
		if (f->joined->joined)
			f->joined = f->joined->joined;
		f = f->joined;
	}
	return f;
}

void finding_join(struct finding *a, struct finding *b)
{
	struct finding *x = finding_root(a);
	struct finding *y = finding_root(b);

	if (a->role != ROLE_CONTEXT && b->role != ROLE_CONTEXT && x != y)
		x->joined = y;
}

static bool finding_explains(const struct finding *left, const struct finding *right)
{
	for (size_t i = 0; i < left->explains.len; i++)
		if (finding_at(&left->explains, i) == right)
			return true;
	return false;
}

/* Contexts are not joined: they stand with what explains them, as far as it was noted. */
static bool findings_connected(const struct precedence *p, struct finding *a, struct finding *b)
{
	if (a->role == ROLE_CONTEXT || b->role == ROLE_CONTEXT
		    ? finding_explains(a, b) || finding_explains(b, a)
		    : finding_root(a) == finding_root(b))
		return true;
	return findings_same_time(a, b) && (finding_subjects_meet(a, b) || findings_share(p, a, b));
}

/*
 * What findings that are connected have in common: a host by its name, an address, a log, or what
 * they are joined with. Each of findings_connected's ways needs one of them; so of many findings
 * only those of one feature are compared, and of these those of one time.
 */
struct feature {
	uint64_t hash;
	bool is_join; /* whose time does not matter */
	size_t index; /* of the finding */
	struct stamp first;
};

static void feature_add(struct vec *features, const struct feature *of, const void *bytes,
			size_t len)
{
	struct feature *f = vec_push(features);

	*f = *of;
	f->hash = hash_bytes(bytes, len);
}

static void features_add_hosts(struct vec *features, const struct feature *of,
			       const struct vec *hosts)
{
	for (size_t i = 0; i < hosts->len; i++) {
		const struct endpoint *at = vec_at(hosts, i);

		feature_add(features, of, at->addr, sizeof(at->addr));
	}
}

static void features_add(struct vec *features, size_t index, struct finding *f)
{
	struct feature of = {.is_join = true, .index = index, .first = f->first};
	const struct finding *root = finding_root(f);
	const char *log = log_of(f);

	feature_add(features, &of, &root, sizeof(root));
	of.is_join = false;
	if (f->host)
		feature_add(features, &of, f->host, strlen(f->host));
	if (log)
		feature_add(features, &of, log, strlen(log));
	if (f->server) {
		feature_add(features, &of, f->server_at.addr, sizeof(f->server_at.addr));
		feature_add(features, &of, f->server_root.addr, sizeof(f->server_root.addr));
	}
	features_add_hosts(features, &of, &f->clients_at);
	features_add_hosts(features, &of, &f->host_at);
}

static bool is_same_feature(const struct feature *a, const struct feature *b)
{
	return a->hash == b->hash && a->is_join == b->is_join;
}

/* Those of one feature by time, first those of which it is not known. */
static int feature_order(const void *a, const void *b)
{
	const struct feature *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->is_join != y->is_join)
		return x->is_join ? -1 : 1;
	if (stamp_known(x->first) != stamp_known(y->first))
		return stamp_known(y->first) ? -1 : 1;
	if (x->first.clock != y->first.clock)
		return x->first.clock < y->first.clock ? -1 : 1;
	if (x->first.ns != y->first.ns)
		return x->first.ns < y->first.ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static bool is_one_group(const struct feature *f, size_t len, size_t *group)
{
	for (size_t i = 1; i < len; i++)
		if (group_find(group, f[i].index) != group_find(group, f[0].index))
			return false;
	return true;
}

/* Connects the first one with others; true when that made groups one. */
static bool group_join(const struct diagnosis *d, const struct precedence *p,
		       const struct feature *f, size_t len, size_t *group)
{
	struct finding *a = finding_at(&d->findings, f->index);
	bool joined = false;

	for (size_t i = 1; i < len; i++) {
		struct finding *b = finding_at(&d->findings, f[i].index);
		size_t x = group_find(group, f->index);
		size_t y = group_find(group, f[i].index);

		if (!f->is_join && stamp_known(a->first) && a->first.clock == a->last.clock &&
		    !stamp_within(b->first, a->last, SAME_TIME_NS))
			break; /* and the others are later */
		if (x == y || !findings_connected(p, a, b))
			continue;
		group[x > y ? x : y] = x > y ? y : x;
		joined = true;
	}
	return joined;
}

static void groups_join(const struct diagnosis *d, const struct precedence *p,
			const struct feature *f, size_t len, size_t *group)
{
	bool joined = true;

	for (size_t i = 0; i < len && !(joined && is_one_group(f, len, group)); i++)
		joined = group_join(d, p, f + i, len - i, group);
}

static void groups_make(const struct diagnosis *d, const struct precedence *p, size_t *group)
{
	struct vec features;
	size_t to;

	vec_init(&features, sizeof(struct feature));
	for (size_t i = 0; i < d->findings.len; i++) {
		struct finding *f = finding_at(&d->findings, i);

		group[i] = i;
		if (f->role != ROLE_CONTEXT)
			features_add(&features, i, f);
	}
	if (features.len)
		qsort(features.items, features.len, sizeof(struct feature), feature_order);
	for (size_t from = 0; from < features.len; from = to) {
		const struct feature *first = vec_at(&features, from);

		for (to = from + 1;
		     to < features.len && is_same_feature(vec_at(&features, to), first);)
			to++;
		groups_join(d, p, first, to - from, group);
	}
	vec_deinit(&features);
}

static void incident_add(struct incident *in, struct finding *f)
{
	*(struct finding **)vec_push(&in->findings) = f;
	if (f->role == ROLE_CONTEXT || !stamp_known(f->first))
		return;
	if (!stamp_known(in->first)) {
		in->first = f->first;
		in->last = f->last;
		return;
	}
	if (f->first.clock == in->first.clock && f->first.ns < in->first.ns)
		in->first = f->first;
	if (f->last.clock == in->last.clock && f->last.ns > in->last.ns)
		in->last = f->last;
}

/*
 * The headline first, then what is unexplained before what is explained, then what is certain
 * before what is likely, then by gravity. Among incidents of their own gravity goes first: a
 * restart that is likely hurts more than a port that refused for a moment.
 */
static int incident_order(const void *a, const void *b, void *precedence)
{
	const struct finding *x = *(struct finding *const *)a;
	const struct finding *y = *(struct finding *const *)b;

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	if (x->explained != y->explained)
		return x->explained ? 1 : -1;
	if (x->confidence != y->confidence)
		return x->confidence > y->confidence ? -1 : 1;
	return precedence_compare(precedence, x, y);
}

static int incidents_order(const void *a, const void *b, void *precedence)
{
	const struct incident *x = a;
	const struct incident *y = b;

	return precedence_compare(precedence, x->headline, y->headline);
}

/* One incident for each root of the forest. */
static void incidents_collect(struct diagnosis *d, size_t *group)
{
	size_t *place =
		mem_alloc(d->findings.len, sizeof(*place)); /* by root: incident's index + 1 */

	for (size_t i = 0; i < d->findings.len; i++) {
		struct finding *f = finding_at(&d->findings, i);
		size_t root = group_find(group, i);
		struct incident *in;

		if (f->role == ROLE_CONTEXT)
			continue;
		if (place[root] == 0) {
			in = vec_push(&d->incidents);
			in->first = stamp_none();
			in->last = stamp_none();
			vec_init(&in->findings, sizeof(struct finding *));
			vec_init(&in->clients, sizeof(const char *));
			vec_init(&in->chain, sizeof(struct chain_link));
			place[root] = d->incidents.len;
		}
		incident_add(vec_at(&d->incidents, place[root] - 1), f);
	}
	free(place);
}

static void incidents_sort(struct diagnosis *d, const struct precedence *p)
{
	for (size_t i = 0; i < d->incidents.len; i++) {
		struct incident *in = vec_at(&d->incidents, i);

		qsort_r(in->findings.items, in->findings.len, in->findings.item_bytes,
			incident_order, (void *)(uintptr_t)p);
		in->headline = finding_at(&in->findings, 0);
	}
	if (d->incidents.len)
		qsort_r(d->incidents.items, d->incidents.len, d->incidents.item_bytes,
			incidents_order, (void *)(uintptr_t)p);
}

static bool context_fits(const struct incident *in, const struct precedence *p,
			 struct finding *context)
{
	for (size_t i = 0; i < in->findings.len; i++) {
		struct finding *f = finding_at(&in->findings, i);

		if (f->role != ROLE_CONTEXT && findings_connected(p, f, context))
			return true;
	}
	return false;
}

/* Contexts behind the rest; true when some incident took it. */
static bool incidents_take_context(struct diagnosis *d, const struct precedence *p,
				   struct finding *context)
{
	for (size_t i = 0; i < d->incidents.len; i++) {
		struct incident *in = vec_at(&d->incidents, i);

		if (context_fits(in, p, context)) {
			incident_add(in, context);
			return true;
		}
	}
	return false;
}

/* The diagnosis' own list in the order of the incidents; contexts of none stand last. */
static void findings_reorder(struct diagnosis *d, const struct vec *alone)
{
	size_t next = 0;
	struct finding **out = d->findings.items;

	for (size_t i = 0; i < d->incidents.len; i++) {
		const struct incident *in = vec_at(&d->incidents, i);

		for (size_t j = 0; j < in->findings.len; j++)
			out[next++] = finding_at(&in->findings, j);
	}
	for (size_t i = 0; i < alone->len; i++)
		out[next++] = finding_at(alone, i);
}

/* `server`, which may be NULL, is none of them: it is the client of what it calls back. */
static void clients_add(struct vec *clients, const struct finding *f, const char *server)
{
	for (size_t i = 0; i < f->clients.len; i++) {
		const char *name = *(const char *const *)vec_at(&f->clients, i);
		bool known = server && strcmp(name, server) == 0;

		for (size_t k = 0; k < clients->len && !known; k++)
			known = strcmp(*(const char *const *)vec_at(clients, k), name) == 0;
		if (!known)
			*(const char **)vec_push(clients) = name;
	}
}

/*
 * A headline is about one client; that others had the same is said in a number. Who has something
 * else of the incident, as one that waits for what the headline's client holds, is only listed.
 */
static void incident_title(struct diagnosis *d, const struct precedence *p, struct incident *in)
{
	size_t own, more;

	clients_add(&in->clients, in->headline, in->headline->server);
	own = in->clients.len;
	for (size_t i = 0; i < in->findings.len; i++) {
		const struct finding *f = finding_at(&in->findings, i);

		if (strcmp(f->id, in->headline->id) == 0 ||
		    precedence_shared(p, in->headline->id, f->id))
			clients_add(&in->clients, f, in->headline->server);
	}
	more = in->clients.len - own;
	for (size_t i = 0; i < in->findings.len; i++) {
		const struct finding *f = finding_at(&in->findings, i);

		if (f->role != ROLE_CONTEXT)
			clients_add(&in->clients, f, in->headline->server);
	}
	in->title = in->headline->title;
	if (own && more)
		in->title = arena_format(&d->arena, "%s (and %zu more client%s)", in->title, more,
					 more == 1 ? "" : "s");
}

void incidents_make(struct diagnosis *d, const struct precedence *p)
{
	size_t *group = mem_alloc(d->findings.len, sizeof(*group));
	struct vec alone;

	vec_init(&alone, sizeof(struct finding *));
	groups_make(d, p, group);
	incidents_collect(d, group);
	free(group);
	incidents_sort(d, p);
	for (size_t i = 0; i < d->findings.len; i++) {
		struct finding *f = finding_at(&d->findings, i);

		if (f->role == ROLE_CONTEXT && !incidents_take_context(d, p, f))
			*(struct finding **)vec_push(&alone) = f;
	}
	findings_reorder(d, &alone);
	for (size_t i = 0; i < d->incidents.len; i++)
		incident_title(d, p, vec_at(&d->incidents, i));
	vec_deinit(&alone);
}

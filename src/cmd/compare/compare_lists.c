// SPDX-License-Identifier: GPL-2.0-or-later
/* See compare_lists.h. */
#include "cmd/compare/compare_lists.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/stamp.h"

enum { STEPS_SHOWN = 12, CALLS_SHOWN = 8, SHARE_CLEAR_PERCENT = 80 };

/* A name of the good trace, to be found by its hash. */
struct known {
	uint64_t hash;
	uint32_t chunk;
};

static const struct trace_chunk *chunk_at(const struct trace *t, size_t index)
{
	return vec_at(&t->chunks, index);
}

static const struct trace_name *name_at(const struct trace *t, size_t index)
{
	return vec_at(&t->names, index);
}

/*
 * When its entries were there: at the end of the call. Where strace -T did not tell that, in both
 * traces, the begin is what can be compared.
 */
static int64_t chunk_at_ns(const struct lists *l, const struct trace_chunk *c)
{
	return l->by_end && c->end_ns >= 0 ? c->end_ns : c->begin_ns;
}

/* The process that got most names; their number. */
static uint64_t main_pid(const struct trace *t, uint64_t *names)
{
	uint64_t best = 0;

	*names = 0;
	for (size_t i = 0; i < t->pids.len; i++) {
		const struct trace_pid *p = vec_at(&t->pids, i);

		if (p->names <= *names)
			continue;
		*names = p->names;
		best = p->pid;
	}
	return best;
}

static int known_order(const void *a, const void *b)
{
	const struct known *x = a;
	const struct known *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->chunk < y->chunk ? -1 : x->chunk > y->chunk;
}

/* The names of this process, sorted: struct known. */
static void know(const struct trace *t, uint64_t pid, struct vec *out)
{
	vec_init(out, sizeof(struct known));
	for (size_t i = 0; i < t->names.len; i++) {
		const struct trace_name *n = name_at(t, i);

		if (chunk_at(t, n->chunk)->pid == pid)
			*(struct known *)vec_push(out) = (struct known){n->hash, n->chunk};
	}
	if (out->len)
		qsort(out->items, out->len, out->item_bytes, known_order);
}

/* The first time that the name was got; NULL: never. */
static const struct known *find(const struct vec *known, uint64_t hash)
{
	size_t low = 0, high = known->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (((const struct known *)vec_at(known, middle))->hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == known->len || ((const struct known *)vec_at(known, low))->hash != hash)
		return NULL;
	return vec_at(known, low);
}

static void side_measure(const struct lists *l, struct lists_side *s, const struct trace *t,
			 int64_t from_ns, int64_t to_ns)
{
	s->elapsed_ns = to_ns - from_ns;
	for (size_t i = 0; i < t->chunks.len; i++) {
		const struct trace_chunk *c = chunk_at(t, i);
		int64_t at_ns = chunk_at_ns(l, c);

		/* By ends, the call that brought the first name had ended when it begins. */
		if (c->pid != s->pid || at_ns < from_ns || at_ns > to_ns ||
		    (l->by_end ? at_ns == from_ns : at_ns == to_ns))
			continue;
		s->calls++;
		s->in_calls_ns += c->end_ns < 0 ? 0 : c->end_ns - c->begin_ns;
	}
}

bool lists_align(struct lists *l, const struct trace *good, const struct trace *bad)
{
	int64_t good_from = 0, bad_from = 0, good_to = 0, bad_to = 0;
	struct vec known;
	size_t entries = 0;

	*l = (struct lists){.by_end = good->has_durations && bad->has_durations};
	vec_init(&l->steps, sizeof(struct lists_step));
	l->good.pid = main_pid(good, &l->good.names);
	l->bad.pid = main_pid(bad, &l->bad.names);
	know(good, l->good.pid, &known);
	for (size_t i = 0; i < bad->chunks.len; i++) {
		const struct trace_chunk *c = chunk_at(bad, i);
		const struct known *first = NULL;
		const struct trace_chunk *g;

		if (c->pid != l->bad.pid)
			continue;
		for (size_t k = 0; k < c->count; k++) {
			const struct known *n = find(&known, name_at(bad, c->first + k)->hash);

			l->common += n != NULL;
			first = first ? first : n;
		}
		entries += c->count;
		if (!first)
			continue;
		g = chunk_at(good, first->chunk);
		if (l->steps.len == 0) {
			good_from = chunk_at_ns(l, g);
			bad_from = chunk_at_ns(l, c);
		}
		good_to = chunk_at_ns(l, g) > good_to ? chunk_at_ns(l, g) : good_to;
		bad_to = chunk_at_ns(l, c);
		*(struct lists_step *)vec_push(&l->steps) =
			(struct lists_step){.entries = entries,
					    .good_ns = chunk_at_ns(l, g) - good_from,
					    .bad_ns = chunk_at_ns(l, c) - bad_from,
					    .good_line = g->line,
					    .bad_line = c->line};
	}
	vec_deinit(&known);
	if (l->steps.len < 2 || !good->has_time || !bad->has_time)
		return false;
	side_measure(l, &l->good, good, good_from, good_to);
	side_measure(l, &l->bad, bad, bad_from, bad_to);
	return true;
}

void lists_deinit(struct lists *l)
{
	vec_deinit(&l->steps);
}

static void add_ratio(struct strbuf *out, int64_t good, int64_t bad)
{
	if (good > 0)
		strbuf_add_format(out, "%8.1f", (double)bad / (double)good);
	else
		strbuf_add_format(out, "%8s", "-");
}

static void add_seconds(struct strbuf *out, int64_t ns)
{
	strbuf_add_format(out, "%12.3f", (double)ns / (double)STAMP_NS_PER_S);
}

static const struct trace_call *call_find(const struct trace *t, const char *name)
{
	for (size_t i = 0; i < t->calls.len; i++) {
		const struct trace_call *c = vec_at(&t->calls, i);

		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static bool is_listing(const char *name)
{
	return strncmp(name, "getdents", 8) == 0;
}

/* The call, besides those that list, in which the bad trace spent most more time than the good. */
static const struct trace_call *worst_call(const struct trace *good, const struct trace *bad,
					   int64_t *more_ns)
{
	const struct trace_call *worst = NULL;

	*more_ns = 0;
	for (size_t i = 0; i < bad->calls.len; i++) {
		const struct trace_call *c = vec_at(&bad->calls, i);
		const struct trace_call *g = call_find(good, c->name);
		int64_t more = c->sum_ns - (g ? g->sum_ns : 0);

		if (is_listing(c->name) || more <= *more_ns)
			continue;
		worst = c;
		*more_ns = more;
	}
	return worst;
}

static void add_verdict(struct strbuf *out, const struct lists *l, const struct trace *good,
			const struct trace *bad)
{
	int64_t extra = l->bad.elapsed_ns - l->good.elapsed_ns;
	int64_t in_calls = l->bad.in_calls_ns - l->good.in_calls_ns, more;
	const struct trace_call *worst = worst_call(good, bad, &more);

	if (extra <= 0) {
		strbuf_add_text(out, "The second was not slower than the first.\n");
		return;
	}
	if (in_calls / SHARE_CLEAR_PERCENT >= extra / 100) {
		strbuf_add_text(
			out,
			"The time went into getdents itself: into reading the directory, or into\n"
			"waiting for its lock, and not into what the program did with the names.\n"
			"Which of the two: `cat /proc/PID/stack` of the process while it lists, "
			"or\n"
			"mountstats before and after (READDIR calls, and how long each took).\n");
		return;
	}
	strbuf_add_format(out, "Of the %.3f s more, %.3f s are in getdents.", (double)extra / 1e9,
			  (double)(in_calls > 0 ? in_calls : 0) / 1e9);
	if (worst)
		strbuf_add_format(
			out,
			" %s took %.3f s more: %" PRIu64 " calls, %.3f s in all, the longest "
			"%.3f s (line %" PRIu64 ").",
			worst->name, (double)more / 1e9, worst->count, (double)worst->sum_ns / 1e9,
			(double)worst->max_ns / 1e9, worst->max_line);
	strbuf_add_char(out, '\n');
}

static void add_side(struct strbuf *out, const char *what, int64_t good, int64_t bad)
{
	strbuf_add_format(out, "  %-34s", what);
	add_seconds(out, good);
	add_seconds(out, bad);
	add_ratio(out, good, bad);
	strbuf_add_char(out, '\n');
}

static void add_steps(struct strbuf *out, const struct lists *l)
{
	size_t shown = l->steps.len < STEPS_SHOWN ? l->steps.len : STEPS_SHOWN;

	strbuf_add_format(out, "\n  %-16s%12s%12s%8s%12s  %s\n", "entries (bad)", "good, s",
			  "bad, s", "ratio", "step", "lines (good, bad)");
	for (size_t i = 0; i < shown; i++) {
		const struct lists_step *s =
			vec_at(&l->steps, shown > 1 ? i * (l->steps.len - 1) / (shown - 1) : 0);
		const struct lists_step *before =
			i ? vec_at(&l->steps, (i - 1) * (l->steps.len - 1) / (shown - 1)) : s;

		strbuf_add_format(out, "  %-16zu", s->entries);
		add_seconds(out, s->good_ns);
		add_seconds(out, s->bad_ns);
		add_ratio(out, s->good_ns, s->bad_ns);
		strbuf_add_text(out, "    ");
		add_ratio(out, s->good_ns - before->good_ns, s->bad_ns - before->bad_ns);
		strbuf_add_format(out, "  %" PRIu64 ", %" PRIu64 "\n", s->good_line, s->bad_line);
	}
}

/* A call in the two traces; where it was not made it is all zero. */
struct call_pair {
	const char *name;
	const struct trace_call *good, *bad;
	uint64_t weight; /* those that weigh most come first */
};

static const struct trace_call call_none;

static int pair_order(const void *a, const void *b)
{
	const struct call_pair *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* By the time that the bad trace spent in them, without those that took hardly any of it. */
static uint64_t weigh_time(const struct trace *bad, const struct call_pair *p)
{
	int64_t least = bad->last_ns / 1000 - bad->first_ns / 1000;

	return p->bad->sum_ns > 0 && p->bad->sum_ns >= least ? (uint64_t)p->bad->sum_ns : 0;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static uint64_t weigh_counts(const struct trace *bad, const struct call_pair *p)
{
	(void)bad;
	return apart(p->bad->count, p->good->count) + apart(p->bad->errors, p->good->errors);
}

/* Those with a weight, in order; vec_deinit. */
static void pairs_make(struct vec *pairs, const struct trace *good, const struct trace *bad,
		       uint64_t (*weigh)(const struct trace *, const struct call_pair *))
{
	vec_init(pairs, sizeof(struct call_pair));
	for (size_t i = 0; i < bad->calls.len + good->calls.len; i++) {
		bool only_good = i >= bad->calls.len;
		const struct trace_call *c = only_good ? vec_at(&good->calls, i - bad->calls.len)
						       : vec_at(&bad->calls, i);
		const struct trace_call *other = call_find(only_good ? bad : good, c->name);
		struct call_pair p = {.name = c->name, .good = c, .bad = c};

		if (only_good && other)
			continue;
		*(only_good ? &p.bad : &p.good) = other ? other : &call_none;
		p.weight = weigh(bad, &p);
		if (p.weight)
			*(struct call_pair *)vec_push(pairs) = p;
	}
	if (pairs->len)
		qsort(pairs->items, pairs->len, pairs->item_bytes, pair_order);
}

static void add_calls(struct strbuf *out, const struct trace *good, const struct trace *bad)
{
	struct vec pairs;

	pairs_make(&pairs, good, bad, weigh_time);
	strbuf_add_format(out, "\n  %-20s%10s%10s%12s%12s%8s\n", "call", "good", "bad", "good, s",
			  "bad, s", "ratio");
	for (size_t i = 0; i < pairs.len && i < CALLS_SHOWN; i++) {
		const struct call_pair *p = vec_at(&pairs, i);

		strbuf_add_format(out, "  %-20s%10" PRIu64 "%10" PRIu64, p->name, p->good->count,
				  p->bad->count);
		add_seconds(out, p->good->sum_ns);
		add_seconds(out, p->bad->sum_ns);
		add_ratio(out, p->good->sum_ns, p->bad->sum_ns);
		strbuf_add_char(out, '\n');
	}
	vec_deinit(&pairs);
}

void lists_add_text(struct strbuf *out, const struct lists *l, const struct trace *good,
		    const struct trace *bad)
{
	strbuf_add_format(out,
			  "One listing, %" PRIu64 " names in both (%" PRIu64 " in the good trace, "
			  "%" PRIu64 " in the bad one), aligned by them:\n\n",
			  l->common, l->good.names, l->bad.names);
	strbuf_add_format(out, "  %-34s%12s%12s%8s\n", "", "good, s", "bad, s", "ratio");
	add_side(out, "first to last call with names", l->good.elapsed_ns, l->bad.elapsed_ns);
	add_side(out, "  of it in getdents", l->good.in_calls_ns, l->bad.in_calls_ns);
	add_side(out, "  of it between them", l->good.elapsed_ns - l->good.in_calls_ns,
		 l->bad.elapsed_ns - l->bad.in_calls_ns);
	strbuf_add_format(out, "  %-34s%12" PRIu64 "%12" PRIu64 "\n", "  calls of getdents",
			  l->good.calls, l->bad.calls);
	add_steps(out, l);
	add_calls(out, good, bad);
	strbuf_add_char(out, '\n');
	add_verdict(out, l, good, bad);
	if (!good->has_durations || !bad->has_durations)
		strbuf_add_text(out,
				"Without strace -T a call is counted until the process makes its "
				"next one.\n");
}

static int64_t elapsed(const struct trace *t)
{
	return t->has_time ? t->last_ns - t->first_ns : 0;
}

/* How often calls were made and failed: all that traces without times tell. */
static void add_counts(struct strbuf *out, const struct trace *good, const struct trace *bad)
{
	struct vec pairs;

	pairs_make(&pairs, good, bad, weigh_counts);
	if (pairs.len)
		strbuf_add_format(out, "\n  %-20s%10s%10s%14s%14s\n", "call", "good", "bad",
				  "good, failed", "bad, failed");
	for (size_t i = 0; i < pairs.len && i < CALLS_SHOWN; i++) {
		const struct call_pair *p = vec_at(&pairs, i);

		strbuf_add_format(
			out, "  %-20s%10" PRIu64 "%10" PRIu64 "%14" PRIu64 "%14" PRIu64 "\n",
			p->name, p->good->count, p->bad->count, p->good->errors, p->bad->errors);
	}
	if (pairs.len > CALLS_SHOWN)
		strbuf_add_format(out, "\n%zu more differ in how often they were made or failed.\n",
				  pairs.len - CALLS_SHOWN);
	else
		strbuf_add_text(out, pairs.len ? "\n"
					       : "\nEach call was made, and failed, as often in "
						 "both.\n");
	vec_deinit(&pairs);
}

void lists_add_calls_text(struct strbuf *out, const struct trace *good, const struct trace *bad)
{
	int64_t extra = elapsed(bad) - elapsed(good), more;
	const struct trace_call *worst;

	strbuf_add_text(out,
			"The traces do not share a listing in several parts: they are compared "
			"call by call.\n");
	if (!good->has_time || !bad->has_time) {
		add_counts(out, good, bad);
		strbuf_add_text(out, "Times are not in both: strace -f -ttt -T -v -s 65536 -o FILE "
				     "COMMAND\n");
		return;
	}
	strbuf_add_format(out, "\n  %-34s%12s%12s%8s\n", "", "good, s", "bad, s", "ratio");
	add_side(out, "first to last line", elapsed(good), elapsed(bad));
	add_calls(out, good, bad);
	add_counts(out, good, bad);
	worst = worst_call(good, bad, &more);
	if (extra <= 0)
		strbuf_add_text(out, "The second was not slower than the first.\n");
	else if (worst)
		strbuf_add_format(out,
				  "Of the %.3f s more, %.3f s are in %s: %" PRIu64
				  " calls, %.3f s in all, the longest %.3f s (line %" PRIu64 ").\n",
				  (double)extra / 1e9, (double)more / 1e9, worst->name,
				  worst->count, (double)worst->sum_ns / 1e9,
				  (double)worst->max_ns / 1e9, worst->max_line);
}

static void json_side(struct json *j, const char *key, const struct lists_side *s)
{
	json_key(j, key);
	json_object_begin(j);
	json_member_u64(j, "names", s->names);
	json_member_u64(j, "calls", s->calls);
	json_member_i64(j, "elapsed_ns", s->elapsed_ns);
	json_member_i64(j, "in_calls_ns", s->in_calls_ns);
	json_object_end(j);
}

static void json_calls(struct json *j, const struct trace *good, const struct trace *bad)
{
	json_key(j, "calls");
	json_array_begin(j);
	for (size_t i = 0; i < bad->calls.len; i++) {
		const struct trace_call *c = vec_at(&bad->calls, i);
		const struct trace_call *g = call_find(good, c->name);

		json_object_begin(j);
		json_member_text(j, "name", c->name);
		json_member_u64(j, "good", g ? g->count : 0);
		json_member_u64(j, "bad", c->count);
		json_member_i64(j, "good_ns", g ? g->sum_ns : 0);
		json_member_i64(j, "bad_ns", c->sum_ns);
		json_object_end(j);
	}
	json_array_end(j);
}

void lists_add_calls_json(struct json *j, const struct trace *good, const struct trace *bad)
{
	json_member_u64(j, "names_in_common", 0);
	json_member_i64(j, "good_elapsed_ns", elapsed(good));
	json_member_i64(j, "bad_elapsed_ns", elapsed(bad));
	json_calls(j, good, bad);
}

void lists_add_json(struct json *j, const struct lists *l, const struct trace *good,
		    const struct trace *bad)
{
	json_member_u64(j, "names_in_common", l->common);
	json_side(j, "good", &l->good);
	json_side(j, "bad", &l->bad);
	json_key(j, "steps");
	json_array_begin(j);
	for (size_t i = 0; i < l->steps.len; i++) {
		const struct lists_step *s = vec_at(&l->steps, i);

		json_object_begin(j);
		json_member_u64(j, "entries", s->entries);
		json_member_i64(j, "good_ns", s->good_ns);
		json_member_i64(j, "bad_ns", s->bad_ns);
		json_member_u64(j, "good_line", s->good_line);
		json_member_u64(j, "bad_line", s->bad_line);
		json_object_end(j);
	}
	json_array_end(j);
	json_calls(j, good, bad);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See compare_runs.h. */
#include "cmd/compare/compare_runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "diagnose/engine.h"
#include "names/names.h"
#include "names/nfs4.h"

enum { ROW_NAME_BYTES = 96 };

/* What the counters of a mount are of. */
struct compare_span {
	struct slice mount_point; /* lies in the model */
	uint64_t seconds;
	bool between; /* two readings; else since it was mounted */
};

/* Calls of one kind. Times are means over them; -1: not told. */
struct compare_row {
	char name[ROW_NAME_BYTES]; /* "NFSv4.0 READDIR", "/mnt READDIR" for counters of a mount */
	uint64_t calls, errors, again;
	int64_t mean_ns, max_ns;
	int64_t queue_ns; /* before they were sent */
};

void compare_side_init(struct compare_side *s)
{
	run_init(&s->run);
	models_init(&s->models, &s->run.board);
	diagnosis_init(&s->diagnosis);
	vec_init(&s->rows, sizeof(struct compare_row));
	vec_init(&s->spans, sizeof(struct compare_span));
}

void compare_side_deinit(struct compare_side *s)
{
	vec_deinit(&s->spans);
	vec_deinit(&s->rows);
	diagnosis_deinit(&s->diagnosis);
	models_deinit(&s->models);
	run_deinit(&s->run);
}

static uint64_t errors_of(const struct vec *errors, uint64_t others)
{
	uint64_t count = others;

	for (size_t i = 0; i < errors->len; i++)
		count += ((const struct call_error *)vec_at(errors, i))->count;
	return count;
}

static struct compare_row *row_add(struct compare_side *s)
{
	struct compare_row *row = vec_push(&s->rows);

	row->mean_ns = row->max_ns = row->queue_ns = -1;
	return row;
}

static void row_latency(struct compare_row *row, const struct hist *latency)
{
	if (latency->count == 0)
		return;
	row->mean_ns = latency->sum_ns / (int64_t)latency->count;
	row->max_ns = latency->max_ns;
}

static void add_procedures(struct compare_side *s)
{
	const struct call_model *m = &s->models.calls;

	for (size_t i = 0; i < m->stats.len; i++) {
		const struct call_stats *c = *(struct call_stats **)vec_at(&m->stats, i);
		const struct names_program *program = names_program_find(c->program);
		const char *name = names_procedure(c->program, c->version, c->procedure);
		struct compare_row *row = row_add(s);

		snprintf(row->name, sizeof(row->name), "%sv%" PRIu32 " %s",
			 program ? program->name : "program", c->version, name ? name : "?");
		row->calls = c->calls;
		row->again = c->retransmissions;
		row->errors = errors_of(&c->errors, c->errors_other);
		row_latency(row, &c->latency);
	}
	for (size_t i = 0; i < m->ops.len; i++) {
		const struct call_op_stats *c = *(struct call_op_stats **)vec_at(&m->ops, i);
		const struct names_operation *op =
			c->callback ? nfs4_nfs_cb_opnum4_find(c->op) : nfs4_nfs_opnum4_find(c->op);
		struct compare_row *row = row_add(s);

		snprintf(row->name, sizeof(row->name), "NFSv4.%" PRIu32 " %s", c->minor_version,
			 op ? op->name : "?");
		row->calls = c->calls;
		row->errors = errors_of(&c->errors, c->errors_other);
		row_latency(row, &c->latency);
	}
}

static const struct counters_span *span_at(const struct compare_side *s, size_t i)
{
	return *(struct counters_span **)vec_at(&s->models.counters.spans, i);
}

/* False: a later one of the mount tells more, or is between two readings where this one is not. */
static bool span_is_best(const struct compare_side *s, size_t index)
{
	const struct counters_span *span = span_at(s, index);

	for (size_t i = 0; i < s->models.counters.spans.len; i++) {
		const struct counters_span *o = span_at(s, i);
		bool between = span->before.frame != FRAME_NONE;
		bool o_between = o->before.frame != FRAME_NONE;

		if (i != index &&
		    slice_equal(o->stats.mount.mount_point, span->stats.mount.mount_point) &&
		    (between == o_between ? i > index : o_between))
			return false;
	}
	return true;
}

/* A reading on the other side that this one goes on from; NULL: none. */
static const struct counters_span *span_before(const struct compare_side *other,
					       const struct counters_span *span)
{
	for (size_t i = other && span->before.frame == FRAME_NONE ? other->models.counters.spans.len
								  : 0;
	     i > 0; i--) {
		const struct counters_span *o = span_at(other, i - 1);

		if (o->before.frame == FRAME_NONE && counters_goes_on(o, span))
			return o;
	}
	return NULL;
}

static void add_op(struct compare_side *s, const struct counters_span *span,
		   const struct mount_op_stats *op, const struct mount_op_stats *old)
{
	static const struct mount_op_stats none;
	const struct slice *at = &span->stats.mount.mount_point;
	const struct mount_op_stats *o = old ? old : &none;
	uint64_t calls = op->calls - o->calls, sent = op->transmissions - o->transmissions;
	struct compare_row *row;

	if (calls == 0)
		return;
	row = row_add(s);
	snprintf(row->name, sizeof(row->name), "%.*s %s", (int)(at->len < 60 ? at->len : 60),
		 (const char *)at->ptr, op->name);
	row->calls = calls;
	row->errors = op->errors - o->errors;
	row->again = sent > calls ? sent - calls : 0;
	row->mean_ns = (int64_t)((double)(op->rtt_ms - o->rtt_ms) * 1e6 / (double)calls);
	row->queue_ns = (int64_t)((double)(op->queue_ms - o->queue_ms) * 1e6 / (double)calls);
}

/*
 * The counters of each mount: between two readings where there are two, on this side or, for a
 * mount that is read on both, from the other side's reading on; else since it was mounted.
 */
static void add_counters(struct compare_side *s, const struct compare_side *other)
{
	for (size_t i = 0; i < s->models.counters.spans.len; i++) {
		const struct counters_span *span = span_at(s, i);
		const struct counters_span *old = span_before(other, span);
		struct compare_span *told;

		if (!span_is_best(s, i))
			continue;
		told = vec_push(&s->spans);
		*told = (struct compare_span){
			.mount_point = span->stats.mount.mount_point,
			.seconds = span->seconds - (old ? old->seconds : 0),
			.between = old || span->before.frame != FRAME_NONE,
		};
		for (uint32_t k = 0; k < span->stats.ops_len; k++)
			add_op(s, span, &span->stats.ops[k],
			       old ? counters_op(old, span->stats.ops[k].name) : NULL);
	}
}

static int row_order(const void *a, const void *b)
{
	return strcmp(((const struct compare_row *)a)->name, ((const struct compare_row *)b)->name);
}

void compare_side_go(struct compare_side *s, const struct compare_side *before)
{
	struct rule_input in;

	run_open(&s->run);
	run_go(&s->run, RUN_FACTS);
	models_finish(&s->models);
	in = models_input(&s->models, &s->run.evidence);
	diagnose_run(&in, &s->diagnosis);
	add_procedures(s);
	add_counters(s, before);
	if (s->rows.len)
		qsort(s->rows.items, s->rows.len, s->rows.item_bytes, row_order);
}

static const struct compare_row *row_at(const struct compare_side *s, size_t index)
{
	return index < s->rows.len ? vec_at(&s->rows, index) : NULL;
}

/* The next pair of rows with one name; the one that is not there is NULL. False at the end. */
static bool next_pair(const struct compare_side *good, const struct compare_side *bad,
		      size_t *at_good, size_t *at_bad, const struct compare_row **g,
		      const struct compare_row **b)
{
	int order;

	*g = row_at(good, *at_good);
	*b = row_at(bad, *at_bad);
	if (!*g && !*b)
		return false;
	order = !*g ? 1 : !*b ? -1 : row_order(*g, *b);
	if (order < 0)
		*b = NULL;
	else if (order > 0)
		*g = NULL;
	*at_good += *g != NULL;
	*at_bad += *b != NULL;
	return true;
}

static bool has_finding(const struct compare_side *s, const char *id)
{
	for (size_t i = 0; i < s->diagnosis.findings.len; i++)
		if (strcmp(finding_at(&s->diagnosis.findings, i)->id, id) == 0)
			return true;
	return false;
}

/* --- client owners of NFSv4 --- */

static const struct nfs4_owner *owner_at(const struct compare_side *s, size_t i)
{
	return *(struct nfs4_owner **)vec_at(&s->models.nfs4.owners, i);
}

/* How many instances presented the owner on that side; each reboot of a client is one more. */
static uint64_t owner_instances(const struct compare_side *s, const struct nfs4_owner *o)
{
	uint64_t count = 0;

	for (size_t i = 0; i < s->models.nfs4.owners.len; i++) {
		const struct nfs4_owner *other = owner_at(s, i);

		if (other->name.len == o->name.len &&
		    memcmp(other->name.bytes, o->name.bytes, o->name.len) == 0)
			count += other->instances.len;
	}
	return count;
}

/* True for the first of that name on the side, as `take` sees each name once. */
static bool owner_is_first(const struct compare_side *s, size_t index)
{
	const struct nfs4_owner *o = owner_at(s, index);

	for (size_t i = 0; i < index; i++) {
		const struct nfs4_owner *other = owner_at(s, i);

		if (other->name.len == o->name.len &&
		    memcmp(other->name.bytes, o->name.bytes, o->name.len) == 0)
			return false;
	}
	return true;
}

typedef void owner_fn(void *context, const struct nfs4_owner *o, uint64_t good, uint64_t bad);

/* Each name once: those of the good run, then those that only the bad one has. */
static void owners_each(const struct compare_side *good, const struct compare_side *bad,
			owner_fn *take, void *context)
{
	for (size_t i = 0; i < good->models.nfs4.owners.len; i++) {
		const struct nfs4_owner *o = owner_at(good, i);

		if (owner_is_first(good, i))
			take(context, o, owner_instances(good, o), owner_instances(bad, o));
	}
	for (size_t i = 0; i < bad->models.nfs4.owners.len; i++) {
		const struct nfs4_owner *o = owner_at(bad, i);

		if (owner_is_first(bad, i) && owner_instances(good, o) == 0)
			take(context, o, 0, owner_instances(bad, o));
	}
}

static void owner_text(void *context, const struct nfs4_owner *o, uint64_t good, uint64_t bad)
{
	struct strbuf *out = context;

	strbuf_add_format(out, "  %8" PRIu64 "%8" PRIu64 "  ", good, bad);
	strbuf_add_safe(out, slice_make(o->name.bytes, o->name.len));
	strbuf_add_text(out, bad > 1 && bad > good ? "  (several instances)\n"
			     : good == 0           ? "  (new)\n"
			     : bad == 0            ? "  (gone)\n"
						   : "\n");
}

static void owner_json(void *context, const struct nfs4_owner *o, uint64_t good, uint64_t bad)
{
	struct json *j = context;
	struct strbuf name;

	strbuf_init(&name);
	strbuf_add_safe(&name, slice_make(o->name.bytes, o->name.len));
	json_object_begin(j);
	json_member_text(j, "name", strbuf_text(&name));
	json_member_u64(j, "good_instances", good);
	json_member_u64(j, "bad_instances", bad);
	json_object_end(j);
	strbuf_deinit(&name);
}

static void add_ms(struct strbuf *out, const struct compare_row *r, int64_t ns)
{
	if (!r || ns < 0)
		strbuf_add_format(out, "%10s", "-");
	else
		strbuf_add_format(out, "%10.2f", (double)ns / (double)STAMP_NS_PER_MS);
}

static void add_row(struct strbuf *out, const struct compare_row *g, const struct compare_row *b)
{
	struct strbuf name;

	strbuf_init(&name);
	strbuf_add_safe(&name, slice_of_string(g ? g->name : b->name));
	strbuf_add_format(out, "  %-32s%10" PRIu64 "%10" PRIu64, strbuf_text(&name),
			  g ? g->calls : 0, b ? b->calls : 0);
	strbuf_deinit(&name);
	add_ms(out, g, g ? g->mean_ns : -1);
	add_ms(out, b, b ? b->mean_ns : -1);
	if (g && b && g->mean_ns > 0 && b->mean_ns >= 0)
		strbuf_add_format(out, "%8.1f", (double)b->mean_ns / (double)g->mean_ns);
	else
		strbuf_add_format(out, "%8s", !g ? "new" : !b ? "gone" : "-");
	add_ms(out, b, b ? b->queue_ns : -1);
	strbuf_add_format(out, "%8" PRIu64 "%8" PRIu64 "\n", b ? b->errors : 0, b ? b->again : 0);
}

static void add_spans(struct strbuf *out, const char *which, const struct compare_side *s)
{
	for (size_t i = 0; i < s->spans.len; i++) {
		const struct compare_span *span = vec_at(&s->spans, i);

		strbuf_add_text(out, "  ");
		strbuf_add_safe(out, span->mount_point);
		strbuf_add_format(out, ", %s: %" PRIu64 " s %s.\n", which, span->seconds,
				  span->between ? "between two readings" : "since it was mounted");
	}
}

void compare_sides_text(struct strbuf *out, const struct compare_side *good,
			const struct compare_side *bad)
{
	const struct compare_row *g, *b;
	size_t at_good = 0, at_bad = 0, only = 0;

	if (good->rows.len + bad->rows.len)
		strbuf_add_format(out, "  %-32s%10s%10s%10s%10s%8s%10s%8s%8s\n", "calls", "good",
				  "bad", "good, ms", "bad, ms", "ratio", "queue, ms", "errors",
				  "again");
	while (next_pair(good, bad, &at_good, &at_bad, &g, &b))
		add_row(out, g, b);
	strbuf_add_text(
		out,
		good->rows.len + bad->rows.len
			? "\n  Times are means of call to answer; queue, errors and calls "
			  "sent again are those of the bad run.\n"
			: "  No calls are told, neither of the good run nor of the bad one.\n");
	add_spans(out, "good", good);
	add_spans(out, "bad", bad);
	if (good->models.nfs4.owners.len || bad->models.nfs4.owners.len) {
		strbuf_add_format(out, "\n  %8s%8s  %s\n", "good", "bad",
				  "instances of client owners (NFSv4)");
		owners_each(good, bad, owner_text, out);
	}
	strbuf_add_text(out, "\nOnly in the bad run:\n");
	for (size_t i = 0; i < bad->diagnosis.findings.len; i++) {
		const struct finding *f = finding_at(&bad->diagnosis.findings, i);

		if (has_finding(good, f->id))
			continue;
		strbuf_add_format(out, "  %s, %s %s: %s\n", f->id,
				  finding_confidence_name(f->confidence),
				  finding_role_name(f->role), f->title);
		only++;
	}
	if (!only)
		strbuf_add_text(out, "  nothing that `nfsleuth diagnose` looks for\n");
}

static void json_row(struct json *j, const char *key, const struct compare_row *r)
{
	json_key(j, key);
	if (!r) {
		json_null(j);
		return;
	}
	json_object_begin(j);
	json_member_u64(j, "calls", r->calls);
	json_member_u64(j, "errors", r->errors);
	json_member_u64(j, "retransmissions", r->again);
	if (r->mean_ns >= 0)
		json_member_i64(j, "mean_ns", r->mean_ns);
	if (r->queue_ns >= 0)
		json_member_i64(j, "queue_ns", r->queue_ns);
	json_object_end(j);
}

static void json_spans(struct json *j, const char *which, const struct compare_side *s)
{
	struct strbuf name;

	strbuf_init(&name);
	for (size_t i = 0; i < s->spans.len; i++) {
		const struct compare_span *span = vec_at(&s->spans, i);

		strbuf_reset(&name);
		strbuf_add_safe(&name, span->mount_point);
		json_object_begin(j);
		json_member_text(j, "run", which);
		json_member_text(j, "mount_point", strbuf_text(&name));
		json_member_u64(j, "seconds", span->seconds);
		json_member_bool(j, "between_readings", span->between);
		json_object_end(j);
	}
	strbuf_deinit(&name);
}

void compare_sides_json(struct json *j, const struct compare_side *good,
			const struct compare_side *bad)
{
	const struct compare_row *g, *b;
	size_t at_good = 0, at_bad = 0;

	json_key(j, "calls");
	json_array_begin(j);
	while (next_pair(good, bad, &at_good, &at_bad, &g, &b)) {
		json_object_begin(j);
		json_member_text(j, "name", g ? g->name : b->name);
		json_row(j, "good", g);
		json_row(j, "bad", b);
		json_object_end(j);
	}
	json_array_end(j);
	json_key(j, "counters");
	json_array_begin(j);
	json_spans(j, "good", good);
	json_spans(j, "bad", bad);
	json_array_end(j);
	json_key(j, "owners");
	json_array_begin(j);
	owners_each(good, bad, owner_json, j);
	json_array_end(j);
	json_key(j, "only_bad");
	json_array_begin(j);
	for (size_t i = 0; i < bad->diagnosis.findings.len; i++) {
		const struct finding *f = finding_at(&bad->diagnosis.findings, i);

		if (!has_finding(good, f->id))
			json_text(j, f->id);
	}
	json_array_end(j);
}

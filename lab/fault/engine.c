// SPDX-License-Identifier: GPL-2.0-or-later
/* See fault.h. */
#include "lab/fault/rule.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct fault_engine {
	uint64_t random;
	int64_t start_ns;
	uint32_t next_id;
	size_t rules_len;
	struct fault_rule *rules[FAULT_RULES_MAX];
	fault_fired_fn *fired;
	void *fired_context;
	const struct fault_server_ops *server;
	void *server_context;
};

struct fault_engine *fault_engine_create(uint64_t seed, int64_t start_ns)
{
	struct fault_engine *engine = mem_alloc(1, sizeof(*engine));

	engine->random = seed;
	engine->start_ns = start_ns;
	return engine;
}

static void rule_destroy(struct fault_rule *rule)
{
	fault_rule_deinit(rule);
	free(rule);
}

void fault_engine_destroy(struct fault_engine *engine)
{
	if (!engine)
		return;
	for (size_t i = 0; i < engine->rules_len; i++)
		rule_destroy(engine->rules[i]);
	free(engine);
}

void fault_engine_on_fired(struct fault_engine *engine, fault_fired_fn *fired, void *context)
{
	engine->fired = fired;
	engine->fired_context = context;
}

void fault_engine_serve(struct fault_engine *engine, const struct fault_server_ops *ops,
			void *context)
{
	engine->server = ops;
	engine->server_context = context;
}

/* --- the list of faults --- */

static size_t find_place(const struct fault_engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->rules_len; i++)
		if (strcasecmp(engine->rules[i]->name, name) == 0)
			return i;
	return engine->rules_len;
}

static struct err *find_rule(const struct fault_engine *engine, const char *name,
			     struct fault_rule **out)
{
	size_t place = find_place(engine, name);

	if (place == engine->rules_len)
		return err_new("%s: there is no fault of that name; \"list\" shows them", name);
	*out = engine->rules[place];
	return NULL;
}

static struct err *adopt(struct fault_engine *engine, const struct fault_rule *parsed)
{
	struct fault_rule *rule;

	if (engine->rules_len == FAULT_RULES_MAX)
		return err_new("more than %d faults", FAULT_RULES_MAX);
	if (parsed->name[0] && find_place(engine, parsed->name) < engine->rules_len)
		return err_new("%s: there is a fault of that name already", parsed->name);
	rule = mem_alloc(1, sizeof(*rule));
	*rule = *parsed;
	rule->id = ++engine->next_id;
	for (uint32_t n = rule->id; !rule->name[0]; n++) {
		char name[FAULT_NAME_BYTES_MAX + 1];

		snprintf(name, sizeof(name), "fault%u", n);
		if (find_place(engine, name) == engine->rules_len)
			memcpy(rule->name, name, sizeof(name));
	}
	engine->rules[engine->rules_len++] = rule;
	return NULL;
}

static struct err *add_line(struct fault_engine *engine, struct slice line)
{
	struct fault_words w;

	fault_words_init(&w, line);
	while (fault_words_peek(&w) || w.is_broken) {
		struct fault_rule rule;
		struct err *err;

		if (fault_words_take_if(&w, ";"))
			continue;
		err = fault_rule_parse(&w, engine->server, &rule);
		if (err)
			return err;
		err = adopt(engine, &rule);
		if (err) {
			fault_rule_deinit(&rule);
			return err;
		}
	}
	return NULL;
}

static struct err *at_line(struct err *err, const char *name, unsigned number)
{
	struct err *full = err_new("%s:%u: %s", name, number, err_text(err));

	err_destroy(err);
	return full;
}

struct err *fault_engine_add(struct fault_engine *engine, const char *name, struct slice script)
{
	size_t before = engine->rules_len;

	if (script.len > FAULT_SCRIPT_BYTES_MAX)
		return err_new("%s: a script has at most %d bytes", name, FAULT_SCRIPT_BYTES_MAX);
	for (unsigned number = 1; script.len; number++) {
		const uint8_t *end = memchr(script.ptr, '\n', script.len);
		size_t len = end ? (size_t)(end - script.ptr) : script.len;
		struct err *err = add_line(engine, slice_make(script.ptr, len));

		if (err) {
			while (engine->rules_len > before)
				rule_destroy(engine->rules[--engine->rules_len]);
			return at_line(err, name, number);
		}
		len += end != NULL;
		script = slice_make(script.ptr + len, script.len - len);
	}
	return NULL;
}

struct err *fault_engine_remove(struct fault_engine *engine, const char *name)
{
	struct fault_rule *rule = NULL;
	struct err *err = find_rule(engine, name, &rule);
	size_t place;

	if (err)
		return err;
	place = find_place(engine, name);
	engine->rules_len--;
	memmove(&engine->rules[place], &engine->rules[place + 1],
		(engine->rules_len - place) * sizeof(engine->rules[0]));
	rule_destroy(rule);
	return NULL;
}

struct err *fault_engine_switch(struct fault_engine *engine, const char *name, bool on)
{
	struct fault_rule *rule = NULL;
	struct err *err = find_rule(engine, name, &rule);

	if (!err)
		rule->is_off = !on;
	return err;
}

void fault_engine_list(const struct fault_engine *engine, struct strbuf *out)
{
	for (size_t i = 0; i < engine->rules_len; i++) {
		const struct fault_rule *r = engine->rules[i];

		strbuf_add_format(out, "%s %s matched %llu fired %llu: ", r->name,
				  r->is_off ? "off" : "on", (unsigned long long)r->matched_count,
				  (unsigned long long)r->fired_count);
		strbuf_add_safe(out, slice_of_string(r->text));
		strbuf_add_char(out, '\n');
	}
}

bool fault_engine_is_empty(const struct fault_engine *engine)
{
	return engine->rules_len == 0;
}

/* --- judging --- */

static void tell(struct fault_engine *engine, const struct fault_rule *rule, enum fault_side side,
		 const struct fault_message *m, const char *failure, int64_t now_ns)
{
	struct fault_firing firing = {
		.now_ns = now_ns, .fault = rule->name, .failure = failure, .message = m};
	struct strbuf actions;

	if (!engine->fired)
		return;
	strbuf_init(&actions);
	fault_rule_add_actions(rule, side, &actions);
	firing.actions = strbuf_text(&actions);
	engine->fired(engine->fired_context, &firing);
	strbuf_deinit(&actions);
}

static struct err *act(struct fault_engine *engine, const struct fault_step *step,
		       const struct fault_message *m, int64_t now_ns)
{
	struct fault_server_request request = {.action = step->action,
					       .duration_ns = step->duration_ns,
					       .program = (uint32_t)step->number,
					       .call = m,
					       .now_ns = now_ns};

	return engine->server->act(engine->server_context, &request);
}

/* The number of the operation that was meant, for edits of a reply that does not have it. */
static void number_edits(struct fault_verdict *v, uint32_t from, uint32_t number)
{
	for (uint32_t i = from; i < v->edits_len; i++)
		v->edits[i].number = number;
}

static void do_steps(struct fault_engine *engine, const struct fault_rule *rule,
		     const struct fault_planned *p, const struct fault_message *m, int64_t now_ns,
		     struct fault_verdict *v)
{
	uint32_t edits_before = v->edits_len;
	struct err *failure = NULL;

	for (uint32_t i = 0; i < rule->steps_len; i++) {
		const struct fault_step *step = &rule->steps[i];

		/* An answer that was not whole has its second half at the reply. */
		if (step->filter == &fault_filter_answer && m->side == FAULT_REPLY)
			fault_verdict_edit(v, step, p->op);
		else if (step->side != m->side)
			continue;
		else if (step->filter != &fault_filter_server)
			step->filter->judge(step, p->op, v);
		else if (!failure)
			failure = act(engine, step, m, now_ns);
	}
	number_edits(v, edits_before, p->number);
	v->fired_count++;
	if (fault_rule_has_side(rule, m->side))
		tell(engine, rule, m->side, m, failure ? err_text(failure) : NULL, now_ns);
	err_destroy(failure);
}

/* Can all that the fault does be done to this call and its reply? */
static bool steps_fit(const struct fault_rule *rule, const struct fault_message *m)
{
	for (uint32_t i = 0; i < rule->steps_len; i++) {
		const struct fault_step *step = &rule->steps[i];

		if (step->filter->fits && !step->filter->fits(step, m))
			return false;
	}
	return true;
}

static bool has_answer(const struct fault_rule *rule)
{
	for (uint32_t i = 0; i < rule->steps_len; i++)
		if (rule->steps[i].filter == &fault_filter_answer)
			return true;
	return false;
}

static void plan(struct fault_verdict *v, struct fault_planned p)
{
	if (v->plan.len < FAULT_PLAN_MAX)
		v->plan.items[v->plan.len++] = p;
}

static void judge_call(struct fault_engine *engine, const struct fault_message *m, int64_t now_ns,
		       struct fault_verdict *v)
{
	for (size_t i = 0; i < engine->rules_len; i++) {
		struct fault_rule *rule = engine->rules[i];
		struct fault_planned p = {.fault_id = rule->id};

		if (rule->is_off || rule->is_timed || !fault_match_test(&rule->match, m, &p.op) ||
		    !steps_fit(rule, m))
			continue;
		p.number = p.op < m->ops_len ? m->ops[p.op].number : 0;
		if (rule->match.has_status) {
			if (!fault_match_has_op(&rule->match))
				p.op = FAULT_OP_WHOLE;
			plan(v, p);
			continue;
		}
		if (!fault_rule_fires(rule, now_ns - engine->start_ns, &engine->random))
			continue;
		p.is_decided = true;
		do_steps(engine, rule, &p, m, now_ns, v);
		if (fault_rule_has_side(rule, FAULT_REPLY) || has_answer(rule))
			plan(v, p);
	}
}

static struct fault_rule *find_id(const struct fault_engine *engine, uint32_t id)
{
	for (size_t i = 0; i < engine->rules_len; i++)
		if (engine->rules[i]->id == id)
			return engine->rules[i];
	return NULL;
}

static void judge_reply(struct fault_engine *engine, const struct fault_message *m,
			const struct fault_plan *planned, int64_t now_ns, struct fault_verdict *v)
{
	for (uint32_t i = 0; i < planned->len; i++) {
		const struct fault_planned *p = &planned->items[i];
		struct fault_rule *rule = find_id(engine, p->fault_id);

		if (!rule) /* removed since */
			continue;
		if (!p->is_decided &&
		    (rule->is_off || !fault_status_is(&rule->match.status, m, p->op) ||
		     !fault_rule_fires(rule, now_ns - engine->start_ns, &engine->random)))
			continue;
		do_steps(engine, rule, p, m, now_ns, v);
	}
}

void fault_engine_judge(struct fault_engine *engine, const struct fault_message *m,
			const struct fault_plan *planned, int64_t now_ns, struct fault_verdict *v)
{
	memset(v, 0, sizeof(*v));
	if (m->side != FAULT_REPLY)
		judge_call(engine, m, now_ns, v);
	else if (planned)
		judge_reply(engine, m, planned, now_ns, v);
}

void fault_verdict_apply(const struct fault_verdict *v, const struct fault_message *m,
			 struct strbuf *out)
{
	strbuf_reset(out);
	strbuf_add(out, m->bytes.ptr, m->bytes.len);
	for (uint32_t i = 0; i < v->edits_len; i++)
		v->edits[i].step->filter->edit(&v->edits[i], m, out);
}

/* --- without a message --- */

static struct err *do_timed(struct fault_engine *engine, struct fault_rule *rule, int64_t now_ns)
{
	struct err *err = NULL;

	rule->fired_count++;
	for (uint32_t i = 0; i < rule->steps_len && !err; i++)
		err = act(engine, &rule->steps[i], NULL, now_ns);
	tell(engine, rule, FAULT_CALL, NULL, err ? err_text(err) : NULL, now_ns);
	return err;
}

struct err *fault_engine_fire(struct fault_engine *engine, const char *name, uint64_t times,
			      int64_t now_ns)
{
	struct fault_rule *rule = NULL;
	struct err *err = find_rule(engine, name, &rule);

	if (err)
		return err;
	if (rule->is_timed)
		return do_timed(engine, rule, now_ns);
	if (!rule->match.is_told)
		return err_new("%s: it does not wait to be told; its conditions lack \"told\"",
			       name);
	rule->told_count += times;
	return NULL;
}

int64_t fault_engine_next_ns(const struct fault_engine *engine)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < engine->rules_len; i++) {
		const struct fault_rule *r = engine->rules[i];

		if (r->is_timed && !r->is_done && engine->start_ns + r->at_ns < next_ns)
			next_ns = engine->start_ns + r->at_ns;
	}
	return next_ns;
}

void fault_engine_tick(struct fault_engine *engine, int64_t now_ns)
{
	for (size_t i = 0; i < engine->rules_len; i++) {
		struct fault_rule *r = engine->rules[i];

		if (!r->is_timed || r->is_done || engine->start_ns + r->at_ns > now_ns)
			continue;
		r->is_done = true;
		if (!r->is_off)
			err_destroy(do_timed(engine, r, now_ns));
	}
}

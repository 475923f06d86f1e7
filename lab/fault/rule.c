// SPDX-License-Identifier: GPL-2.0-or-later
/* A statement of a script, and when its fault fires. */
#include "lab/fault/rule.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

void fault_rule_deinit(struct fault_rule *rule)
{
	fault_match_deinit(&rule->match);
	free(rule->text);
	rule->text = NULL;
}

/* --- reading --- */

/* "NAME:" in front of the statement. */
static struct err *take_name(struct fault_words *w, struct fault_rule *rule)
{
	const char *word = fault_words_peek(w);
	size_t len = word ? strlen(word) : 0;

	if (len < 2 || w->was_quoted || word[len - 1] != ':')
		return NULL;
	if (len - 1 > FAULT_NAME_BYTES_MAX)
		return err_new("a fault's name has at most %d bytes", FAULT_NAME_BYTES_MAX);
	for (size_t i = 0; i + 1 < len; i++)
		if (!isalnum((unsigned char)word[i]) && !strchr("-_.", word[i]))
			return err_new("a fault's name has letters, digits, '-', '_' and '.' only");
	memcpy(rule->name, word, len - 1);
	rule->name[len - 1] = '\0';
	fault_words_take(w);
	return NULL;
}

static struct err *explain_action(const char *word)
{
	struct strbuf all;
	struct err *err;

	strbuf_init(&all);
	for (size_t i = 0; fault_filters[i]; i++)
		if (fault_filters[i]->name)
			strbuf_add_format(&all, "%s%s", all.len ? ", " : "",
					  fault_filters[i]->name);
	err = err_new("\"%s\" is no action; they are %s and those of a server (restart, forget, "
		      "expire, grace, revoke, recall, change, fill, freeze, move)",
		      word, strbuf_text(&all));
	strbuf_deinit(&all);
	return err;
}

static const struct fault_filter *find_filter(struct fault_words *w)
{
	static const char *const server_words[] = {"restart", "forget", "expire", "grace",
						   "revoke",  "recall", "change", "fill",
						   "freeze",  "move",   "shut",   NULL};
	const char *word = fault_words_peek(w);

	for (size_t i = 0; fault_filters[i]; i++)
		if (fault_filters[i]->name && fault_words_take_if(w, fault_filters[i]->name))
			return fault_filters[i];
	for (size_t i = 0; server_words[i]; i++)
		if (strcasecmp(word, server_words[i]) == 0)
			return &fault_filter_server;
	return NULL;
}

static struct err *check_step(const struct fault_rule *rule, const struct fault_step *step,
			      const struct fault_server_ops *server)
{
	bool is_server = step->filter == &fault_filter_server;
	const char *name = is_server ? fault_server_action_name(step->action) : step->filter->name;

	if (is_server && (!server || (server->has_ports_only && step->action != FAULT_SHUT)))
		return err_new("%s: only a server can do that to its own state; a proxy has none "
			       "(give this fault to nfsleuth serve)",
			       name);
	if (rule->is_timed && !is_server)
		return err_new("%s: there is no message at that time; write: when any after TIME "
			       "do %s ...",
			       name, name);
	if (step->side == FAULT_CONNECT && !rule->match.on_connect)
		return err_new("%s: this is for connections; write: when connect do %s", name,
			       name);
	if (rule->match.on_connect && step->side == FAULT_REPLY &&
	    step->filter != &fault_filter_delay)
		return err_new("%s: a connection has no reply", name);
	if (rule->match.has_status && step->side == FAULT_CALL && !is_server &&
	    step->filter != &fault_filter_stop && step->filter != &fault_filter_ignore &&
	    step->filter != &fault_filter_close && step->filter != &fault_filter_reset)
		return err_new("%s: the status is known when the call is over; this must happen "
			       "to the reply",
			       name);
	return NULL;
}

/* Where the next word begins, quotes not counted; the end of the text when there is none. */
static const uint8_t *next_word(struct fault_words *w)
{
	return fault_words_peek(w) ? w->rest.ptr - strlen(w->word) : w->rest.ptr;
}

static void keep_text(struct fault_step *step, const uint8_t *from, const uint8_t *to)
{
	size_t len = (size_t)(to - from);

	while (len && isspace(from[len - 1]))
		len--;
	if (len >= sizeof(step->text))
		len = sizeof(step->text) - 1;
	memcpy(step->text, from, len);
}

static struct err *take_step(struct fault_words *w, const struct fault_server_ops *server,
			     struct fault_rule *rule)
{
	struct fault_step *step = &rule->steps[rule->steps_len];
	const uint8_t *from = next_word(w);
	struct err *err;

	if (fault_words_at_end(w))
		return err_new("an action is missing behind \"do\"");
	if (rule->steps_len == FAULT_STEPS_MAX)
		return err_new("more than %d actions", FAULT_STEPS_MAX);
	*step = (struct fault_step){.filter = find_filter(w)};
	if (!step->filter)
		return explain_action(fault_words_peek(w));
	err = step->filter->parse(w, step);
	if (!err)
		err = check_step(rule, step, server);
	if (!err && !fault_words_at_end(w))
		err = err_new("\"%s\" is too much behind: %s", fault_words_peek(w),
			      step->filter->usage);
	if (err)
		return err;
	keep_text(step, from, next_word(w));
	/* What has no message of its own side happens when the fault is decided. */
	if (rule->match.on_connect)
		step->side = FAULT_CONNECT;
	else if (rule->match.has_status)
		step->side = FAULT_REPLY;
	rule->steps_len++;
	return NULL;
}

static struct err *take_statement(struct fault_words *w, const struct fault_server_ops *server,
				  struct fault_rule *rule)
{
	struct err *err = take_name(w, rule);

	if (err)
		return err;
	if (fault_words_take_if(w, "at")) {
		rule->is_timed = true;
		err = fault_words_duration(w, "at", &rule->at_ns);
	} else if (fault_words_take_if(w, "when")) {
		err = fault_match_parse(&rule->match, w);
	} else {
		return err_new("a statement begins with \"when\" or \"at\": when READ do delay 2s");
	}
	if (!err && !fault_words_take_if(w, "do"))
		err = err_new("\"do\" is missing");
	while (!err) {
		err = take_step(w, server, rule);
		if (err || !fault_words_take_if(w, ","))
			break;
	}
	return err;
}

struct err *fault_rule_parse(struct fault_words *w, const struct fault_server_ops *server,
			     struct fault_rule *rule)
{
	struct slice text;
	struct err *err;

	*rule = (struct fault_rule){0};
	fault_match_init(&rule->match);
	fault_words_peek(w);
	/* The statement begins with the word that is next. */
	text = slice_make(w->rest.ptr - strlen(w->word), w->rest.len + strlen(w->word));
	err = take_statement(w, server, rule);
	if (w->is_broken) {
		err_destroy(err);
		err = err_new("a quote without its end, or a word of more than %d bytes",
			      FAULT_WORD_BYTES_MAX);
	}
	if (err) {
		fault_rule_deinit(rule);
		return err;
	}
	/* Up to the semicolon, which was looked at but not taken. */
	text.len -= w->rest.len + (fault_words_peek(w) ? 1 : 0);
	while (text.len && isspace(text.ptr[text.len - 1]))
		text.len--;
	rule->text = mem_copy(text.ptr, text.len);
	return NULL;
}

/* --- firing --- */

bool fault_rule_has_side(const struct fault_rule *rule, enum fault_side side)
{
	for (uint32_t i = 0; i < rule->steps_len; i++)
		if (rule->steps[i].side == side)
			return true;
	return false;
}

/* splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere. */
static uint32_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) >> 32);
}

bool fault_rule_fires(struct fault_rule *rule, int64_t since_start_ns, uint64_t *random)
{
	const struct fault_match *match = &rule->match;
	uint64_t n;

	if (since_start_ns < match->after_ns || since_start_ns >= match->until_ns)
		return false;
	n = ++rule->matched_count;
	if (match->nth && n != match->nth)
		return false;
	if (n <= match->skip)
		return false;
	if (match->first && n - match->skip > match->first)
		return false;
	if (match->every && (n - match->skip) % match->every != 0)
		return false;
	if (match->times && rule->fired_count >= match->times)
		return false;
	if (match->is_told && rule->told_count == 0)
		return false;
	if (match->chance && match->chance != UINT32_MAX && next_random(random) >= match->chance)
		return false;
	rule->told_count -= match->is_told;
	rule->fired_count++;
	return true;
}

void fault_rule_add_actions(const struct fault_rule *rule, enum fault_side side, struct strbuf *out)
{
	size_t before = out->len;

	for (uint32_t i = 0; i < rule->steps_len; i++) {
		if (rule->steps[i].side != side)
			continue;
		if (out->len > before)
			strbuf_add_text(out, ", ");
		strbuf_add_safe(out, slice_of_string(rule->steps[i].text));
	}
}

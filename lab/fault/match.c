// SPDX-License-Identifier: GPL-2.0-or-later
/* See match.h. */
#include "lab/fault/match.h"

#include "base/mem.h"
#include "names/nfs4.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <strings.h>

void fault_match_init(struct fault_match *match)
{
	*match = (struct fault_match){.until_ns = INT64_MAX};
	vec_init(&match->targets, sizeof(struct fault_target));
}

void fault_match_deinit(struct fault_match *match)
{
	vec_deinit(&match->targets);
	free(match->path);
}

/* --- one function for each condition, behind its keyword --- */

typedef struct err *condition_fn(struct fault_match *match, struct fault_words *w);

static struct err *take_u32(struct fault_words *w, const char *what, uint64_t min, uint32_t *out)
{
	uint64_t value;
	struct err *err = fault_words_number(w, what, min, UINT32_MAX, &value);

	if (!err)
		*out = (uint32_t)value;
	return err;
}

static struct err *take_any(struct fault_match *match, struct fault_words *w)
{
	(void)match, (void)w;
	return NULL;
}

static struct err *take_connect(struct fault_match *match, struct fault_words *w)
{
	(void)w;
	match->on_connect = true;
	return NULL;
}

static struct err *take_callback(struct fault_match *match, struct fault_words *w)
{
	(void)w;
	match->is_callback = true;
	return NULL;
}

static struct err *take_program(struct fault_match *match, struct fault_words *w)
{
	return take_u32(w, "program", 1, &match->program);
}

static struct err *take_version(struct fault_match *match, struct fault_words *w)
{
	return take_u32(w, "version", 1, &match->version);
}

static struct err *take_minor(struct fault_match *match, struct fault_words *w)
{
	match->has_minor = true;
	return take_u32(w, "minor", 0, &match->minor);
}

static struct err *take_procedure(struct fault_match *match, struct fault_words *w)
{
	match->has_procedure = true;
	return take_u32(w, "procedure", 0, &match->procedure);
}

static struct err *take_uid(struct fault_match *match, struct fault_words *w)
{
	match->has_uid = true;
	return take_u32(w, "uid", 0, &match->uid);
}

static struct err *take_slot(struct fault_match *match, struct fault_words *w)
{
	match->has_slot = true;
	return take_u32(w, "slot", 0, &match->slot);
}

static struct err *take_status(struct fault_match *match, struct fault_words *w)
{
	match->has_status = true;
	return fault_status_parse(w, &match->status);
}

static struct err *take_from(struct fault_match *match, struct fault_words *w)
{
	const char *word = fault_words_at_end(w) ? NULL : fault_words_take(w);
	char address[INET6_ADDRSTRLEN] = "";
	unsigned long bits = 128;
	size_t len;
	char *end;

	if (!word)
		return err_new("from: an address is missing");
	len = strcspn(word, "/");
	if (len >= sizeof(address))
		return err_new("from: \"%s\" is no address", word);
	memcpy(address, word, len);
	memset(match->from, 0, sizeof(match->from));
	match->from[10] = match->from[11] = 0xff;
	if (inet_pton(AF_INET, address, match->from + 12) == 1)
		bits = 32;
	else if (inet_pton(AF_INET6, address, match->from) != 1)
		return err_new("from: \"%s\" is no address", word);
	if (word[len]) {
		unsigned long most = bits;

		bits = strtoul(word + len + 1, &end, 10);
		if (*end || end == word + len + 1 || bits > most)
			return err_new("from: \"%s\" ends in no number of bits", word);
		bits += 128 - most;
	} else {
		bits = 128;
	}
	match->has_from = true;
	match->from_bits = (unsigned)bits;
	return NULL;
}

static struct err *take_path(struct fault_match *match, struct fault_words *w)
{
	const char *word = fault_words_at_end(w) ? NULL : fault_words_take(w);

	if (!word || !*word)
		return err_new("path: a pattern is missing, such as /export/data/* or *.log");
	free(match->path);
	match->path = mem_copy(word, strlen(word));
	return NULL;
}

static struct err *take_handle(struct fault_match *match, struct fault_words *w)
{
	return fault_words_hex(w, "handle", sizeof(match->handle), match->handle,
			       &match->handle_len);
}

static struct err *take_nth(struct fault_match *match, struct fault_words *w)
{
	return fault_words_number(w, "nth", 1, UINT64_MAX, &match->nth);
}

static struct err *take_every(struct fault_match *match, struct fault_words *w)
{
	return fault_words_number(w, "every", 1, UINT64_MAX, &match->every);
}

static struct err *take_first(struct fault_match *match, struct fault_words *w)
{
	return fault_words_number(w, "first", 1, UINT64_MAX, &match->first);
}

static struct err *take_skip(struct fault_match *match, struct fault_words *w)
{
	return fault_words_number(w, "skip", 1, UINT64_MAX, &match->skip);
}

static struct err *take_once(struct fault_match *match, struct fault_words *w)
{
	(void)w;
	match->times = 1;
	return NULL;
}

static struct err *take_times(struct fault_match *match, struct fault_words *w)
{
	return fault_words_number(w, "times", 1, UINT64_MAX, &match->times);
}

static struct err *take_told(struct fault_match *match, struct fault_words *w)
{
	(void)w;
	match->is_told = true;
	return NULL;
}

static struct err *take_chance(struct fault_match *match, struct fault_words *w)
{
	const char *word = fault_words_at_end(w) ? NULL : fault_words_take(w);
	double percent;
	char *end;

	if (!word)
		return err_new("chance: a percentage is missing, such as 5%%");
	percent = strtod(word, &end);
	if (end == word || strcmp(end, "%") != 0 || !(percent > 0 && percent <= 100))
		return err_new("chance: \"%s\" is not between 0%% and 100%%", word);
	match->chance = percent >= 100 ? UINT32_MAX : (uint32_t)(percent / 100 * 4294967296.0);
	if (match->chance == 0)
		match->chance = 1;
	return NULL;
}

static struct err *take_after(struct fault_match *match, struct fault_words *w)
{
	return fault_words_duration(w, "after", &match->after_ns);
}

static struct err *take_until(struct fault_match *match, struct fault_words *w)
{
	return fault_words_duration(w, "until", &match->until_ns);
}

static struct err *take_between(struct fault_match *match, struct fault_words *w)
{
	struct err *err = fault_words_duration(w, "between", &match->after_ns);

	if (err)
		return err;
	if (!fault_words_take_if(w, "and"))
		return err_new("between: write it as: between 10s and 20s");
	err = fault_words_duration(w, "between", &match->until_ns);
	if (!err && match->until_ns <= match->after_ns)
		err = err_new("between: it ends before it begins");
	return err;
}

static const struct {
	const char *keyword;
	condition_fn *take;
} conditions[] = {
	{"any", take_any},           {"connect", take_connect},
	{"callback", take_callback}, {"program", take_program},
	{"version", take_version},   {"minor", take_minor},
	{"uid", take_uid},           {"procedure", take_procedure},
	{"slot", take_slot},         {"status", take_status},
	{"from", take_from},         {"path", take_path},
	{"handle", take_handle},     {"nth", take_nth},
	{"every", take_every},       {"first", take_first},
	{"skip", take_skip},         {"once", take_once},
	{"times", take_times},       {"told", take_told},
	{"chance", take_chance},     {"after", take_after},
	{"until", take_until},       {"between", take_between},
	{"and", take_any},
};

static struct err *take_targets(struct fault_match *match, struct fault_words *w)
{
	char *word = mem_copy(fault_words_peek(w), strlen(fault_words_peek(w)));
	struct err *err = NULL;
	char *rest = word;

	fault_words_take(w);
	while (!err && rest) {
		char *one = rest;
		char *bar = strchr(rest, '|');

		if (bar)
			*bar = '\0';
		rest = bar ? bar + 1 : NULL;
		err = fault_target_parse(one, &match->targets);
	}
	free(word);
	return err;
}

static struct err *take_condition(struct fault_match *match, struct fault_words *w)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (fault_words_take_if(w, conditions[i].keyword))
			return conditions[i].take(match, w);
	return take_targets(match, w);
}

struct err *fault_match_parse(struct fault_match *match, struct fault_words *w)
{
	size_t count = 0;
	struct err *err;

	for (;; count++) {
		const char *word = fault_words_peek(w);

		if (word && !w->was_quoted && strcasecmp(word, "do") == 0)
			break;
		if (fault_words_at_end(w))
			return err_new("\"do\" is missing; write: when CONDITIONS do ACTIONS");
		err = take_condition(match, w);
		if (err)
			return err;
	}
	if (count == 0)
		return err_new("a condition is missing; \"when any do ...\" is for every call");
	if (match->on_connect && match->has_status)
		return err_new("connect: a connection has no status");
	return NULL;
}

/* --- does a message fit? --- */

static bool from_fits(const struct fault_match *match, const struct fault_peer *client)
{
	unsigned bytes = match->from_bits / 8, rest = match->from_bits % 8;

	if (memcmp(match->from, client->address, bytes) != 0)
		return false;
	return rest == 0 ||
	       ((match->from[bytes] ^ client->address[bytes]) & (0xff00u >> rest & 0xff)) == 0;
}

static bool path_fits(const char *pattern, struct slice path)
{
	char text[FAULT_PATH_BYTES_MAX + 1];
	const char *name;

	if (!path.len || path.len >= sizeof(text) || memchr(path.ptr, 0, path.len))
		return false;
	memcpy(text, path.ptr, path.len);
	text[path.len] = '\0';
	name = strrchr(text, '/');
	if (!strchr(pattern, '/') && name && name[1])
		return fnmatch(pattern, name + 1, 0) == 0;
	return fnmatch(pattern, text, 0) == 0;
}

/* Operations that only say which file is meant: those with names or handles in a condition are not.
 */
static bool is_setting(uint32_t op)
{
	return op == OP_SEQUENCE || op == OP_PUTFH || op == OP_PUTROOTFH || op == OP_SAVEFH ||
	       op == OP_RESTOREFH;
}

static bool op_fits(const struct fault_match *match, const struct fault_message *m,
		    const struct fault_op *op)
{
	bool found = match->targets.len == 0 && !(m->is_compound && op && is_setting(op->number));

	for (size_t i = 0; i < match->targets.len && !found; i++)
		found = fault_target_fits(vec_at(&match->targets, i), m, op);
	if (!found)
		return false;
	if (match->path && !(op && path_fits(match->path, op->path)))
		return false;
	return !match->handle_len ||
	       (op && slice_equal(op->handle, slice_make(match->handle, match->handle_len)));
}

bool fault_match_has_op(const struct fault_match *match)
{
	return match->targets.len || match->path || match->handle_len;
}

static bool head_fits(const struct fault_match *match, const struct fault_message *m)
{
	return (m->side == FAULT_CONNECT) == match->on_connect &&
	       (!match->is_callback || m->is_callback) &&
	       (!match->program || match->program == m->program) &&
	       (!match->version || match->version == m->version) &&
	       (!match->has_minor || (m->is_compound && match->minor == m->minor)) &&
	       (!match->has_procedure || match->procedure == m->procedure) &&
	       (!match->has_uid || (m->has_uid && match->uid == m->uid)) &&
	       (!match->has_slot || (m->has_slot && match->slot == m->slot)) &&
	       (!match->has_from || from_fits(match, &m->client));
}

bool fault_match_test(const struct fault_match *match, const struct fault_message *m, uint8_t *op)
{
	if (!head_fits(match, m))
		return false;
	*op = 0;
	if (!fault_match_has_op(match))
		return true;
	if (m->ops_len == 0)
		return op_fits(match, m, NULL);
	for (uint32_t i = 0; i < m->ops_len; i++) {
		if (op_fits(match, m, &m->ops[i])) {
			*op = (uint8_t)i;
			return true;
		}
	}
	return false;
}

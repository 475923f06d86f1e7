// SPDX-License-Identifier: GPL-2.0-or-later
/* See script.h. */
#include "lab/scene/script.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/stamp.h"

struct verb_row {
	const char *name;
	size_t min, max; /* words behind it */
	bool hosts_only; /* the middle has no programs and no link of its own */
	const char *takes;
};

static const struct verb_row scene_verbs[SCENE_VERBS] = {
	[SCENE_SERVE] = {"serve", 0, SIZE_MAX, true, "options of 'nfsleuth serve'"},
	[SCENE_PROXY] = {"proxy", 1, SIZE_MAX, true, "options of 'nfsleuth proxy'"},
	[SCENE_RULE] = {"rule", 1, 1, true, "one statement in quotes"},
	[SCENE_PROBE] = {"probe", 1, SIZE_MAX, true, "options of 'nfsleuth probe'"},
	[SCENE_NFT] = {"nft", 2, SIZE_MAX, false, "CHAIN RULE"},
	[SCENE_HEAL] = {"heal", 0, 0, false, "nothing"},
	[SCENE_LINK] = {"link", 1, 1, true, "up or down"},
	[SCENE_MTU] = {"mtu", 1, 1, true, "BYTES"},
	[SCENE_IP] = {"ip", 1, SIZE_MAX, false, "arguments of ip"},
	[SCENE_TC] = {"tc", 1, SIZE_MAX, false, "arguments of tc"},
	[SCENE_SYSCTL] = {"sysctl", 2, 2, false, "KEY VALUE"},
	[SCENE_STOP] = {"stop", 1, 1, true, "serve, proxy or probe"},
	[SCENE_CONTINUE] = {"continue", 1, 1, true, "serve, proxy or probe"},
	[SCENE_KILL] = {"kill", 1, 1, true, "serve, proxy or probe"},
};

/* The words of one line, and where the reader stands. */
struct line {
	struct scene *scene;
	unsigned number;
	size_t first, count; /* of scene->words */
};

static struct err *line_err(const struct line *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct err *line_err(const struct line *l, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_new("scene %s, line %u: %s", l->scene->name, l->number, text);
}

static const char *line_word(const struct line *l, size_t index)
{
	return l->scene->words[l->first + index];
}

/* Cuts the line into words where it stands; quotes keep blanks together. */
static struct err *line_split(struct line *l, char *text)
{
	struct scene *s = l->scene;
	char *at = text;

	l->first = s->word_count;
	for (;;) {
		char quote = '\0';
		char *to;

		while (isspace((unsigned char)*at))
			at++;
		if (*at == '\0' || *at == '#')
			break;
		if (s->word_count == SCENE_WORDS_MAX)
			return line_err(l, "more than %d words in all", SCENE_WORDS_MAX);
		s->words[s->word_count++] = to = at;
		for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
			if (*at == quote)
				quote = '\0';
			else if (!quote && (*at == '\'' || *at == '"'))
				quote = *at;
			else
				*to++ = *at;
		}
		if (quote)
			return line_err(l, "a quotation mark %c is not closed", quote);
		if (*at)
			at++;
		*to = '\0';
	}
	l->count = s->word_count - l->first;
	return NULL;
}

static struct err *line_number(const struct line *l, size_t index, double max, double *out)
{
	const char *word = line_word(l, index);
	char *end;
	double value = strtod(word, &end);

	if (end == word || *end != '\0' || !(value >= 0 && value <= max))
		return line_err(l, "'%s' must be a number up to %g", word, max);
	*out = value;
	return NULL;
}

static struct err *line_want(const struct line *l, size_t min, size_t max, const char *takes)
{
	if (l->count - 1 >= min && l->count - 1 <= max)
		return NULL;
	return line_err(l, "'%s' takes %s", line_word(l, 0), takes);
}

static struct err *take_title(struct line *l)
{
	l->scene->title = line_word(l, 1);
	return NULL;
}

static struct err *take_letter(struct line *l)
{
	l->scene->letter = line_word(l, 1);
	return NULL;
}

static struct err *take_expect(struct line *l)
{
	struct scene *s = l->scene;

	if (s->expect_count + l->count - 1 > SCENE_EXPECTS_MAX)
		return line_err(l, "more than %d expectations", SCENE_EXPECTS_MAX);
	for (size_t i = 1; i < l->count; i++)
		s->expects[s->expect_count++] = line_word(l, i);
	return NULL;
}

static bool name_is_plain(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 8 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

static struct err *take_hosts(struct line *l)
{
	struct scene *s = l->scene;

	if (s->host_count + l->count - 1 > SCENE_HOSTS_MAX)
		return line_err(l, "more than %d hosts", SCENE_HOSTS_MAX);
	for (size_t i = 1; i < l->count; i++) {
		if (!name_is_plain(line_word(l, i)) || strcmp(line_word(l, i), "middle") == 0)
			return line_err(l, "'%s' cannot be a host: up to 8 small letters or digits",
					line_word(l, i));
		s->hosts[s->host_count++] = line_word(l, i);
	}
	return NULL;
}

static struct err *take_middle(struct line *l)
{
	l->scene->routed = strcmp(line_word(l, 1), "router") == 0;
	if (!l->scene->routed && strcmp(line_word(l, 1), "switch") != 0)
		return line_err(l, "'middle' takes switch or router");
	return NULL;
}

static struct err *take_addresses(struct line *l)
{
	l->scene->ipv6 = strcmp(line_word(l, 1), "ipv6") == 0;
	if (!l->scene->ipv6 && strcmp(line_word(l, 1), "ipv4") != 0)
		return line_err(l, "'addresses' takes ipv4 or ipv6");
	return NULL;
}

static struct err *take_speed(struct line *l)
{
	double speed = 0;
	struct err *err = line_number(l, 1, SCENE_SPEED_MAX, &speed);

	if (!err && speed < 1)
		err = line_err(l, "a speed below 1");
	if (!err)
		l->scene->speed = (unsigned)speed;
	return err;
}

static struct err *take_seconds(struct line *l)
{
	double seconds = 0;
	struct err *err = line_number(l, 1, SCENE_SECONDS_MAX, &seconds);

	if (!err)
		l->scene->seconds_ns = (int64_t)(seconds * (double)STAMP_NS_PER_S);
	return err;
}

static struct err *find_host(const struct line *l, const char *name, size_t *out)
{
	for (size_t i = 0; i < l->scene->host_count; i++) {
		if (strcmp(l->scene->hosts[i], name) == 0) {
			*out = i;
			return NULL;
		}
	}
	*out = SCENE_MIDDLE;
	if (strcmp(name, "middle") == 0)
		return NULL;
	return line_err(l, "'%s' is no host: 'hosts' names them, 'middle' is what joins them",
			name);
}

static struct err *find_verb(const struct line *l, struct scene_action *action)
{
	const char *name = line_word(l, 3);

	for (int i = 0; i < SCENE_VERBS; i++) {
		const struct verb_row *row = &scene_verbs[i];

		if (strcmp(row->name, name) != 0)
			continue;
		if (row->hosts_only && action->host == SCENE_MIDDLE)
			return line_err(l, "'%s' is for a host, not for the middle", name);
		if (action->count < row->min || action->count > row->max)
			return line_err(l, "'%s' takes %s", name, row->takes);
		action->verb = (enum scene_verb)i;
		return NULL;
	}
	return line_err(l, "'%s' is nothing that a scene can do", name);
}

/* at SECONDS HOST VERB WORDS */
static struct err *take_at(struct line *l)
{
	struct scene *s = l->scene;
	struct scene_action *a = &s->actions[s->action_count];
	double seconds = 0;
	struct err *err;

	if (s->action_count == SCENE_ACTIONS_MAX)
		return line_err(l, "more than %d actions", SCENE_ACTIONS_MAX);
	*a = (struct scene_action){
		.line = l->number, .run = a->run, .first = l->first + 4, .count = l->count - 4};
	err = line_number(l, 1, SCENE_SECONDS_MAX, &seconds);
	a->at_ns = (int64_t)(seconds * (double)STAMP_NS_PER_S);
	if (!err)
		err = find_host(l, line_word(l, 2), &a->host);
	if (!err)
		err = find_verb(l, a);
	if (!err)
		s->action_count++;
	return err;
}

/* fault at ..., twin at ... */
static struct err *take_one_run(struct line *l)
{
	struct scene *s = l->scene;
	bool twin = strcmp(line_word(l, 0), "twin") == 0;
	struct line rest = *l;

	if (strcmp(line_word(l, 1), "at") != 0)
		return line_err(l, "'%s' is followed by 'at SECONDS HOST ...'", line_word(l, 0));
	if (s->action_count == SCENE_ACTIONS_MAX)
		return line_err(l, "more than %d actions", SCENE_ACTIONS_MAX);
	s->actions[s->action_count].run = twin ? SCENE_TWIN : SCENE_STAGED;
	rest.first++;
	rest.count--;
	return take_at(&rest);
}

struct keyword {
	const char *name;
	size_t min, max; /* words behind it */
	const char *takes;
	struct err *(*take)(struct line *l);
};

static const char at_takes[] = "SECONDS HOST WHAT...";

static const struct keyword keywords[] = {
	{"title", 1, 1, "one text in quotes", take_title},
	{"catalogue", 1, 1, "the letter of the catalogue", take_letter},
	{"expect", 1, SIZE_MAX, "the ids of findings", take_expect},
	{"hosts", 2, SIZE_MAX, "at least two names", take_hosts},
	{"middle", 1, 1, "switch or router", take_middle},
	{"addresses", 1, 1, "ipv4 or ipv6", take_addresses},
	{"speed", 1, 1, "a number", take_speed},
	{"seconds", 1, 1, "a number", take_seconds},
	{"at", 3, SIZE_MAX, at_takes, take_at},
	{"fault", 4, SIZE_MAX, "'at' and what happens", take_one_run},
	{"twin", 4, SIZE_MAX, "'at' and what happens", take_one_run},
};

static struct err *line_take(struct line *l)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		const struct keyword *k = &keywords[i];
		struct err *err;

		if (strcmp(k->name, line_word(l, 0)) != 0)
			continue;
		err = line_want(l, k->min, k->max, k->takes);
		return err ? err : k->take(l);
	}
	return line_err(l, "'%s' begins no line of a scene", line_word(l, 0));
}

/* What a scene cannot do without, and actions that lie behind its end. */
static struct err *scene_check(const struct scene *s)
{
	if (!s->title || s->expect_count == 0 || s->host_count == 0 || s->seconds_ns == 0)
		return err_new("scene %s: 'title', 'expect', 'hosts' or 'seconds' is missing",
			       s->name);
	for (size_t i = 0; i < s->action_count; i++)
		if (s->actions[i].at_ns > s->seconds_ns)
			return err_new("scene %s, line %u: it happens after the end of the scene",
				       s->name, s->actions[i].line);
	return NULL;
}

static int action_order(const void *x, const void *y)
{
	const struct scene_action *a = x;
	const struct scene_action *b = y;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return a->line < b->line ? -1 : 1;
}

static struct err *scene_read(struct scene *s)
{
	struct line l = {.scene = s};
	struct err *err = NULL;
	char *at = s->text;

	for (char *next; at && !err; at = next) {
		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		l.number++;
		err = line_split(&l, at);
		if (!err && l.count > 0)
			err = line_take(&l);
	}
	return err ? err : scene_check(s);
}

struct err *scene_parse(const char *name, struct slice text, struct scene *out)
{
	struct err *err;

	*out = (struct scene){.letter = "", .speed = 1};
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	if (text.len > SCENE_TEXT_BYTES_MAX)
		return err_new("scene %s: larger than %d bytes", name, SCENE_TEXT_BYTES_MAX);
	out->text = mem_copy(text.ptr, text.len);
	err = scene_read(out);
	if (err)
		scene_deinit(out);
	else
		qsort(out->actions, out->action_count, sizeof(out->actions[0]), action_order);
	return err;
}

void scene_deinit(struct scene *scene)
{
	free(scene->text);
	scene->text = NULL;
}

bool scene_action_runs(const struct scene_action *action, bool twin)
{
	return action->run == SCENE_BOTH || (action->run == SCENE_TWIN) == twin;
}

const char *scene_verb_name(enum scene_verb verb)
{
	return scene_verbs[verb].name;
}

const char *scene_host_name(const struct scene *scene, size_t host)
{
	return host == SCENE_MIDDLE ? "middle" : scene->hosts[host];
}

/* Member `n` of the host's network. */
static void address_make(const struct scene *scene, size_t host, unsigned n, char *text)
{
	unsigned network = scene->routed ? (unsigned)host + 1 : 0;

	if (!scene->ipv6)
		(void)snprintf(text, SCENE_ADDRESS_BYTES, "10.77.%u.%u", network, n);
	else if (network == 0)
		(void)snprintf(text, SCENE_ADDRESS_BYTES, "fd77::%x", n);
	else
		(void)snprintf(text, SCENE_ADDRESS_BYTES, "fd77:%u::%x", network, n);
}

void scene_address(const struct scene *scene, size_t host, char text[SCENE_ADDRESS_BYTES])
{
	address_make(scene, host, scene->routed ? 1 : (unsigned)host + 1, text);
}

void scene_gateway(const struct scene *scene, size_t host, char text[SCENE_ADDRESS_BYTES])
{
	address_make(scene, host, 254, text);
}

void scene_word_expand(const struct scene *scene, const char *word, struct strbuf *out)
{
	while (*word) {
		size_t len = strspn(word + 1, "abcdefghijklmnopqrstuvwxyz0123456789");
		size_t host = *word == '$' ? 0 : scene->host_count;
		char address[SCENE_ADDRESS_BYTES];

		while (host < scene->host_count &&
		       (strlen(scene->hosts[host]) != len ||
			strncmp(scene->hosts[host], word + 1, len) != 0))
			host++;
		if (host == scene->host_count) {
			strbuf_add_char(out, *word++);
			continue;
		}
		scene_address(scene, host, address);
		strbuf_add_text(out, address);
		word += len + 1;
	}
}

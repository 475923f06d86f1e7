// SPDX-License-Identifier: GPL-2.0-or-later
/* See round.h. */
#include "lab/probe/round.h"

#include <string.h>

#include "base/strbuf.h"

static struct err *mix_err(const char *const *names, const char *name, size_t len)
{
	struct strbuf known;
	struct err *err;

	strbuf_init(&known);
	for (size_t i = 0; names[i]; i++)
		strbuf_add_format(&known, "%s%s", i ? ", " : "", names[i]);
	err = err_new("mix: '%.*s' is none of %s", (int)len, name, strbuf_text(&known));
	strbuf_deinit(&known);
	return err;
}

static struct err *mix_add(struct mix *m, const char *const *names, const char *name, size_t len)
{
	for (size_t i = 0; names[i]; i++) {
		if (strlen(names[i]) != len || strncmp(names[i], name, len) != 0)
			continue;
		if (m->count == MIX_MAX)
			return err_new("mix: more than %d operations", MIX_MAX);
		m->rows[m->count++] = i;
		return NULL;
	}
	return mix_err(names, name, len);
}

struct err *mix_parse(const char *const *names, const char *text, struct mix *out)
{
	struct mix m = {0};
	struct err *err = NULL;

	for (const char *at = text; *at && !err;) {
		size_t len = strcspn(at, "+");

		err = mix_add(&m, names, at, len);
		at += len + (at[len] == '+');
	}
	if (!err)
		*out = m;
	return err;
}

struct err *task_start(struct client *c, const struct probe_words *words, double speed)
{
	struct err *err = client_init(c, words->server, speed);

	if (err)
		return err;
	c->loop.witness = words->witness;
	if (words->for_ns < INT64_MAX)
		c->end_ns = client_now_ns(c) + words->for_ns;
	if (words->shut_ns > 0)
		c->shut_ns = client_now_ns(c) + words->shut_ns;
	c->sys.uid = words->uid;
	return NULL;
}

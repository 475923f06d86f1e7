// SPDX-License-Identifier: GPL-2.0-or-later
/* See task.h. */
#include "lab/probe/task.h"

#include <string.h>

#include "base/stamp.h"
#include "lab/probe/v3.h"
#include "names/nlm.h"

/* How long lockd waits before it asks again: NLMCLNT_GRACE_WAIT, NLMCLNT_POLL_TIMEOUT of
 * fs/lockd/clntproc.c. */
static const int64_t grace_wait_ns = 5 * STAMP_NS_PER_S;
static const int64_t poll_wait_ns = 30 * STAMP_NS_PER_S;

static bool do_getattr(struct v3 *v)
{
	return v3_getattr(v, &v->file);
}

static bool do_access(struct v3 *v)
{
	return v3_access(v, &v->root);
}

static bool do_lookup(struct v3 *v)
{
	return v3_lookup(v, &v->root, slice_of_string(v->words->file), NULL);
}

static bool do_readdir(struct v3 *v)
{
	return v3_list(v, false, false);
}

static bool do_list(struct v3 *v)
{
	return v3_list(v, true, false);
}

static bool do_storm(struct v3 *v)
{
	return v3_list(v, false, true);
}

struct mix_row {
	const char *name;
	bool (*run)(struct v3 *v);
};

static const struct mix_row mix_rows[] = {
	{"getattr", do_getattr}, {"access", do_access}, {"lookup", do_lookup},
	{"read", v3_read},       {"write", v3_write},   {"readdir", do_readdir},
	{"list", do_list},       {"storm", do_storm},
};

enum { MIX_ROWS = sizeof(mix_rows) / sizeof(mix_rows[0]), MIX_MAX = 16 };

struct mix {
	bool (*run[MIX_MAX])(struct v3 *v);
	size_t count;
};

static struct err *mix_add(struct mix *m, const char *name, size_t len)
{
	for (size_t i = 0; i < MIX_ROWS; i++) {
		if (strlen(mix_rows[i].name) != len || strncmp(mix_rows[i].name, name, len) != 0)
			continue;
		if (m->count == MIX_MAX)
			return err_new("mix: more than %d operations", MIX_MAX);
		m->run[m->count++] = mix_rows[i].run;
		return NULL;
	}
	return err_new(
		"mix: '%.*s' is none of getattr, access, lookup, read, write, readdir, list, "
		"storm",
		(int)len, name);
}

static struct err *mix_parse(const char *text, struct mix *m)
{
	struct err *err = NULL;

	*m = (struct mix){0};
	for (const char *at = text; *at && !err;) {
		size_t len = strcspn(at, "+");

		err = mix_add(m, at, len);
		at += len + (at[len] == '+');
	}
	return err;
}

static struct err *start(const struct probe_words *words, double speed, struct client *c)
{
	struct err *err = client_init(c, words->server, speed);

	if (err)
		return err;
	if (words->for_ns < INT64_MAX)
		c->end_ns = client_now_ns(c) + words->for_ns;
	c->sys.uid = words->uid;
	return NULL;
}

struct err *probe_load(const struct probe_words *words, double speed)
{
	struct client c;
	struct v3 v;
	struct mix mix;
	bool going;
	struct err *err = mix_parse(words->mix ? words->mix : "getattr+access+lookup", &mix);

	if (!err)
		err = start(words, speed, &c);
	if (err)
		return err;
	v3_init(&v, &c, words);
	going = v3_mount(&v);
	while (going) {
		for (size_t i = 0; i < mix.count && going; i++)
			going = mix.run[i](&v);
		going = going && client_sleep(&c, words->every_ns);
	}
	v3_deinit(&v);
	client_deinit(&c);
	return NULL;
}

/* Until the lock is granted, as nlmclnt_lock does. */
static bool lock_until_granted(struct v3 *v)
{
	for (;;) {
		if (!v3_lock(v, false))
			return false;
		if (v->status == NLM4_GRANTED)
			return true;
		if (v->status == NLM4_DENIED_NOLOCKS) {
			/* fcntl fails with ENOLCK; the program asks again with the next round. */
			return true;
		}
		if (!client_sleep(v->client,
				  v->status == NLM4_BLOCKED ? poll_wait_ns : grace_wait_ns))
			return false;
	}
}

struct err *probe_lock(const struct probe_words *words, double speed)
{
	struct client c;
	struct v3 v;
	bool going;
	struct err *err = start(words, speed, &c);

	if (err)
		return err;
	v3_init(&v, &c, words);
	going = v3_mount(&v);
	while (going) {
		going = lock_until_granted(&v);
		if (going && v.status == NLM4_GRANTED)
			going = client_sleep(&c, words->hold_ns) && v3_unlock(&v);
		going = going && client_sleep(&c, words->every_ns);
	}
	v3_deinit(&v);
	client_deinit(&c);
	return NULL;
}

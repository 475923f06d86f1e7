// SPDX-License-Identifier: GPL-2.0-or-later
/* See task.h. */
#include "lab/probe/task.h"

#include <stdlib.h>

#include "base/stamp.h"
#include "lab/probe/granted.h"
#include "lab/probe/round.h"
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
	return v3_list(v, V3_READDIR);
}

static bool do_list(struct v3 *v)
{
	return v3_list(v, V3_READDIRPLUS);
}

static bool do_storm(struct v3 *v)
{
	return v3_list(v, V3_LOOKING_UP);
}

static bool do_relist(struct v3 *v)
{
	return v3_list(v, V3_RESTARTING);
}

static const char *const mix_names[] = {"getattr", "access", "lookup", "read",   "write", "readdir",
					"list",    "storm",  "relist", "statfs", "touch", NULL};

static bool (*const mix_runs[])(struct v3 *v) = {
	do_getattr, do_access, do_lookup, v3_read,   v3_write, do_readdir,
	do_list,    do_storm,  do_relist, v3_statfs, v3_touch,
};

struct err *probe_load(const struct probe_words *words, double speed)
{
	struct client c;
	struct v3 v;
	struct mix mix;
	bool going;
	struct err *err =
		mix_parse(mix_names, words->mix ? words->mix : "getattr+access+lookup", &mix);

	if (!err)
		err = task_start(&c, words, speed);
	if (err)
		return err;
	v3_init(&v, &c, words);
	going = v3_mount(&v);
	while (going) {
		for (size_t i = 0; i < mix.count && going; i++)
			going = mix_runs[mix.rows[i]](&v);
		going = going && client_sleep(&c, words->every_ns);
	}
	v3_deinit(&v);
	client_deinit(&c);
	return NULL;
}

/* BLOCKED: until the server calls, where it can, and no longer than until it is asked again. */
static bool wait_blocked(struct v3 *v, struct granted *g)
{
	bool going;

	if (!g)
		return client_sleep(v->client, poll_wait_ns);
	going = granted_wait(g, poll_wait_ns);
	if (g->granted)
		v->status = NLM4_GRANTED;
	return going;
}

/* Until the lock is granted, as nlmclnt_lock does. `g`: who is called back; NULL: nobody. */
static bool lock_until_granted(struct v3 *v, struct granted *g)
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
		if (v->status == NLM4_BLOCKED ? !wait_blocked(v, g)
					      : !client_sleep(v->client, grace_wait_ns))
			return false;
		if (v->status == NLM4_GRANTED)
			return true;
	}
}

/* callbacks=PORT of a lock; 0: the server cannot call back. */
static struct err *take_callback_port(const struct probe_words *words, uint16_t *port)
{
	unsigned long value = 0;
	char *end;

	*port = 0;
	if (!words->callbacks || strcmp(words->callbacks, "none") == 0)
		return NULL;
	value = strtoul(words->callbacks, &end, 10);
	if (*end != '\0' || value == 0 || value > UINT16_MAX)
		return err_new("callbacks=%s: it must be none, or the port at which the server "
			       "calls back",
			       words->callbacks);
	*port = (uint16_t)value;
	return NULL;
}

struct err *probe_lock(const struct probe_words *words, double speed)
{
	struct client c;
	struct v3 v;
	struct granted g = {0};
	bool going;
	uint16_t port;
	struct err *err = take_callback_port(words, &port);

	if (!err)
		err = task_start(&c, words, speed);
	if (err)
		return err;
	v3_init(&v, &c, words);
	going = v3_mount(&v);
	if (going && port)
		err = granted_init(&g, &v, port);
	while (going && !err) {
		going = lock_until_granted(&v, port ? &g : NULL);
		if (going && v.status == NLM4_GRANTED)
			going = client_sleep(&c, words->hold_ns) && v3_unlock(&v);
		going = going && client_sleep(&c, words->every_ns);
	}
	granted_deinit(&g);
	v3_deinit(&v);
	client_deinit(&c);
	return err;
}

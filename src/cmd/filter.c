// SPDX-License-Identifier: GPL-2.0-or-later
/* See filter.h. Names are compared as they are printed, without regard to case. */
#include "cmd/filter.h"

#include "cmd/label.h"
#include "evidence/klog/klog_head.h"
#include "names/names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

enum { SECONDS_PER_DAY = 86400 };

/* --- from the command line --- */

static struct err *take_host(struct filter *f, const char *text)
{
	f->host = (struct endpoint){.addr = {[10] = 0xff, [11] = 0xff}};
	f->has_host = inet_pton(AF_INET, text, f->host.addr + 12) == 1 ||
		      inet_pton(AF_INET6, text, f->host.addr) == 1;
	return f->has_host ? NULL : err_new("--host=%s: it must be an address", text);
}

static struct err *take_program(struct filter *f, const char *text)
{
	static const uint32_t known[] = {100000, 100003, 100005,     100011,
					 100021, 100024, 0x40000000, 100227};
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	f->has_program = true;
	if (*text && !*end && number <= UINT32_MAX) {
		f->program = (uint32_t)number;
		return NULL;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct names_program *p = names_program_find(known[i]);

		if (p && strcasecmp(p->name, text) == 0) {
			f->program = known[i];
			return NULL;
		}
	}
	return err_new("--program=%s: it must be a number or a name as show calls prints it", text);
}

/* "HH:MM:SS" with or without a fraction. */
static bool take_time_of_day(struct filter_time *t, const char *text)
{
	static const int64_t unit_s[] = {3600, 60, 1};
	static const int64_t limits[] = {24, 60, 61};
	int64_t digit_ns = STAMP_NS_PER_S;
	struct filter_time out = {.set = true, .daily = true};

	for (unsigned i = 0; i < 3; i++) {
		int64_t value;

		if ((i > 0 && *text++ != ':') || !isdigit((unsigned char)text[0]) ||
		    !isdigit((unsigned char)text[1]))
			return false;
		value = (text[0] - '0') * 10 + (text[1] - '0');
		if (value >= limits[i])
			return false;
		out.ns += value * unit_s[i] * STAMP_NS_PER_S;
		text += 2;
	}
	if (*text == '.')
		for (text++; isdigit((unsigned char)*text); text++)
			out.ns += (*text - '0') * (digit_ns /= 10);
	if (*text)
		return false;
	*t = out;
	return true;
}

static struct err *take_time(struct filter_time *t, const char *name, const char *text)
{
	struct klog_head h;

	if (take_time_of_day(t, text))
		return NULL;
	if (!klog_stamp_parse(slice_of_string(text), &h))
		return err_new("%s=%s: it must be a time, as 2026-11-22T01:26:00Z or 01:26:00",
			       name, text);
	t->set = true;
	t->ns = klog_date_ns(&h.date, h.date.year);
	if (h.wall == KLOG_WALL_UTC)
		t->ns -= h.zone_s * STAMP_NS_PER_S;
	return NULL;
}

struct err *filter_init(struct filter *f, const struct options *o)
{
	struct err *err = NULL;

	*f = (struct filter){.op = o->op, .status = o->status};
	f->any = o->host || o->program || o->op || o->status || o->since || o->until;
	if (o->host)
		err = take_host(f, o->host);
	if (!err && o->program)
		err = take_program(f, o->program);
	if (!err && o->since)
		err = take_time(&f->since, "--since", o->since);
	if (!err && o->until)
		err = take_time(&f->until, "--until", o->until);
	return err;
}

/* --- what is wanted --- */

/* How far the stamp is behind the bound; 0 when it is not set. */
static int64_t behind_ns(const struct filter_time *t, struct stamp at)
{
	int64_t day_ns = SECONDS_PER_DAY * STAMP_NS_PER_S;
	int64_t ns = t->daily ? ((at.ns % day_ns) + day_ns) % day_ns : at.ns;

	return t->set ? (ns > t->ns) - (ns < t->ns) : 0;
}

bool filter_takes(const struct filter *f, struct stamp at, const struct endpoint *a,
		  const struct endpoint *b)
{
	if (!f->any)
		return true;
	if ((f->since.set || f->until.set) &&
	    (at.clock != CLOCK_UTC || behind_ns(&f->since, at) < 0 || behind_ns(&f->until, at) > 0))
		return false;
	return !f->has_host || (a && endpoint_same_host(&f->host, a)) ||
	       (b && endpoint_same_host(&f->host, b));
}

/* "BADSESSION" is NFS4ERR_BADSESSION as well; "error" is all but success, "none" is no reply. */
static bool status_is(const struct filter *f, const struct strbuf *name, bool is_error)
{
	const char *text = strbuf_text(name), *tail = strchr(text, '_');

	if (strcasecmp(f->status, "error") == 0)
		return name->len && is_error;
	if (strcasecmp(f->status, "none") == 0)
		return name->len == 0;
	return strcasecmp(f->status, text) == 0 || (tail && strcasecmp(f->status, tail + 1) == 0);
}

static bool call_op_is(const struct filter *f, const struct rpc_call *c, struct strbuf *name)
{
	label_add_procedure(name, c->is_callback, c->program, c->version, c->procedure);
	if (c->has_call && strcasecmp(f->op, strbuf_text(name)) == 0)
		return true;
	for (uint32_t i = 0; i < c->ops_len; i++) {
		strbuf_reset(name);
		label_add_op(name, c->is_callback, c->ops[i].op);
		if (strcasecmp(f->op, strbuf_text(name)) == 0)
			return true;
	}
	return false;
}

static bool call_status_is(const struct filter *f, const struct rpc_call *c, struct strbuf *name)
{
	bool failed = c->outcome != RPC_SUCCESS || (c->has_status && c->status != 0);

	label_add_call_status(name, c);
	if (status_is(f, name, failed))
		return true;
	for (uint32_t i = 0; i < c->ops_len && c->outcome == RPC_SUCCESS; i++) {
		strbuf_reset(name);
		label_add_nfs4_status(name, c->ops[i].status);
		if (name->len && status_is(f, name, c->ops[i].status != 0))
			return true;
	}
	return false;
}

static bool takes_program(const struct filter *f, const struct rpc_call *c)
{
	enum { CALLBACK = 0x40000000 };

	return !f->has_program || (c->has_call && (c->program == f->program ||
						   (c->is_callback && f->program == CALLBACK)));
}

static bool takes_place(const struct filter *f, const struct rpc_call *c)
{
	return takes_program(f, c) && filter_takes(f, c->has_call ? c->origin.at : c->reply.at,
						   &c->conn->client, &c->conn->server);
}

bool filter_takes_call(const struct filter *f, const struct rpc_call *c)
{
	struct strbuf name;
	bool taken;

	if (!f->any)
		return true;
	if (!takes_place(f, c))
		return false;
	strbuf_init(&name);
	taken = !f->op || call_op_is(f, c, &name);
	strbuf_reset(&name);
	taken = taken && (!f->status || call_status_is(f, c, &name));
	strbuf_deinit(&name);
	return taken;
}

bool filter_takes_op(const struct filter *f, const struct rpc_call *c, uint32_t index)
{
	struct strbuf name;
	bool taken = true;

	if (!f->any)
		return true;
	if (!takes_place(f, c))
		return false;
	strbuf_init(&name);
	if (f->op) {
		label_add_op(&name, c->is_callback, c->ops[index].op);
		taken = strcasecmp(f->op, strbuf_text(&name)) == 0;
		strbuf_reset(&name);
	}
	if (taken && f->status) {
		label_add_nfs4_status(&name, c->ops[index].status);
		taken = status_is(f, &name, c->ops[index].status != 0);
	}
	strbuf_deinit(&name);
	return taken;
}

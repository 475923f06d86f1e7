// SPDX-License-Identifier: GPL-2.0-or-later
/* See counters.h. */
#include "ingest/counters.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/vec.h"
#include "evidence/line/mount_line.h"
#include "evidence/mountstats.h"
#include "ingest/log/log_facts.h"

enum { LINE_BYTES_MAX = 8192 };

/* Fields of a line "xprt:" (xs_tcp_print_stats): UDP has neither times nor a backlog before. */
enum { TCP_PORT = 0, TCP_CONNECTS = 2, TCP_SENDS = 5, TCP_VALUES_MIN = 10, UDP_VALUES_MIN = 7 };

struct counters_entry {
	struct mount_stats stats; /* its texts and its table lie in the arena */
	uint32_t evidence;
	uint64_t line; /* of its head */
};

struct counters {
	struct arena arena;
	struct vec entries; /* struct counters_entry: those that are complete */
	struct vec ops;     /* struct mount_op_stats: of the one that is being read */
	struct counters_entry now;
	bool open; /* `now` has begun */
};

struct counters *counters_create(void)
{
	struct counters *c = mem_alloc(1, sizeof(*c));

	arena_init(&c->arena);
	vec_init(&c->entries, sizeof(struct counters_entry));
	vec_init(&c->ops, sizeof(struct mount_op_stats));
	return c;
}

void counters_destroy(struct counters *c)
{
	if (!c)
		return;
	vec_deinit(&c->ops);
	vec_deinit(&c->entries);
	arena_deinit(&c->arena);
	free(c);
}

static struct slice keep(struct counters *c, struct slice s)
{
	return slice_make(arena_copy(&c->arena, s.ptr, s.len), s.len);
}

/* What was read of a mount is complete: the next one begins, or the text is over. */
static void close_entry(struct counters *c)
{
	struct mount_stats *s = &c->now.stats;
	struct mount_op_stats *ops;

	if (c->open && c->ops.len) {
		ops = arena_alloc(&c->arena, c->ops.len * sizeof(*ops));
		memcpy(ops, c->ops.items, c->ops.len * sizeof(*ops));
		s->ops = ops;
		s->ops_len = (uint32_t)c->ops.len;
		*(struct counters_entry *)vec_push(&c->entries) = c->now;
	}
	c->ops.len = 0;
	c->open = false;
}

static void open_entry(struct counters *c, uint32_t evidence, uint64_t line,
		       const struct mount_fact *fact)
{
	struct mount_fact *kept = &c->now.stats.mount;

	close_entry(c);
	if (c->entries.len == COUNTERS_MAX)
		return;
	c->open = true;
	c->now = (struct counters_entry){.evidence = evidence, .line = line};
	kept->server = keep(c, fact->server);
	kept->export = keep(c, fact->export);
	kept->mount_point = keep(c, fact->mount_point);
	kept->fstype = keep(c, fact->fstype);
}

static void take_options(struct counters *c, const struct mount_fact *fact)
{
	struct mount_fact *kept = &c->now.stats.mount;
	struct slice addr = mount_option_value(fact->options, "addr");
	struct slice client = mount_option_value(fact->options, "clientaddr");

	kept->options = keep(c, fact->options);
	kept->has_client = client.len && log_address_parse(client, &kept->client_at);
	kept->server_is_address = (addr.len && log_address_parse(addr, &kept->server_at)) ||
				  log_address_parse(kept->server, &kept->server_at);
}

static void take_xprt(struct mount_xprt_stats *x, const struct mountstats_line *l)
{
	bool udp = slice_equal(l->name, slice_of_string("udp"));
	uint32_t sends = udp ? 2 : TCP_SENDS;

	if (l->len < (udp ? UDP_VALUES_MIN : TCP_VALUES_MIN))
		return;
	if (x->count++ == 0)
		x->port = l->values[TCP_PORT];
	x->connects += udp ? 0 : l->values[TCP_CONNECTS];
	x->sends += l->values[sends];
	x->receives += l->values[sends + 1];
	x->bad_xids += l->values[sends + 2];
	x->backlog += l->values[sends + 4];
	if (l->len > sends + 6) {
		x->max_slots += l->values[sends + 5];
		x->sending_queue += l->values[sends + 6];
	}
}

static void take_op(struct counters *c, uint64_t line, const struct mountstats_line *l)
{
	struct mount_op_stats *op;

	if (l->values[0] == 0 || c->ops.len == MOUNT_OPS_MAX)
		return;
	op = vec_push(&c->ops);
	memcpy(op->name, l->name.ptr, l->name.len);
	op->line = line;
	op->calls = l->values[0];
	op->transmissions = l->values[1];
	op->timeouts = l->values[2];
	op->sent_bytes = l->values[3];
	op->received_bytes = l->values[4];
	op->queue_ms = l->values[5];
	op->rtt_ms = l->values[6];
	op->execute_ms = l->values[7];
	op->errors = l->len > 8 ? l->values[8] : 0;
}

static bool take_stats(struct counters *c, uint64_t line, struct slice text)
{
	struct mount_stats *s = &c->now.stats;
	struct mountstats_line l;

	mountstats_parse(text, &l);
	switch (l.kind) {
	case MOUNTSTATS_OTHER:
		break;
	case MOUNTSTATS_AGE:
		s->age_s = l.values[0];
		s->has_age = true;
		break;
	case MOUNTSTATS_EVENTS:
		memcpy(s->events, l.values, l.len * sizeof(l.values[0]));
		s->events_len = l.len;
		break;
	case MOUNTSTATS_XPRT:
		take_xprt(&s->xprt, &l);
		break;
	case MOUNTSTATS_OP:
		take_op(c, line, &l);
		break;
	}
	return l.kind != MOUNTSTATS_OTHER;
}

bool counters_take_line(struct counters *c, uint32_t evidence, uint64_t line, struct slice text)
{
	static const char head[] = "device ";
	struct mount_fact fact;

	if (text.len > LINE_BYTES_MAX)
		text.len = LINE_BYTES_MAX;
	if (c->open && c->now.evidence != evidence)
		close_entry(c);
	/* A mount of another file system ends the one before it. */
	if (text.len > strlen(head) && memcmp(text.ptr, head, strlen(head)) == 0) {
		if (mount_line_parse(text, &fact) == MOUNT_LINE_DEVICE)
			open_entry(c, evidence, line, &fact);
		else
			close_entry(c);
		return true;
	}
	if (!c->open)
		return false;
	if (c->now.stats.mount.options.len == 0 &&
	    mount_line_parse(text, &fact) == MOUNT_LINE_OPTIONS) {
		take_options(c, &fact);
		return true;
	}
	return take_stats(c, line, text);
}

void counters_emit(struct counters *c, const struct event_board *board)
{
	close_entry(c);
	for (size_t i = 0; i < c->entries.len; i++) {
		const struct counters_entry *e = vec_at(&c->entries, i);
		struct event event = {
			.kind = EVENT_MOUNT_STATS,
			.at = {.evidence = e->evidence, .frame = e->line, .at = stamp_none()},
			.mount_stats = &e->stats,
		};

		event_emit(board, &event);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See filter.h. */
#include "model/filter.h"

static void take_filter(void *context, const struct event *e)
{
	struct filter_model *m = context;
	struct filter_record *r;

	if (m->records.len == FILTER_RECORDS_MAX) {
		m->dropped++;
		return;
	}
	r = arena_alloc(&m->arena, sizeof(*r));
	*r = (struct filter_record){.at = e->at, .fact = *e->filter};
	r->fact.text = slice_make(arena_copy(&m->arena, e->filter->text.ptr, e->filter->text.len),
				  e->filter->text.len);
	*(struct filter_record **)vec_push(&m->records) = r;
}

void filter_model_init(struct filter_model *m)
{
	*m = (struct filter_model){0};
	arena_init(&m->arena);
	vec_init(&m->records, sizeof(struct filter_record *));
}

void filter_model_deinit(struct filter_model *m)
{
	vec_deinit(&m->records);
	arena_deinit(&m->arena);
}

void filter_model_attach(struct filter_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_FILTER, take_filter, m);
}

static bool filter_has_port(const struct filter_ports *ports, uint16_t port)
{
	for (uint8_t i = 0; i < ports->len; i++)
		if (port >= ports->ranges[i].from && port <= ports->ranges[i].to)
			return true;
	return ports->len == 0;
}

static bool filter_has_address(const struct filter_net *net, const struct endpoint *e)
{
	for (uint8_t bit = 0; bit < net->bits; bit++) {
		uint8_t differ = net->at.addr[bit / 8] ^ e->addr[bit / 8];

		if (differ & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

bool filter_matches(const struct filter_fact *rule, const struct filter_segment *segment)
{
	return !rule->is_other && filter_has_port(&rule->sport, segment->src.port) &&
	       filter_has_port(&rule->dport, segment->dst.port) &&
	       filter_has_address(&rule->src, &segment->src) &&
	       filter_has_address(&rule->dst, &segment->dst) &&
	       (segment->flags & rule->flags_mask) == rule->flags;
}

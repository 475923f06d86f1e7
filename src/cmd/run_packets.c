// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of packets in texts, of Wireshark or tcpdump: they are read as captures are, where there is
 * none. Beside one they would tell the same once more, with other numbers.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/run_private.h"

enum { NOTE_BYTES = 256 };

bool run_packets_end_text(struct run *r, const char *path, uint32_t evidence)
{
	struct run_packets t = {.path = arena_text(&r->evidence.arena, path), .evidence = evidence};

	packet_list_end_text(r->packets, t.path, &t.stats, &t.capture);
	if (t.stats.rows == 0)
		return false;
	*(struct run_packets *)vec_push(&r->packet_texts) = t;
	return true;
}

static void note(struct run *r, uint32_t evidence, const struct packet_list_stats *s)
{
	char text[NOTE_BYTES];

	snprintf(text, sizeof(text),
		 "is a list of packets and no capture: of its %" PRIu64
		 " rows the headers of %" PRIu64
		 " TCP segments are read, and what they tell is likely at most",
		 s->rows, s->segments);
	evidence_add_note(&r->evidence, evidence, text);
	if (s->gaps)
		evidence_add_note(&r->evidence, evidence,
				  "it leaves packets out: only segments without data are taken, of "
				  "connections of which it shows both directions");
	evidence_add_note(&r->evidence, evidence,
			  s->dated ? "its times tell no zone: UTC is taken"
				   : "its times tell no date: they are written as of 1970");
	if (s->dropped)
		evidence_add_damage(&r->evidence, evidence, "rows beyond those that are kept",
				    s->dropped, UINT64_MAX, 0);
}

static void use(struct run *r, struct run_packets *t)
{
	uint32_t evidence = (uint32_t)r->evidence.items.len;
	struct run_input *input = vec_push(&r->inputs);

	*input = (struct run_input){.capture = t->capture, .evidence = evidence};
	t->capture = NULL;
	evidence_list_add(&r->evidence, t->path, EVIDENCE_PACKET_LIST)->partial =
		t->stats.gaps || t->stats.dropped;
	note(r, evidence, &t->stats);
	r->undated |= !t->stats.dated;
}

static void leave(struct run *r, const struct run_packets *t, bool captures)
{
	const char *why = captures ? "holds a list of packets: not used, as there are captures"
				   : "holds a list of packets: not used, as it leaves packets out "
				     "and shows no segments without data of both directions";

	if (t->evidence != UINT32_MAX)
		evidence_add_note(&r->evidence, t->evidence, why);
	else
		run_refuse(r, t->path, why);
}

void run_packets_settle(struct run *r)
{
	bool captures = r->inputs.len != 0;

	for (size_t i = 0; i < r->packet_texts.len; i++) {
		struct run_packets *t = vec_at(&r->packet_texts, i);

		if (!captures && t->capture)
			use(r, t);
		else
			leave(r, t, captures);
	}
}

void run_packets_deinit(struct run *r)
{
	for (size_t i = 0; i < r->packet_texts.len; i++)
		capture_destroy(((struct run_packets *)vec_at(&r->packet_texts, i))->capture);
	vec_deinit(&r->packet_texts);
	packet_list_destroy(r->packets);
}

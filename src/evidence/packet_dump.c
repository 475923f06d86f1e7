// SPDX-License-Identifier: GPL-2.0-or-later
/* See packet_dump.h. */
#include "evidence/packet_dump.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/stamp.h"
#include "evidence/text_scan.h"

enum {
	WORDS_BEFORE_MAX = 40, /* with -e and tags, between the time and the addresses */
	WORD_BYTES_MAX = 80,
	CLOCK_BYTES = 8, /* 12:34:56 */
	SCALE_MAX = 14,
	PACKET_BYTES_MAX = 1 << 20,
	NUMBERS_NEAR = 1 << 24, /* bytes that a connection has had when it is seen again */
	FLAG_FIN = 1,
	FLAG_SYN = 2,
	FLAG_ACK = 16,
};

#define DAY_NS      (86400 * STAMP_NS_PER_S)
#define MIDNIGHT_NS (DAY_NS / 2)

/* --- a line --- */

/* "10.0.0.1.2049" or "2001:db8::1.nfs"; port 0: an address alone. */
static bool endpoint_take(struct slice word, uint8_t *address, bool *is_v6, uint16_t *port)
{
	size_t point = word.len;

	*port = 0;
	if (word.len > WORD_BYTES_MAX)
		return false;
	while (point > 0 && word.ptr[point - 1] != '.')
		point--;
	if (point > 1 && packet_line_address(slice_make(word.ptr, point - 1), address, is_v6))
		return packet_line_port(text_after(word, point), port);
	return packet_line_address(word, address, is_v6);
}

/* Up to the destination; false: there are no two addresses. *ports: both have one. */
static bool addresses_take(struct slice *rest, struct packet_line *out, bool *ports)
{
	struct slice word = text_word(rest);
	bool is_v6;

	for (int i = 0; i < WORDS_BEFORE_MAX && word.len; i++) {
		struct slice next = text_word(rest);

		if (slice_equal(next, slice_of_string(">")) &&
		    endpoint_take(word, out->source, &out->is_v6, &out->source_port)) {
			word = text_word(rest);
			if (word.len && word.ptr[word.len - 1] == ':')
				word.len--;
			*ports = false;
			if (!endpoint_take(word, out->destination, &is_v6,
					   &out->destination_port) ||
			    is_v6 != out->is_v6)
				return false;
			*ports = out->source_port && out->destination_port;
			return true;
		}
		word = next;
	}
	return false;
}

/* The date and the time, or one number, that stand first. */
static bool time_take(struct slice *rest, struct packet_line *out, bool *is_clock)
{
	struct slice word = text_word(rest);
	struct slice time;
	struct slice after;

	*is_clock = false;
	if (packet_line_seconds(word, out) && out->dated)
		return true;
	if (word.len > CLOCK_BYTES && word.ptr[2] == ':' && word.ptr[5] == ':') {
		*is_clock = true;
		out->dated = false;
		return packet_line_clock(word, &out->ns);
	}
	after = *rest;
	time = text_word(&after);
	if (!packet_line_date(word, time, out))
		return false;
	*rest = after;
	return true;
}

static uint8_t flags_take(struct slice info)
{
	static const char names[] = "FSRP.U";
	uint8_t flags = 0;

	for (size_t i = 0; i < info.len && info.ptr[i] != ']'; i++) {
		const char *at = memchr(names, info.ptr[i], sizeof(names) - 1);

		if (at)
			flags |= (uint8_t)(1 << (at - names));
	}
	return flags;
}

static bool segment_parse(struct slice info, struct packet_line *out)
{
	struct slice length = text_find(info, ", length ");
	uint32_t scale = 0;

	if (!text_begins(info, "Flags [") || length.len == 0 ||
	    !packet_line_number(length, ", length ", &out->length) ||
	    out->length > PACKET_BYTES_MAX)
		return false;
	info.len -= length.len; /* what follows is of another layer */
	out->flags = flags_take(text_after(info, strlen("Flags [")));
	out->has_seq = packet_line_number(info, ", seq ", &out->seq);
	if ((out->flags & FLAG_ACK) && !packet_line_number(info, ", ack ", &out->ack))
		return false;
	packet_line_number(info, ", win ", &out->window);
	packet_line_number(info, "mss ", &out->mss);
	if (packet_line_number(info, "wscale ", &scale) && scale <= SCALE_MAX)
		out->scale = UINT32_C(1) << scale;
	out->sack_permitted = text_holds(info, "sackOK");
	out->has_times = packet_line_number(info, "TS val ", &out->time) &&
			 packet_line_number(info, " ecr ", &out->echo);
	return out->has_seq || (out->flags & FLAG_ACK);
}

/* Times of the day go on behind midnight; whether they are such is known at the end only. */
static void clock_take(struct packet_dump *d, struct packet_line *t)
{
	if (!d->begun)
		d->from_zero = t->ns == 0;
	else if (t->ns < d->last_ns)
		d->fell = true;
	d->last_ns = t->ns;
	if (d->sum_ns < INT64_MAX - DAY_NS)
		d->sum_ns += t->ns;
	t->sum_ns = d->sum_ns;
}

/* The line that has the time. */
static bool head_parse(struct packet_dump *d, struct slice *rest, struct packet_line *out)
{
	int64_t before = d->last_ns;
	bool is_clock;

	if (!time_take(rest, out, &is_clock))
		return false;
	if (!is_clock)
		return true;
	clock_take(d, out);
	if (d->begun && out->ns < before - MIDNIGHT_NS && d->day_ns < INT64_MAX - 2 * DAY_NS)
		d->day_ns += DAY_NS;
	out->ns += d->day_ns;
	d->begun = true;
	return true;
}

bool packet_dump_parse(struct packet_dump *d, struct slice text, struct packet_line *out)
{
	struct slice rest = text_trim(text);
	bool open = d->open;
	bool ports;

	*out = (struct packet_line){.kind = PACKET_LINE_OTHER};
	d->open = false;
	if (rest.len == 0 || !(text_is_digit(rest.ptr[0]) || open))
		return false;
	if (open && text.ptr[0] == ' ' && !(rest.len > 2 && rest.ptr[2] == ':')) {
		*out = d->front;
	} else {
		struct packet_dump was = *d;

		if (!head_parse(d, &rest, out))
			return false;
		if (text_holds(rest, "proto ") && !text_holds(rest, " > ")) { /* -v */
			d->open = true;
			d->front = *out;
			return true;
		}
		if (!text_holds(rest, "IP ") && !text_holds(rest, "IP6 ") &&
		    !text_holds(rest, "ethertype ")) {
			*d = was;
			return false;
		}
	}
	if (!addresses_take(&rest, out, &ports)) {
		*out = (struct packet_line){.kind = PACKET_LINE_OTHER};
		return false;
	}
	out->kind = PACKET_LINE_ROW;
	out->is_dump = true;
	if (ports && segment_parse(text_trim(rest), out))
		out->kind = PACKET_LINE_TCP;
	return true;
}

bool packet_dump_counts_deltas(const struct packet_dump *d)
{
	return d->from_zero && d->fell;
}

bool packet_dump_total(struct slice text, uint64_t *out)
{
	struct slice rest = text_trim(text);
	int64_t count;

	if (!text_number(text_word(&rest), &count) ||
	    !slice_equal(text_trim(rest), slice_of_string("packets captured")))
		return false;
	*out = (uint64_t)count;
	return true;
}

/* --- numbers --- */

/* Two ports; [0] is the side that was the first line's source. */
struct talk {
	bool is_v6;
	uint8_t address[2][16];
	uint16_t port[2];
	bool counted; /* tcpdump counts from `base`: see print-tcp.c, tcp_seq_hash */
	uint32_t base[2];
	bool known[2]; /* first: the connection's, which may be a later one with these ports */
	uint32_t first[2];
	uint32_t next[2]; /* relative to it */
};

static bool is_side(const struct talk *k, unsigned side, const uint8_t *address, uint16_t port)
{
	return k->port[side] == port &&
	       memcmp(k->address[side], address, sizeof(k->address[side])) == 0;
}

/* The line's source is this side, and its destination the other one. */
static bool is_from(const struct talk *k, unsigned side, const struct packet_line *t)
{
	return k->is_v6 == t->is_v6 && is_side(k, side, t->source, t->source_port) &&
	       is_side(k, !side, t->destination, t->destination_port);
}

static bool talk_is(const void *item, const void *key)
{
	return is_from(item, 0, key) || is_from(item, 1, key);
}

/* The same in both directions. */
static uint64_t talk_hash(const struct packet_line *t)
{
	return hash_u64(hash_bytes(t->source, sizeof(t->source)), t->source_port) +
	       hash_u64(hash_bytes(t->destination, sizeof(t->destination)), t->destination_port);
}

void packet_numbers_init(struct packet_numbers *n)
{
	map_init(&n->talks, talk_is);
	n->style = NUMBERS_UNDECIDED;
}

void packet_numbers_deinit(struct packet_numbers *n)
{
	struct talk *k;
	size_t i = 0;

	while ((k = map_next(&n->talks, &i)))
		free(k);
	map_deinit(&n->talks);
}

/* NULL: there is no room. */
static struct talk *talk_of(struct packet_numbers *n, const struct packet_line *t, unsigned *side)
{
	uint64_t hash = talk_hash(t);
	struct talk *k = map_find(&n->talks, hash, t);

	if (k) {
		*side = is_from(k, 0, t) ? 0 : 1;
		return k;
	}
	if (n->talks.len == PACKET_NUMBERS_MAX)
		return NULL;
	*side = 0;
	k = mem_alloc(1, sizeof(*k));
	*k = (struct talk){.is_v6 = t->is_v6, .port = {t->source_port, t->destination_port}};
	memcpy(k->address[0], t->source, sizeof(k->address[0]));
	memcpy(k->address[1], t->destination, sizeof(k->address[1]));
	map_add(&n->talks, hash, k);
	return k;
}

/*
 * With -S nothing is counted: the first segments of the list tell whether this acknowledgement is
 * near to its base, or to the SYN, whose number is never counted.
 */
static void numbers_decide(struct packet_numbers *n, const struct talk *k, unsigned side,
			   uint32_t number)
{
	if (n->style != NUMBERS_UNDECIDED)
		return;
	if (number < NUMBERS_NEAR)
		n->style = NUMBERS_COUNTED;
	else if (number - k->base[side] < NUMBERS_NEAR ||
		 (k->known[side] && number - k->first[side] < NUMBERS_NEAR))
		n->style = NUMBERS_ABSOLUTE;
}

/* The numbers as they were in the header; where a base is not told, it is taken for 0. */
static void make_absolute(struct packet_numbers *n, struct talk *k, unsigned side,
			  struct packet_line *t)
{
	bool first = !k->counted || (t->flags & FLAG_SYN);

	if (!(t->flags & FLAG_ACK)) /* never counted */
		return;
	if (first) {
		k->counted = true;
		k->base[side] = t->has_seq ? t->seq : 0;
		k->base[!side] = t->ack - 1;
		return;
	}
	numbers_decide(n, k, !side, t->ack);
	if (n->style == NUMBERS_ABSOLUTE)
		return;
	t->seq += k->base[side];
	t->ack += k->base[!side];
}

static void begin(struct talk *k, unsigned side, uint32_t first)
{
	k->first[side] = first;
	k->known[side] = true;
	k->next[side] = 0;
}

bool packet_numbers_take(struct packet_numbers *n, struct packet_line *t)
{
	unsigned side;
	struct talk *k = talk_of(n, t, &side);
	uint32_t end;

	if (!k)
		return false;
	make_absolute(n, k, side, t);
	if (t->flags & FLAG_SYN) {
		t->again = k->known[side] && k->first[side] == t->seq;
		begin(k, side, t->seq);
		k->known[!side] = k->known[!side] && t->again;
	}
	if (!k->known[side])
		begin(k, side, t->has_seq ? t->seq : k->base[side]);
	if (!k->known[!side] && (t->flags & FLAG_ACK)) {
		begin(k, !side, t->ack - 1);
		k->next[!side] = 1;
	}
	t->seq = t->has_seq ? t->seq - k->first[side] : k->next[side];
	t->ack = t->flags & FLAG_ACK ? t->ack - k->first[!side] : 0;
	end = t->seq + t->length + (t->flags & (FLAG_FIN | FLAG_SYN) ? 1 : 0);
	if ((int32_t)(end - k->next[side]) > 0)
		k->next[side] = end;
	return true;
}

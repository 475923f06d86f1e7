// SPDX-License-Identifier: GPL-2.0-or-later
/* See packet_list.h. The capture is a pcap file in memory (RFC 791, 8200, 9293 for its packets). */
#include "evidence/packet_list.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "evidence/line/packet_line.h"
#include "evidence/packet_dump.h"

enum {
	PCAP_SNAP_BYTES = 65535,
	LINKTYPE_RAW = 101, /* an IP header first */
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	TCP_BYTES = 20,
	TCP_OPTIONS_MAX = 24,
	TCP_PROTOCOL = 6,
	HEADERS_MAX = IPV6_BYTES + TCP_BYTES + TCP_OPTIONS_MAX,
	HOPS = 64,
	FLAG_SYN = 2,
	FLAG_ACK = 16,
	SCALE_MAX = 14,
	WINDOW_MAX = 65535,
	IP_BYTES_MAX = 65535,
	DIRECTIONS_MAX = 1024,
};

/* Between the first sequence numbers of connections between the same ports. */
#define SEQ_STEP UINT32_C(0x08000000)
/* Of a pcap file with nanoseconds. */
#define PCAP_MAGIC_NS UINT32_C(0xa1b23c4d)

struct row {
	struct packet_line told;
	uint64_t line;
};

/* From one port to another. */
struct way {
	bool is_v6;
	uint8_t address[2][16]; /* as in struct packet_line; [0] sends */
	uint16_t port[2];
};

struct direction {
	struct way way;
	uint32_t base; /* of its sequence numbers */
	bool begun;
};

struct packet_list {
	struct vec rows; /* struct row, segments only */
	struct packet_list_stats stats;
	uint64_t last_number;
	bool undated;
	struct packet_dump dump;
	uint64_t dump_rows, captured; /* of them, as tcpdump says at its end; 0: it does not */
};

struct packet_list *packet_list_create(void)
{
	struct packet_list *p = mem_alloc(1, sizeof(*p));

	vec_init(&p->rows, sizeof(struct row));
	return p;
}

void packet_list_destroy(struct packet_list *p)
{
	if (!p)
		return;
	vec_deinit(&p->rows);
	free(p);
}

bool packet_list_take_line(struct packet_list *p, uint64_t line, struct slice text)
{
	struct packet_line told;

	if (text.len > PACKET_LIST_LINE_BYTES_MAX)
		text.len = PACKET_LIST_LINE_BYTES_MAX;
	if (packet_dump_parse(&p->dump, text, &told)) {
		if (told.kind == PACKET_LINE_OTHER)
			return true;
		p->dump_rows++;
	} else {
		packet_line_parse(text, &told);
		if (told.kind == PACKET_LINE_OTHER)
			return p->dump_rows && packet_dump_total(text, &p->captured);
		if (told.kind == PACKET_LINE_HEAD)
			return true;
	}
	p->stats.gaps |= told.number == 0 || (p->stats.rows && told.number != p->last_number + 1);
	p->last_number = told.number;
	p->undated |= !told.dated;
	p->stats.rows++;
	if (told.kind != PACKET_LINE_TCP)
		return true;
	if (p->rows.len == PACKET_LIST_ROWS_MAX)
		p->stats.dropped++;
	else
		*(struct row *)vec_push(&p->rows) = (struct row){.told = told, .line = line};
	return true;
}

static int row_order(const void *a, const void *b)
{
	const struct row *x = a;
	const struct row *y = b;

	if (x->told.ns != y->told.ns)
		return x->told.ns < y->told.ns ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

/* Of the line, or the way back. */
static struct way way_of(const struct packet_line *t, bool back)
{
	struct way w = {.is_v6 = t->is_v6};

	w.port[back] = t->source_port;
	w.port[!back] = t->destination_port;
	memcpy(w.address[back], t->source, sizeof(t->source));
	memcpy(w.address[!back], t->destination, sizeof(t->destination));
	return w;
}

static uint64_t way_hash(const struct way *w)
{
	return hash_u64(hash_bytes(w->address, sizeof(w->address)),
			(uint64_t)w->port[0] << 17 | (uint64_t)w->port[1] << 1 | w->is_v6);
}

static bool direction_is(const void *item, const void *key)
{
	const struct way *a = &((const struct direction *)item)->way, *b = key;

	return a->is_v6 == b->is_v6 && a->port[0] == b->port[0] && a->port[1] == b->port[1] &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* NULL: no room for one more. */
static struct direction *direction_of(struct map *directions, const struct packet_line *t)
{
	struct way way = way_of(t, false);
	uint64_t hash = way_hash(&way);
	struct direction *d = map_find(directions, hash, &way);

	if (d || directions->len == DIRECTIONS_MAX)
		return d;
	d = mem_alloc(1, sizeof(*d));
	d->way = way;
	map_add(directions, hash, d);
	return d;
}

static struct direction *direction_back(const struct map *directions, const struct packet_line *t)
{
	struct way way = way_of(t, true);

	return map_find(directions, way_hash(&way), &way);
}

static void directions_deinit(struct map *directions)
{
	struct direction *d;
	size_t i = 0;

	while ((d = map_next(directions, &i)))
		free(d);
	map_deinit(directions);
}

/* --- the packets --- */

static uint8_t *put(uint8_t *at, uint64_t value, size_t bytes)
{
	for (size_t i = bytes; i-- > 0; value >>= 8)
		at[i] = (uint8_t)value;
	return at + bytes;
}

static uint8_t *put_options(uint8_t *at, const struct packet_line *t)
{
	uint8_t *start = at;
	uint32_t scale = 0;

	if (t->mss && (t->flags & FLAG_SYN))
		at = put(put(at, 0x0204, 2), t->mss, 2);
	if (t->sack_permitted && (t->flags & FLAG_SYN))
		at = put(at, 0x0402, 2);
	if (t->has_times)
		at = put(put(put(at, 0x080a, 2), t->time, 4), t->echo, 4);
	while (scale < SCALE_MAX && (UINT32_C(2) << scale) <= t->scale)
		scale++;
	if (t->scale && (t->flags & FLAG_SYN))
		at = put(put(at, 0x0303, 2), scale, 1);
	while ((at - start) % 4)
		*at++ = 1;
	return at;
}

static uint8_t *put_ip(uint8_t *at, const struct packet_line *t, size_t tcp_bytes, uint32_t id)
{
	size_t address = t->is_v6 ? 16 : 4;
	size_t most = IP_BYTES_MAX - (t->is_v6 ? 0 : IPV4_BYTES);

	if (tcp_bytes > most) /* joined by the network card */
		tcp_bytes = most;

	if (t->is_v6) {
		at = put(put(at, 0x60000000, 4), tcp_bytes, 2);
		at = put(put(at, TCP_PROTOCOL, 1), HOPS, 1);
	} else {
		at = put(put(put(at, 0x4500, 2), tcp_bytes + IPV4_BYTES, 2), id, 2);
		at = put(put(put(put(at, 0x4000, 2), HOPS, 1), TCP_PROTOCOL, 1), 0, 2);
	}
	memcpy(at, t->source, address);
	memcpy(at + address, t->destination, address);
	return at + 2 * address;
}

/* The headers of the segment; its data are told by their length alone. Returns the bytes written.
 */
static size_t put_packet(uint8_t *out, const struct packet_line *t, uint32_t base, uint32_t back,
			 uint32_t id)
{
	uint8_t tcp[TCP_BYTES + TCP_OPTIONS_MAX];
	uint8_t *end = put_options(tcp + TCP_BYTES, t);
	size_t tcp_bytes = (size_t)(end - tcp);
	uint32_t window = t->window > WINDOW_MAX ? WINDOW_MAX : t->window;
	uint8_t *at = put(put(tcp, t->source_port, 2), t->destination_port, 2);

	at = put(put(at, t->seq + base, 4), t->flags & FLAG_ACK ? t->ack + back : 0, 4);
	at = put(put(put(at, tcp_bytes / 4 << 4, 1), t->flags, 1), window, 2);
	put(at, 0, 4);
	at = put_ip(out, t, tcp_bytes + t->length, id);
	memcpy(at, tcp, tcp_bytes);
	return (size_t)(at - out) + tcp_bytes;
}

/* Whether the segment is taken, if from a list that leaves packets out. */
static bool is_sure(struct map *directions, const struct packet_line *t, bool gaps)
{
	return direction_of(directions, t) &&
	       (!gaps || (t->length == 0 && direction_back(directions, t)));
}

static void add_record(struct strbuf *pcap, struct map *directions, const struct packet_line *t,
		       uint32_t id)
{
	struct direction *d = direction_of(directions, t);
	const struct direction *back = direction_back(directions, t);
	uint32_t record[4]; /* in the byte order of this machine, as the file's header tells */
	uint8_t bytes[HEADERS_MAX];
	size_t len;

	if ((t->flags & FLAG_SYN) && !t->again) {
		d->base += d->begun ? SEQ_STEP : 0;
		d->begun = true;
	}
	len = put_packet(bytes, t, d->base, back ? back->base : 0, id);
	record[0] = (uint32_t)(t->ns / STAMP_NS_PER_S);
	record[1] = (uint32_t)(t->ns % STAMP_NS_PER_S);
	record[2] = (uint32_t)len;
	record[3] = (uint32_t)len + t->length;
	strbuf_add(pcap, record, sizeof(record));
	strbuf_add(pcap, bytes, len);
}

static struct capture *make_capture(struct packet_list *p, const char *path)
{
	static const uint32_t head[] = {PCAP_MAGIC_NS,   2 | 4 << 16, 0, 0,
					PCAP_SNAP_BYTES, LINKTYPE_RAW};
	uint64_t *lines = mem_alloc(p->rows.len + 1, sizeof(*lines));
	struct map directions;
	struct capture *capture = NULL;
	struct strbuf pcap;

	map_init(&directions, direction_is);
	strbuf_init(&pcap);
	strbuf_add(&pcap, head, sizeof(head));
	for (size_t i = 0; i < p->rows.len; i++)
		direction_of(&directions, &((const struct row *)vec_at(&p->rows, i))->told);
	for (size_t i = 0; i < p->rows.len; i++) {
		const struct row *r = vec_at(&p->rows, i);

		if (r->told.kind != PACKET_LINE_TCP ||
		    !is_sure(&directions, &r->told, p->stats.gaps))
			continue;
		lines[p->stats.segments++] = r->line;
		add_record(&pcap, &directions, &r->told, (uint32_t)i);
	}
	directions_deinit(&directions);
	if (p->stats.segments == 0) {
		strbuf_deinit(&pcap);
		free(lines);
		return NULL;
	}
	err_destroy(capture_open_lines(&pcap, path, lines, (size_t)p->stats.segments, &capture));
	return capture;
}

/* What tcpdump prints, in its order: as if Wireshark had. */
static void number_dump(struct packet_list *p)
{
	struct packet_numbers numbers;
	bool deltas = packet_dump_counts_deltas(&p->dump);

	packet_numbers_init(&numbers);
	for (size_t i = 0; i < p->rows.len; i++) {
		struct packet_line *t = &((struct row *)vec_at(&p->rows, i))->told;

		if (!t->is_dump)
			continue;
		if (!packet_numbers_take(&numbers, t))
			t->kind = PACKET_LINE_ROW;
		if (deltas)
			t->ns = t->sum_ns;
	}
	packet_numbers_deinit(&numbers);
	/* Its own word that it left nothing out. */
	if (p->captured && p->captured == p->stats.rows && p->dump_rows == p->stats.rows)
		p->stats.gaps = false;
}

void packet_list_end_text(struct packet_list *p, const char *path, struct packet_list_stats *stats,
			  struct capture **out)
{
	number_dump(p);
	if (p->rows.len)
		qsort(p->rows.items, p->rows.len, p->rows.item_bytes, row_order);
	p->stats.dated = !p->undated;
	*out = p->rows.len ? make_capture(p, path) : NULL;
	*stats = p->stats;
	p->rows.len = 0;
	p->stats = (struct packet_list_stats){0};
	p->last_number = 0;
	p->undated = false;
	p->dump = (struct packet_dump){0};
	p->dump_rows = p->captured = 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Gathering of what the captures hold, and the answers; see survey.h. survey_settle.c decides. */
#include "ingest/survey/survey.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "evidence/capture.h"
#include "ingest/survey/survey_private.h"
#include "proto/packet.h"

enum {
	SURVEY_PREFIX_BYTES = 8,    /* record mark and XID of the first RPC message, if it is one */
	SURVEY_SAMPLES_FEW = 4,     /* what each connection may keep above SURVEY_SAMPLES_TOTAL */
	SURVEY_REORDER_PACKETS = 2, /* a SYN may come this late behind its SYN-ACK */
};

/* The segment that is being looked at. */
struct survey_segment {
	const struct packet *packet;
	uint32_t evidence;
	uint64_t frame;
	int64_t at_ns;
	int direction; /* 0: from the tuple's lower endpoint */
};

static bool survey_tuple_equal(const void *item, const void *key)
{
	const struct survey_tuple *a = item;
	const struct survey_tuple *b = key;

	return a->transport == b->transport && endpoint_equal(&a->low, &b->low) &&
	       endpoint_equal(&a->high, &b->high);
}

struct survey *survey_create(void)
{
	struct survey *s = mem_alloc(1, sizeof(*s));

	map_init(&s->tuples, survey_tuple_equal);
	vec_init(&s->tuple_list, sizeof(struct survey_tuple *));
	vec_init(&s->conns, sizeof(struct survey_conn));
	vec_init(&s->files, sizeof(struct survey_file));
	vec_init(&s->conn_counts, sizeof(uint64_t));
	vec_init(&s->order, sizeof(uint32_t));
	vec_init(&s->pairs, sizeof(struct survey_pair));
	vec_init(&s->shared, sizeof(struct survey_shared));
	return s;
}

void survey_destroy(struct survey *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->conns.len; i++) {
		struct survey_conn *conn = vec_at(&s->conns, i);

		free(conn->samples);
	}
	for (size_t i = 0; i < s->tuple_list.len; i++)
		free(*(struct survey_tuple **)vec_at(&s->tuple_list, i));
	map_deinit(&s->tuples);
	vec_deinit(&s->tuple_list);
	vec_deinit(&s->conns);
	vec_deinit(&s->files);
	vec_deinit(&s->conn_counts);
	vec_deinit(&s->order);
	vec_deinit(&s->pairs);
	vec_deinit(&s->shared);
	free(s);
}

/* The key of two endpoints; returns the direction from src to dst. */
static int survey_tuple_key(enum transport transport, const struct endpoint *src,
			    const struct endpoint *dst, struct survey_tuple *key)
{
	int direction = endpoint_compare(src, dst) > 0;

	*key = (struct survey_tuple){.transport = transport};
	key->low = direction ? *dst : *src;
	key->high = direction ? *src : *dst;
	return direction;
}

static uint64_t survey_endpoint_mix(uint64_t hash, const struct endpoint *e)
{
	uint64_t halves[2];

	memcpy(halves, e->addr, sizeof(halves));
	return survey_mix(survey_mix(survey_mix(hash, halves[0]), halves[1]), e->port);
}

/* Hash of the table: seeded, since evidence chooses the keys. */
static uint64_t survey_tuple_hash(const struct survey_tuple *key)
{
	uint64_t hash = hash_u64(hash_bytes(key->low.addr, sizeof(key->low.addr)),
				 hash_bytes(key->high.addr, sizeof(key->high.addr)));

	return hash_u64(hash, (uint64_t)key->low.port << 32 | (uint64_t)key->high.port << 8 |
				      (uint64_t)key->transport);
}

/* A new connection of this tuple, or NULL when there are too many. */
static struct survey_conn *survey_add_conn(struct survey *s, struct survey_tuple *tuple,
					   const struct survey_segment *segment)
{
	struct survey_conn *conn;

	if (s->conns.len >= SURVEY_CONNS_MAX) {
		s->health.left_out_count++;
		return NULL;
	}
	tuple->latest = (uint32_t)s->conns.len;
	conn = vec_push(&s->conns);
	conn->tuple = tuple->index;
	conn->evidence = segment->evidence;
	conn->first_frame = segment->frame;
	conn->group = tuple->latest;
	conn->speaker = segment->evidence;
	conn->alone_before_ns = INT64_MIN;
	conn->alone_after_ns = INT64_MAX;
	return conn;
}

/* True when a segment with SYN does not belong to the connection that its ports have now. */
static bool survey_syn_is_new(const struct survey_conn *conn, const struct survey_segment *segment)
{
	const struct packet_tcp *tcp = &segment->packet->tcp;
	int direction = segment->direction;

	if (conn->has_isn[direction])
		return conn->isn[direction] != tcp->seq;
	if (tcp->flags & TCP_ACK)
		return !conn->has_isn[!direction];
	/* several queues of a network card may hand the answer to the SYN over before the SYN */
	return !conn->has_isn[!direction] || conn->packets > SURVEY_REORDER_PACKETS;
}

/* The connection that a segment belongs to; NULL: left out. */
static struct survey_conn *survey_find_conn(struct survey *s, struct survey_tuple *tuple,
					    const struct survey_segment *segment)
{
	const struct packet *p = segment->packet;
	struct survey_conn *conn = NULL;
	bool syn = p->kind == PACKET_TCP && (p->tcp.flags & TCP_SYN) != 0;

	if (tuple->latest != UINT32_MAX)
		conn = survey_conn_at(s, tuple->latest);
	if (!conn || conn->evidence != segment->evidence ||
	    (syn && survey_syn_is_new(conn, segment)))
		conn = survey_add_conn(s, tuple, segment);
	if (conn && syn && !conn->has_isn[segment->direction]) {
		conn->has_isn[segment->direction] = true;
		conn->isn[segment->direction] = p->tcp.seq;
	}
	return conn;
}

static void survey_sample_swap(struct survey_sample *a, struct survey_sample *b)
{
	struct survey_sample swap = *a;

	*a = *b;
	*b = swap;
}

static void survey_heap_push(struct survey_conn *conn, const struct survey_sample *sample)
{
	struct survey_sample *heap = conn->samples;
	uint32_t at = conn->sample_count++;

	heap[at] = *sample;
	for (; at > 0 && heap[at].key > heap[(at - 1) / 2].key; at = (at - 1) / 2)
		survey_sample_swap(&heap[at], &heap[(at - 1) / 2]);
}

/* Replaces the sample with the largest key. */
static void survey_heap_replace(struct survey_conn *conn, const struct survey_sample *sample)
{
	struct survey_sample *heap = conn->samples;
	uint32_t at = 0;

	heap[0] = *sample;
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= conn->sample_count)
			return;
		if (child + 1 < conn->sample_count && heap[child + 1].key > heap[child].key)
			child++;
		if (heap[child].key <= heap[at].key)
			return;
		survey_sample_swap(&heap[child], &heap[at]);
		at = child;
	}
}

static bool survey_has_sample(const struct survey_conn *conn, uint64_t key)
{
	for (uint32_t i = 0; i < conn->sample_count; i++) {
		if (conn->samples[i].key == key)
			return true;
	}
	return false;
}

/* Keeps the samples with the smallest keys: two captures of one connection choose the same. */
static void survey_add_sample(struct survey *s, struct survey_conn *conn,
			      const struct survey_sample *sample)
{
	uint32_t max =
		s->sample_total < SURVEY_SAMPLES_TOTAL ? SURVEY_SAMPLES_MAX : SURVEY_SAMPLES_FEW;

	if (conn->sample_count >= max && sample->key >= conn->samples[0].key)
		return;
	/* what is sent again is one sample, with its first time */
	if (survey_has_sample(conn, sample->key))
		return;
	if (conn->sample_count >= max) {
		survey_heap_replace(conn, sample);
		return;
	}
	if (conn->sample_count == conn->sample_cap) {
		conn->sample_cap = conn->sample_cap ? 2 * conn->sample_cap : SURVEY_SAMPLES_FEW;
		conn->samples = mem_resize(conn->samples, conn->sample_cap, sizeof(*conn->samples));
	}
	survey_heap_push(conn, sample);
	s->sample_total++;
}

/* Hash of the payload's first bytes; 0 when they were not captured. */
static uint32_t survey_prefix(const struct packet *p)
{
	uint64_t word = 0;
	size_t len = p->payload_wire_bytes < SURVEY_PREFIX_BYTES ? p->payload_wire_bytes
								 : SURVEY_PREFIX_BYTES;

	if (len == 0 || p->payload.len < len)
		return 0;
	memcpy(&word, p->payload.ptr, len);
	return (uint32_t)survey_mix(len, word) | 1;
}

/*
 * The numbers of a segment are those of its retransmissions and keep-alives too, which stand in the
 * next file when a capture is rotated. Its timestamp (or else IP's identification) makes it this
 * transmission; both stay when it is cut into pieces or joined with others by a network card, and
 * when addresses and ports are translated on the way.
 */
static void survey_sample_tcp(struct survey *s, struct survey_conn *conn,
			      const struct survey_segment *segment)
{
	const struct packet *p = segment->packet;
	struct survey_sample sample = {.prefix = survey_prefix(p),
				       .high = segment->direction != 0,
				       .at_ns = segment->at_ns};
	uint64_t kind = SURVEY_KIND_BARE;

	/* a reset's numbers are often made up */
	if (p->tcp.flags & TCP_RST)
		return;
	if (p->tcp.flags & TCP_SYN)
		kind = SURVEY_KIND_SYN;
	else if (p->payload_wire_bytes > 0)
		kind = SURVEY_KIND_DATA;
	kind = kind << 32 | (p->tcp.has_timestamps ? p->tcp.tsval : p->ip_id);
	sample.key = survey_mix(survey_mix(0, (uint64_t)p->tcp.seq << 32 | p->tcp.ack), kind);
	survey_add_sample(s, conn, &sample);
}

/* Datagrams have no numbers but what they carry: the XID of a call is in the first bytes. */
static void survey_sample_udp(struct survey *s, const struct survey_tuple *tuple,
			      struct survey_conn *conn, const struct survey_segment *segment)
{
	const struct packet *p = segment->packet;
	struct survey_sample sample = {.prefix = survey_prefix(p),
				       .high = segment->direction != 0,
				       .at_ns = segment->at_ns};

	if (sample.prefix == 0)
		return;
	sample.key = survey_mix(tuple->print + (uint64_t)segment->direction,
				(uint64_t)sample.prefix << 32 | p->ip_id);
	sample.key = survey_mix(sample.key, p->payload_wire_bytes);
	survey_add_sample(s, conn, &sample);
}

static struct survey_tuple *survey_add_tuple(struct survey *s, const struct survey_tuple *key,
					     uint64_t hash)
{
	struct survey_tuple *tuple;

	if (s->conns.len >= SURVEY_CONNS_MAX) {
		s->health.left_out_count++;
		return NULL;
	}
	tuple = mem_copy(key, sizeof(*key));
	tuple->index = (uint32_t)s->tuple_list.len;
	tuple->latest = UINT32_MAX;
	tuple->print = survey_endpoint_mix(survey_endpoint_mix((uint64_t)key->transport, &key->low),
					   &key->high);
	*(struct survey_tuple **)vec_push(&s->tuple_list) = tuple;
	map_add(&s->tuples, hash, tuple);
	return tuple;
}

static void survey_add_packet(struct survey *s, struct survey_segment *segment)
{
	const struct packet *p = segment->packet;
	struct endpoint src = {.port = p->src_port};
	struct endpoint dst = {.port = p->dst_port};
	struct survey_tuple key;
	struct survey_tuple *tuple;
	struct survey_conn *conn;
	uint64_t hash;

	memcpy(src.addr, p->src, sizeof(src.addr));
	memcpy(dst.addr, p->dst, sizeof(dst.addr));
	segment->direction = survey_tuple_key(p->kind == PACKET_TCP ? TRANSPORT_TCP : TRANSPORT_UDP,
					      &src, &dst, &key);
	hash = survey_tuple_hash(&key);
	tuple = map_find(&s->tuples, hash, &key);
	if (!tuple)
		tuple = survey_add_tuple(s, &key, hash);
	if (!tuple)
		return;
	conn = survey_find_conn(s, tuple, segment);
	if (!conn)
		return;
	conn->packets++;
	conn->payload_bytes += p->payload.len;
	if (p->kind == PACKET_TCP)
		survey_sample_tcp(s, conn, segment);
	else
		survey_sample_udp(s, tuple, conn, segment);
}

static void survey_note_times(struct survey *s, struct survey_file *file,
			      const struct capture *capture)
{
	struct survey_health *health = &s->health;
	struct capfile_stats stats;

	capture_get_stats(capture, &stats);
	file->first = stats.first;
	file->last = stats.last;
	if (!stamp_known(stats.first))
		return;
	if (!stamp_known(health->first) || stats.first.ns < health->first.ns)
		health->first = stats.first;
	if (!stamp_known(health->last) || stats.last.ns > health->last.ns)
		health->last = stats.last;
}

struct err *survey_add(struct survey *s, uint32_t evidence, const char *path, uint64_t skim_bytes)
{
	struct capture *capture = NULL;
	struct err *err = capture_open(path, &capture);
	struct capfile_packet frame;
	enum capfile_result result;
	struct survey_file *file;
	struct packet packet;

	if (err)
		return err;
	while (s->files.len <= evidence)
		vec_push(&s->files);
	file = vec_at(&s->files, evidence);
	file->is_here = true;
	while ((result = capture_next(capture, &frame)) != CAPFILE_END) {
		struct survey_segment segment = {.packet = &packet, .evidence = evidence};

		if (capture_offset(capture) > skim_bytes) {
			file->partial = true;
			s->health.partial_count++;
			break;
		}
		if (result == CAPFILE_RESYNC)
			continue;
		packet_parse(frame.linktype, frame.bytes, frame.wire_bytes, &packet);
		if (packet.kind != PACKET_TCP && packet.kind != PACKET_UDP)
			continue;
		segment.frame = frame.frame;
		segment.at_ns = frame.at.ns;
		survey_add_packet(s, &segment);
	}
	survey_note_times(s, file, capture);
	capture_destroy(capture);
	s->health.conn_count = s->conns.len;
	return NULL;
}

/* The last of this capture's connections that began with this frame or before; NULL: none. */
static const struct survey_conn *survey_conn_of(const struct survey *s,
						const struct survey_tuple *tuple, uint32_t evidence,
						uint64_t frame)
{
	const struct survey_conn *found = NULL;
	size_t low = 0;
	size_t high = tuple->conn_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct survey_conn *conn =
			survey_conn_at(s, *(uint32_t *)vec_at(&s->order, tuple->conn_at + middle));

		if (conn->evidence > evidence ||
		    (conn->evidence == evidence && conn->first_frame > frame)) {
			high = middle;
		} else {
			found = conn->evidence == evidence ? conn : NULL;
			low = middle + 1;
		}
	}
	return found;
}

struct survey_answer survey_ask(const struct survey *s, const struct provenance *at,
				enum transport transport, const struct endpoint *src,
				const struct endpoint *dst)
{
	uint32_t evidence = at->evidence;
	struct survey_answer answer = {.speaks = true};
	const struct survey_tuple *tuple;
	const struct survey_conn *conn;
	struct survey_tuple key;
	int direction = survey_tuple_key(transport, src, dst, &key);

	tuple = map_find(&s->tuples, survey_tuple_hash(&key), &key);
	if (!tuple)
		return answer;
	if (!survey_file_of(s, evidence)) {
		answer.speaks = tuple->conn_count == 0;
		return answer;
	}
	conn = survey_conn_of(s, tuple, evidence, at->frame);
	if (!conn)
		return answer;
	answer.speaks = conn->speaker == evidence;
	answer.is_known = true;
	answer.conn = conn->group;
	answer.speaker = conn->speaker;
	answer.high = (direction != 0) != conn->flip;
	if (!answer.speaks) {
		int64_t at_ns = survey_add_ns(at->at.ns, survey_shift_ns(s, evidence));

		answer.handed_over = conn->alone_before_ns != INT64_MIN;
		answer.speaks = stamp_known(at->at) &&
				(at_ns < conn->alone_before_ns || at_ns > conn->alone_after_ns);
		answer.is_known = !answer.speaks;
	}
	return answer;
}

const struct survey_pair *survey_pairs(const struct survey *s, size_t *count)
{
	*count = s->pairs.len;
	return s->pairs.items;
}

void survey_get_health(const struct survey *s, struct survey_health *out)
{
	*out = s->health;
}

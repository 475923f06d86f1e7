// SPDX-License-Identifier: GPL-2.0-or-later
/* Reassembly of IP fragments, see ipfrag.h. */
#include "proto/ipfrag.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"

enum {
	IPFRAG_PROTO_IPIP = 4, /* tunnels: see packet_tunnel.c */
	IPFRAG_PROTO_TCP = 6,
	IPFRAG_PROTO_UDP = 17,
	IPFRAG_PROTO_IPV6 = 41,
	IPFRAG_PROTO_GRE = 47,
	IPFRAG_PROTO_DEST_OPTIONS = 60, /* IPv6: TCP or UDP may stand behind it */
	IPFRAG_TOTAL_UNKNOWN = -1,
	IPFRAG_UNIT_BYTES = 8, /* all fragments but the last are multiples of it */
};

/* What tells datagrams apart: RFC 791 (with the protocol), RFC 8200 (without). */
struct ipfrag_key {
	uint8_t src[PACKET_ADDR_BYTES];
	uint8_t dst[PACKET_ADDR_BYTES];
	uint32_t id;
	uint8_t proto; /* 0 in IPv6 */
	uint8_t version;
};

/* Bytes start..end of a datagram are told. */
struct ipfrag_run {
	uint32_t start;
	uint32_t end;
};

struct ipfrag_datagram {
	struct ipfrag_key key;
	uint64_t hash;
	struct ipfrag_datagram *older;
	struct ipfrag_datagram *newer;
	int64_t first_ns;
	struct packet head; /* of the first fragment at offset 0, once there */
	uint8_t *bytes;
	size_t cap;
	int32_t total_bytes;   /* IPFRAG_TOTAL_UNKNOWN: the last fragment is not there yet */
	uint32_t missing_from; /* the first byte that was told but not captured */
	struct vec runs;       /* struct ipfrag_run, ascending, apart from each other */
};

static bool ipfrag_key_equal(const void *item, const void *key)
{
	const struct ipfrag_datagram *d = item;
	const struct ipfrag_key *k = key;

	return d->key.id == k->id && d->key.proto == k->proto && d->key.version == k->version &&
	       memcmp(d->key.src, k->src, sizeof(k->src)) == 0 &&
	       memcmp(d->key.dst, k->dst, sizeof(k->dst)) == 0;
}

static struct ipfrag_key ipfrag_key_make(const struct packet *p)
{
	struct ipfrag_key key = {
		.id = p->ip_id,
		.proto = p->ip_version == 6 ? 0 : p->ip_proto,
		.version = p->ip_version,
	};

	memcpy(key.src, p->src, sizeof(key.src));
	memcpy(key.dst, p->dst, sizeof(key.dst));
	return key;
}

static uint64_t ipfrag_key_hash(const struct ipfrag_key *key)
{
	uint64_t hash = hash_u64(hash_bytes(key->src, sizeof(key->src)),
				 hash_bytes(key->dst, sizeof(key->dst)));

	return hash_u64(hash, (uint64_t)key->id << 16 | (uint64_t)key->proto << 8 | key->version);
}

void ipfrag_init(struct ipfrag *f)
{
	*f = (struct ipfrag){0};
	map_init(&f->datagrams, ipfrag_key_equal);
}

static void ipfrag_datagram_destroy(struct ipfrag_datagram *d)
{
	if (!d)
		return;
	vec_deinit(&d->runs);
	free(d->bytes);
	free(d);
}

/* Takes a datagram out of the table and the list. */
static void ipfrag_unlink(struct ipfrag *f, struct ipfrag_datagram *d)
{
	map_remove(&f->datagrams, d->hash, &d->key);
	if (d->older)
		d->older->newer = d->newer;
	else
		f->oldest = d->newer;
	if (d->newer)
		d->newer->older = d->older;
	else
		f->newest = d->older;
	f->held_bytes -= d->cap;
}

static void ipfrag_give_up(struct ipfrag *f, struct ipfrag_datagram *d)
{
	ipfrag_unlink(f, d);
	ipfrag_datagram_destroy(d);
	f->given_up_count++;
}

void ipfrag_deinit(struct ipfrag *f)
{
	while (f->oldest)
		ipfrag_give_up(f, f->oldest);
	ipfrag_datagram_destroy(f->done);
	f->done = NULL;
	map_deinit(&f->datagrams);
}

static struct ipfrag_datagram *ipfrag_create(struct ipfrag *f, const struct ipfrag_key *key,
					     uint64_t hash, int64_t now_ns)
{
	struct ipfrag_datagram *d = mem_alloc(1, sizeof(*d));

	d->key = *key;
	d->hash = hash;
	d->first_ns = now_ns;
	d->total_bytes = IPFRAG_TOTAL_UNKNOWN;
	d->missing_from = UINT32_MAX;
	vec_init(&d->runs, sizeof(struct ipfrag_run));
	d->older = f->newest;
	if (f->newest)
		f->newest->newer = d;
	else
		f->oldest = d;
	f->newest = d;
	map_add(&f->datagrams, hash, d);
	return d;
}

/* Forgets what is too old, then what is too much; the newest stays. */
static void ipfrag_make_room(struct ipfrag *f, int64_t now_ns)
{
	while (f->oldest && now_ns > f->oldest->first_ns &&
	       (uint64_t)now_ns - (uint64_t)f->oldest->first_ns > (uint64_t)IPFRAG_TIMEOUT_NS)
		ipfrag_give_up(f, f->oldest);
	while (f->oldest != f->newest &&
	       (f->datagrams.len >= IPFRAG_DATAGRAMS_MAX || f->held_bytes >= IPFRAG_BYTES_MAX))
		ipfrag_give_up(f, f->oldest);
}

/* Copies bytes start..end out of the fragment, which lies at frag_off. */
static void ipfrag_copy(struct ipfrag_datagram *d, const struct packet *fragment, uint32_t start,
			uint32_t end)
{
	uint32_t here_end = fragment->frag_off + (uint32_t)fragment->payload.len;
	uint32_t copy_end = end < here_end ? end : here_end;

	if (start < copy_end)
		memcpy(d->bytes + start, fragment->payload.ptr + (start - fragment->frag_off),
		       copy_end - start);
	else
		copy_end = start;
	if (copy_end < end && copy_end < d->missing_from)
		d->missing_from = copy_end;
}

/* Copies what the runs do not hold yet of start..end; true: some of it was there before. */
static bool ipfrag_copy_gaps(struct ipfrag_datagram *d, const struct packet *fragment,
			     uint32_t start, uint32_t end)
{
	bool overlap = false;

	for (size_t i = 0; i < d->runs.len && start < end; i++) {
		const struct ipfrag_run *run = vec_at(&d->runs, i);

		if (run->end <= start)
			continue;
		if (run->start >= end)
			break;
		overlap = true;
		if (start < run->start)
			ipfrag_copy(d, fragment, start, run->start);
		start = run->end;
	}
	if (start < end)
		ipfrag_copy(d, fragment, start, end);
	return overlap;
}

/* Joins start..end with the runs that it touches. */
static void ipfrag_add_run(struct ipfrag_datagram *d, uint32_t start, uint32_t end)
{
	struct ipfrag_run *runs;
	size_t first = 0;
	size_t after;

	vec_push(&d->runs);
	runs = d->runs.items;
	d->runs.len--;
	while (first < d->runs.len && runs[first].end < start)
		first++;
	for (after = first; after < d->runs.len && runs[after].start <= end; after++) {
		start = runs[after].start < start ? runs[after].start : start;
		end = runs[after].end > end ? runs[after].end : end;
	}
	/* runs first..after become one */
	memmove(runs + first + 1, runs + after, (d->runs.len - after) * sizeof(*runs));
	runs[first] = (struct ipfrag_run){.start = start, .end = end};
	d->runs.len = d->runs.len - (after - first) + 1;
}

static void ipfrag_grow(struct ipfrag *f, struct ipfrag_datagram *d, uint32_t end)
{
	size_t cap = d->cap > 0 ? d->cap : 4096;

	if (end <= d->cap)
		return;
	while (cap < end)
		cap *= 2;
	f->held_bytes += cap - d->cap;
	d->bytes = mem_resize(d->bytes, cap, 1);
	d->cap = cap;
}

/* True when the fragment fits to itself and to those before. */
static bool ipfrag_fits(const struct ipfrag_datagram *d, const struct packet *fragment)
{
	size_t end = fragment->frag_off + fragment->payload_wire_bytes;
	const struct ipfrag_run *last = vec_last(&d->runs);

	if (fragment->payload_wire_bytes == 0 || end > IPFRAG_DATAGRAM_BYTES_MAX)
		return false;
	if (fragment->frag_more && fragment->payload_wire_bytes % IPFRAG_UNIT_BYTES != 0)
		return false;
	if (d->runs.len >= IPFRAG_PIECES_MAX)
		return false;
	if (!fragment->frag_more && last && last->end > end)
		return false;
	return d->total_bytes == IPFRAG_TOTAL_UNKNOWN ||
	       (fragment->frag_more ? end <= (size_t)d->total_bytes
				    : end == (size_t)d->total_bytes);
}

static bool ipfrag_complete(const struct ipfrag_datagram *d)
{
	const struct ipfrag_run *run = vec_last(&d->runs);

	return d->runs.len == 1 && run->start == 0 && d->total_bytes >= 0 &&
	       run->end == (uint32_t)d->total_bytes;
}

static bool ipfrag_deliver(struct ipfrag *f, struct ipfrag_datagram *d, struct packet *whole)
{
	struct packet p = d->head;
	uint32_t total = (uint32_t)d->total_bytes;

	ipfrag_unlink(f, d);
	f->done = d;
	f->completed_count++;
	p.payload = slice_make(d->bytes, d->missing_from < total ? d->missing_from : total);
	p.payload_wire_bytes = total;
	packet_parse_reassembled(&p);
	if (p.kind == PACKET_FRAGMENT) /* a tunnel cut what was cut already: not followed */
		f->given_up_count++;
	if (p.kind != PACKET_TCP && p.kind != PACKET_UDP)
		return false;
	*whole = p;
	return true;
}

static bool ipfrag_wanted(const struct packet *p)
{
	if (p->kind != PACKET_FRAGMENT)
		return false;
	switch (p->ip_proto) {
	case IPFRAG_PROTO_IPIP:
	case IPFRAG_PROTO_TCP:
	case IPFRAG_PROTO_UDP:
	case IPFRAG_PROTO_IPV6:
	case IPFRAG_PROTO_GRE:
		return true;
	default:
		return p->ip_version == 6 && p->ip_proto == IPFRAG_PROTO_DEST_OPTIONS;
	}
}

bool ipfrag_add(struct ipfrag *f, const struct packet *fragment, int64_t now_ns,
		struct packet *whole)
{
	struct ipfrag_key key;
	struct ipfrag_datagram *d;
	uint64_t hash;
	uint32_t start = fragment->frag_off;
	uint32_t end;

	ipfrag_datagram_destroy(f->done);
	f->done = NULL;
	if (!ipfrag_wanted(fragment))
		return false;
	key = ipfrag_key_make(fragment);
	hash = ipfrag_key_hash(&key);
	ipfrag_make_room(f, now_ns);
	d = map_find(&f->datagrams, hash, &key);
	if (!d)
		d = ipfrag_create(f, &key, hash, now_ns);
	if (!ipfrag_fits(d, fragment)) {
		f->bad_count++;
		return false;
	}
	end = start + (uint32_t)fragment->payload_wire_bytes;
	ipfrag_grow(f, d, end);
	f->overlap_count += ipfrag_copy_gaps(d, fragment, start, end);
	ipfrag_add_run(d, start, end);
	if (start == 0 && d->head.ip_version == 0)
		d->head = *fragment;
	if (!fragment->frag_more)
		d->total_bytes = (int32_t)end;
	return ipfrag_complete(d) && ipfrag_deliver(f, d, whole);
}

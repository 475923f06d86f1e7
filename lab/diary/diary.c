// SPDX-License-Identifier: GPL-2.0-or-later
/* See diary.h. */
#include "lab/diary/diary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "capfile/write.h"
#include "lab/diary/headers.h"

enum { LINKTYPE_RAW = 101, BUFFER_BYTES = 256 << 10, REUSES = 1024 };

/* So long what was seen may wait in memory, of the machine's time; and where nothing more may come.
 */
static const int64_t flush_ns = 1 * STAMP_NS_PER_S;
static const int64_t flush_quiet_ns = 20 * STAMP_NS_PER_MS;

/* One side of a connection: how far it has sent, and how far it has acknowledged the other. */
struct half {
	uint32_t next, acknowledged;
};

struct connection {
	uint64_t number;
	struct half ours, theirs;
	bool is_open; /* the handshake is done */
};

struct diary {
	struct net_witness witness;
	int fd;
	int error; /* an errno: nothing more is written */
	struct strbuf out, packet;
	struct map connections;
	size_t connections_len;
	uint8_t reuses[REUSES]; /* by a hash of its addresses: which connection of them it is */
	uint64_t written_bytes, bytes_max;
	uint64_t packets, dropped;
	int64_t last_ns;    /* the latest stamp */
	int64_t flushed_ns; /* the same, when it was written last */
};

/* --- the file --- */

static void flush(struct diary *d)
{
	size_t done = 0;

	while (done < d->out.len && !d->error) {
		ssize_t got = write(d->fd, d->out.data + done, d->out.len - done);

		if (got < 0 && errno != EINTR)
			d->error = errno;
		else if (got > 0)
			done += (size_t)got;
	}
	d->written_bytes += d->out.len;
	d->flushed_ns = d->last_ns;
	strbuf_reset(&d->out);
}

/* A time that does not run backwards: that of a loop which follows another may begin before it. */
static void take_time(struct diary *d, const struct net_loop *loop)
{
	int64_t now_ns = net_loop_utc_ns(loop);

	if (now_ns > d->last_ns)
		d->last_ns = now_ns;
}

static void write_packet(struct diary *d, const struct headers_packet *p)
{
	uint8_t headers[HEADERS_BYTES_MAX];
	size_t len = headers_write(p, headers);

	d->packets++;
	if (d->error || d->written_bytes + d->out.len + len + p->payload.len > d->bytes_max) {
		d->dropped++;
		return;
	}
	strbuf_reset(&d->packet);
	strbuf_add(&d->packet, headers, len);
	strbuf_add(&d->packet, p->payload.ptr, p->payload.len);
	pcapng_write_packet(&d->out, 0, stamp_utc(d->last_ns),
			    slice_make(d->packet.data, d->packet.len), (uint32_t)d->packet.len,
			    NULL);
	if (d->out.len >= BUFFER_BYTES)
		flush(d);
}

/* --- connections --- */

static bool connection_is(const void *item, const void *key)
{
	return ((const struct connection *)item)->number == *(const uint64_t *)key;
}

static uint64_t number_hash(uint64_t number)
{
	return hash_u64(hash_start(), number);
}

/* FNV-1a: the same in every program, unlike the hashes of tables. */
static uint32_t add_address(uint32_t hash, const struct net_address *a)
{
	uint16_t port = net_address_port(a);
	const uint8_t *bytes = a->any.sa_family == AF_INET6 ? (const uint8_t *)&a->v6.sin6_addr
							    : (const uint8_t *)&a->v4.sin_addr;
	size_t len = a->any.sa_family == AF_INET6 ? 16 : 4;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * UINT32_C(16777619);
	hash = (hash ^ (port >> 8)) * UINT32_C(16777619);
	return (hash ^ (port & 0xff)) * UINT32_C(16777619);
}

static uint32_t way_hash(const struct net_address *from, const struct net_address *to)
{
	return add_address(add_address(UINT32_C(2166136261), from), to);
}

/*
 * Sequence numbers of a beginning: such that the diaries of both ends agree, and that two
 * connections with the same ports do not.
 */
static void number_halves(struct diary *d, struct connection *c, const struct net_seen *seen)
{
	uint32_t ours = way_hash(seen->local, seen->peer);
	uint32_t theirs = way_hash(seen->peer, seen->local);
	uint32_t nth = d->reuses[(ours ^ theirs) % REUSES]++;

	c->ours.next = ours + (nth << 24);
	c->theirs.next = theirs + (nth << 24);
}

/* NULL: one that is not known, or one more than there is room for. */
static struct connection *connection_get(struct diary *d, const struct net_seen *seen)
{
	struct connection *c =
		map_find(&d->connections, number_hash(seen->connection), &seen->connection);

	if (c || (seen->what != NET_SEEN_ACCEPTED && seen->what != NET_SEEN_CONNECTING) ||
	    d->connections_len == DIARY_CONNECTIONS_MAX)
		return c;
	c = mem_alloc(1, sizeof(*c));
	c->number = seen->connection;
	number_halves(d, c, seen);
	map_add(&d->connections, number_hash(c->number), c);
	d->connections_len++;
	return c;
}

static void connection_forget(struct diary *d, struct connection *c)
{
	map_remove(&d->connections, number_hash(c->number), &c->number);
	d->connections_len--;
	free(c);
}

/* A segment of ours, or of theirs. What takes a sequence number is counted. */
static void write_segment(struct diary *d, struct connection *c, const struct net_seen *seen,
			  bool is_ours, uint8_t flags, struct slice payload)
{
	struct half *from = is_ours ? &c->ours : &c->theirs;
	const struct half *to = is_ours ? &c->theirs : &c->ours;
	struct headers_packet p = {.from = is_ours ? seen->local : seen->peer,
				   .to = is_ours ? seen->peer : seen->local,
				   .flags = flags,
				   .sequence = from->next,
				   .payload = payload};

	/* What the kernel gave us it has acknowledged; of what we sent it says how far. */
	if (flags & HEADERS_ACK)
		from->acknowledged = to->next - (is_ours ? 0 : (uint32_t)seen->unacked);
	p.acknowledged = from->acknowledged;
	from->next += (uint32_t)payload.len + !!(flags & (HEADERS_SYN | HEADERS_FIN));
	write_packet(d, &p);
}

static void write_bytes(struct diary *d, struct connection *c, const struct net_seen *seen,
			bool is_ours)
{
	struct slice rest = seen->bytes;

	while (rest.len) {
		size_t len =
			rest.len < HEADERS_PAYLOAD_BYTES_MAX ? rest.len : HEADERS_PAYLOAD_BYTES_MAX;

		write_segment(d, c, seen, is_ours, HEADERS_PSH | HEADERS_ACK,
			      slice_make(rest.ptr, len));
		rest = slice_make(rest.ptr + len, rest.len - len);
	}
}

static void write_flags(struct diary *d, struct connection *c, const struct net_seen *seen,
			bool is_ours, unsigned flags)
{
	write_segment(d, c, seen, is_ours, (uint8_t)flags, (struct slice){0});
}

/* Acknowledgements that no segment has carried yet. */
static void write_acknowledgements(struct diary *d, struct connection *c,
				   const struct net_seen *seen)
{
	if (!c->is_open)
		return;
	if (c->ours.acknowledged != c->theirs.next)
		write_flags(d, c, seen, true, HEADERS_ACK);
	if (c->theirs.acknowledged != c->ours.next - (uint32_t)seen->unacked)
		write_flags(d, c, seen, false, HEADERS_ACK);
}

static void write_handshake(struct diary *d, struct connection *c, const struct net_seen *seen)
{
	bool is_accepted = seen->what == NET_SEEN_ACCEPTED;

	c->is_open = true;
	if (is_accepted)
		write_flags(d, c, seen, false, HEADERS_SYN);
	write_flags(d, c, seen, is_accepted, HEADERS_SYN | HEADERS_ACK);
	write_flags(d, c, seen, !is_accepted, HEADERS_ACK);
}

static void see_connection(struct diary *d, const struct net_seen *seen)
{
	struct connection *c = connection_get(d, seen);

	if (!c) {
		d->dropped += seen->bytes.len > 0;
		d->packets += seen->bytes.len > 0;
		return;
	}
	switch (seen->what) {
	case NET_SEEN_CONNECTING:
		write_flags(d, c, seen, true, HEADERS_SYN);
		break;
	case NET_SEEN_ACCEPTED:
	case NET_SEEN_CONNECTED:
		write_handshake(d, c, seen);
		break;
	case NET_SEEN_SENT:
	case NET_SEEN_RECEIVED:
		write_bytes(d, c, seen, seen->what == NET_SEEN_SENT);
		break;
	case NET_SEEN_SENT_END:
	case NET_SEEN_RECEIVED_END:
		write_flags(d, c, seen, seen->what == NET_SEEN_SENT_END, HEADERS_FIN | HEADERS_ACK);
		break;
	case NET_SEEN_SENT_RESET:
	case NET_SEEN_RECEIVED_RESET:
		write_flags(d, c, seen, seen->what == NET_SEEN_SENT_RESET,
			    HEADERS_RST | HEADERS_ACK);
		break;
	case NET_SEEN_QUIET:
		write_acknowledgements(d, c, seen);
		break;
	case NET_SEEN_CLOSED:
		connection_forget(d, c);
		break;
	case NET_SEEN_DATAGRAM_SENT:
	case NET_SEEN_DATAGRAM_RECEIVED:
		break;
	}
}

static void see_datagram(struct diary *d, const struct net_seen *seen)
{
	bool is_ours = seen->what == NET_SEEN_DATAGRAM_SENT;
	struct headers_packet p = {.from = is_ours ? seen->local : seen->peer,
				   .to = is_ours ? seen->peer : seen->local,
				   .is_udp = true,
				   .payload = seen->bytes};

	if (p.payload.len > HEADERS_PAYLOAD_BYTES_MAX) {
		d->packets++;
		d->dropped++;
	} else {
		write_packet(d, &p);
	}
}

static void see(void *context, const struct net_seen *seen)
{
	struct diary *d = context;
	bool is_quiet = seen->what == NET_SEEN_QUIET || seen->what == NET_SEEN_CLOSED;
	int64_t wait_ns = is_quiet ? flush_quiet_ns : flush_ns;

	take_time(d, seen->loop);
	if (seen->connection)
		see_connection(d, seen);
	else
		see_datagram(d, seen);
	if ((double)(d->last_ns - d->flushed_ns) > (double)wait_ns * seen->loop->speed)
		flush(d);
}

/* --- the whole --- */

struct err *diary_open(const char *path, const char *application, double speed, uint64_t bytes_max,
		       struct diary **out)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct strbuf comment;
	struct diary *d;

	if (fd < 0)
		return err_new_errno(errno, "%s: cannot be made", path);
	d = mem_alloc(1, sizeof(*d));
	d->witness.tell = see;
	d->witness.context = d;
	d->fd = fd;
	d->bytes_max = bytes_max ? bytes_max : diary_bytes_max;
	map_init(&d->connections, connection_is);
	strbuf_init(&d->out);
	strbuf_init(&d->packet);
	strbuf_init(&comment);
	strbuf_add_text(&comment,
			"an endpoint's own record and no capture of a wire: the bytes are what it "
			"sent and received, headers of IP and TCP are made up, and what the "
			"network did is not in it");
	if (speed != 1)
		strbuf_add_format(&comment, "; its time runs %g times as fast", speed);
	pcapng_write_section(&d->out, application, strbuf_text(&comment));
	pcapng_write_interface(&d->out, LINKTYPE_RAW, 0, "endpoint");
	flush(d);
	strbuf_deinit(&comment);
	*out = d;
	return NULL;
}

struct net_witness *diary_witness(struct diary *d)
{
	return &d->witness;
}

struct err *diary_close(struct diary *d)
{
	struct err *err = NULL;
	struct connection *c;
	size_t index = 0;

	if (!d)
		return NULL;
	pcapng_write_statistics(&d->out, 0, stamp_utc(d->last_ns), d->packets, d->dropped);
	flush(d);
	if (close(d->fd) < 0 && !d->error)
		d->error = errno;
	if (d->error)
		err = err_new_errno(d->error, "--write-pcapng: not all could be written");
	while ((c = map_next(&d->connections, &index)))
		free(c);
	map_deinit(&d->connections);
	strbuf_deinit(&d->out);
	strbuf_deinit(&d->packet);
	free(d);
	return err;
}

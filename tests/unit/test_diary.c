// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an endpoint writes of what it exchanges: real connections over loopback, read back as a
 * capture. Both ends are in one loop, so each connection is in the file twice.
 */
#include "capfile/capfile.h"
#include "check.h"
#include "lab/diary/diary.h"
#include "net/datagram.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/timer.h"
#include "proto/packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { GUARD_S = 20, BYTES = 100000, PACKETS_MAX = 64 };

struct pair {
	struct net_loop loop;
	struct net_timer guard;
	struct net_listener *listener;
	struct net_stream *server, *client;
	struct net_datagram *datagrams[2];
	size_t got_bytes;
	bool resets;
	struct diary *diary;
	char path[64];
};

/* What was read back. */
struct seen {
	struct packet packets[PACKETS_MAX]; /* their bytes are gone */
	char text[4];                       /* the first ones of the last packet */
	size_t count;
	char comment[512], application[64];
	uint64_t dropped;
};

static void on_guard(void *context)
{
	net_loop_stop(context);
}

static size_t server_data(void *context, struct slice bytes)
{
	struct pair *p = context;

	p->got_bytes += bytes.len;
	if (p->got_bytes < BYTES)
		return bytes.len;
	if (p->resets)
		net_stream_reset(p->server);
	else
		net_stream_send(p->server, slice_of_string("thanks"));
	if (p->resets)
		p->server = NULL;
	return bytes.len;
}

static void server_closed(void *context, int error)
{
	struct pair *p = context;

	(void)error;
	net_stream_destroy(p->server);
	p->server = NULL;
	/* So that the client's half sees our FIN, and acknowledgements are told. */
	net_timer_start(&p->guard, 150 * INT64_C(1000000));
}

static const struct net_stream_ops server_ops = {.data = server_data, .closed = server_closed};

static void accepted(void *context, int fd, const struct net_address *peer)
{
	struct pair *p = context;

	p->server = net_stream_create(&p->loop, fd, peer, &server_ops, p);
}

static void client_connected(void *context)
{
	struct pair *p = context;

	memset(net_stream_reserve(p->client, BYTES), 7, BYTES);
	net_stream_commit(p->client, BYTES);
}

static size_t client_data(void *context, struct slice bytes)
{
	struct pair *p = context;

	net_stream_destroy(p->client);
	p->client = NULL;
	return bytes.len;
}

static void client_closed(void *context, int error)
{
	struct pair *p = context;

	(void)error;
	net_loop_stop(&p->loop);
}

static const struct net_stream_ops client_ops = {
	.connected = client_connected, .data = client_data, .closed = client_closed};

static bool is_fine(struct err *err)
{
	bool fine = CHECK_TEXT(err ? err_text(err) : "", "");

	err_destroy(err);
	return fine;
}

static bool pair_begin(struct pair *p, uint64_t bytes_max)
{
	int fd;

	snprintf(p->path, sizeof(p->path), "/tmp/nfsleuth-diary-XXXXXX");
	fd = mkstemp(p->path);
	if (!CHECK(fd >= 0))
		return false;
	close(fd);
	unlink(p->path);
	if (!is_fine(net_loop_init(&p->loop, 1)) ||
	    !is_fine(diary_open(p->path, "nfsleuth test", 1, bytes_max, &p->diary)))
		return false;
	p->loop.witness = diary_witness(p->diary);
	net_timer_init(&p->guard, &p->loop, on_guard, &p->loop);
	net_timer_start(&p->guard, GUARD_S * INT64_C(1000000000));
	return true;
}

static void pair_talk(struct pair *p)
{
	struct net_address at = net_address_loopback(0);

	if (!is_fine(net_listener_create(&p->loop, &at, accepted, p, &p->listener)) ||
	    !is_fine(net_stream_connect(&p->loop, net_listener_address(p->listener), NULL,
					&client_ops, p, &p->client)))
		return;
	net_loop_run(&p->loop);
}

static void take_file(struct pair *p, struct seen *out)
{
	struct source *source = NULL;
	struct capfile *file = NULL;
	struct capfile_packet packet;
	struct capfile_stats stats;

	if (!is_fine(source_open(p->path, &source)) || !is_fine(capfile_open(source, &file)))
		return;
	while (out->count < PACKETS_MAX && capfile_next(file, &packet) == CAPFILE_PACKET) {
		struct packet *k = &out->packets[out->count++];

		packet_parse(packet.linktype, packet.bytes, packet.wire_bytes, k);
		if (k->payload.len && k->payload.len < sizeof(out->text))
			memcpy(out->text, k->payload.ptr, k->payload.len);
	}
	capfile_get_stats(file, &stats);
	CHECK_EQ_U64(stats.damage_count, 0);
	out->dropped = stats.drops.interface_drops;
	snprintf(out->application, sizeof(out->application), "%s", stats.application);
	snprintf(out->comment, sizeof(out->comment), "%s", stats.comments[0].text);
	capfile_destroy(file);
}

static void pair_end(struct pair *p, struct seen *out)
{
	*out = (struct seen){0};
	net_stream_destroy(p->client);
	net_stream_destroy(p->server);
	net_listener_destroy(p->listener);
	net_datagram_destroy(p->datagrams[0]);
	net_datagram_destroy(p->datagrams[1]);
	net_timer_deinit(&p->guard);
	net_loop_deinit(&p->loop);
	is_fine(diary_close(p->diary));
	take_file(p, out);
	unlink(p->path);
}

/* How many TCP segments have exactly these flags, beside PSH. */
static size_t count_flags(const struct seen *s, unsigned flags)
{
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		count += s->packets[i].kind == PACKET_TCP &&
			 (s->packets[i].tcp.flags & ~(unsigned)TCP_PSH) == flags;
	return count;
}

static uint64_t count_bytes(const struct seen *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->count; i++)
		bytes += s->packets[i].payload.len;
	return bytes;
}

TEST(connection_is_written_whole)
{
	struct pair p = {0};
	struct seen s;

	if (!pair_begin(&p, 0))
		return;
	pair_talk(&p);
	pair_end(&p, &s);
	CHECK_EQ_U64(count_flags(&s, TCP_SYN), 2);
	CHECK_EQ_U64(count_flags(&s, TCP_SYN | TCP_ACK), 2);
	CHECK_EQ_U64(count_flags(&s, TCP_FIN | TCP_ACK), 4);
	CHECK_EQ_U64(count_flags(&s, TCP_RST | TCP_ACK), 0);
	CHECK_EQ_U64(count_bytes(&s), UINT64_C(2) * (BYTES + strlen("thanks")));
	CHECK_EQ_U64(s.dropped, 0);
	CHECK_TEXT(s.application, "nfsleuth test");
	CHECK(strstr(s.comment, "an endpoint's own record and no capture of a wire") != NULL);
}

/* Each side's last sequence number, as far as the other has acknowledged it. */
TEST(all_is_acknowledged_in_the_end)
{
	struct pair p = {0};
	struct seen s;
	uint32_t next = 0, acknowledged = 0;
	uint16_t client_port = 0;

	if (!pair_begin(&p, 0))
		return;
	pair_talk(&p);
	pair_end(&p, &s);
	for (size_t i = 0; i < s.count; i++) {
		const struct packet *k = &s.packets[i];

		if (k->tcp.flags == TCP_SYN)
			client_port = k->src_port;
		if (k->src_port == client_port)
			next = k->tcp.seq + (uint32_t)k->payload.len +
			       !!(k->tcp.flags & (TCP_SYN | TCP_FIN));
		else
			acknowledged = k->tcp.ack;
	}
	CHECK(client_port != 0);
	CHECK_EQ_U64(acknowledged, next);
}

TEST(reset_is_seen_from_both_ends)
{
	struct pair p = {.resets = true};
	struct seen s;

	if (!pair_begin(&p, 0))
		return;
	pair_talk(&p);
	pair_end(&p, &s);
	CHECK_EQ_U64(count_flags(&s, TCP_RST | TCP_ACK), 2);
	CHECK_EQ_U64(count_flags(&s, TCP_FIN | TCP_ACK), 0);
}

TEST(file_that_is_full_tells_what_is_missing)
{
	struct pair p = {0};
	struct seen s;

	if (!pair_begin(&p, 1000))
		return;
	pair_talk(&p);
	pair_end(&p, &s);
	CHECK(s.dropped >= 4);
	CHECK_EQ_U64(count_bytes(&s), UINT64_C(2) * strlen("thanks"));
}

static void datagram_came(void *context, struct slice bytes, const struct net_address *from)
{
	struct pair *p = context;

	(void)bytes, (void)from;
	net_loop_stop(&p->loop);
}

TEST(datagram_is_written_by_both_ends)
{
	struct net_address at, any;
	struct pair p = {0};
	struct seen s;

	if (!pair_begin(&p, 0) || !is_fine(net_address_parse("127.0.0.1:0", 0, &at)) ||
	    !is_fine(net_address_parse("0.0.0.0:0", 0, &any)) ||
	    !is_fine(net_datagram_create(&p.loop, &at, datagram_came, &p, &p.datagrams[0])) ||
	    !is_fine(net_datagram_create(&p.loop, &any, datagram_came, &p, &p.datagrams[1])))
		return;
	net_datagram_send(p.datagrams[1], slice_of_string("odd"),
			  net_datagram_address(p.datagrams[0]));
	net_loop_run(&p.loop);
	pair_end(&p, &s);
	if (!CHECK_EQ_U64(s.count, 2))
		return;
	CHECK_TEXT(s.text, "odd");
	for (size_t i = 0; i < 2; i++) {
		CHECK(s.packets[i].kind == PACKET_UDP);
		CHECK_EQ_U64(s.packets[i].payload.len, 3);
		/* Of a socket that is bound to no address, too. */
		CHECK_EQ_U64(s.packets[i].src[15], 1);
		CHECK_EQ_U64(s.packets[i].dst[15], 1);
	}
}

TEST(file_that_exists_is_left_alone)
{
	struct diary *d = NULL;
	struct err *err = diary_open("/dev/null", "nfsleuth test", 1, 0, &d);

	CHECK_TEXT(err ? err_text(err) : "", "/dev/null: cannot be made: File exists");
	err_destroy(err);
}

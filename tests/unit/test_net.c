// SPDX-License-Identifier: GPL-2.0-or-later
/* The event loop of the endpoints: timers, connections, datagrams, all over loopback. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "net/datagram.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/timer.h"

enum { GUARD_S = 20, BIG_BYTES = 5 << 20 };

/* A server that echoes and a client that counts. */
struct pair {
	struct net_loop loop;
	struct net_timer guard;
	struct net_listener *listener;
	struct net_stream *server, *client;
	size_t sent_bytes, got_bytes, wrong_bytes;
	size_t want_bytes; /* the client is done when it has so many */
	int closed;        /* errno of the client's end, -1: none yet */
	bool reset_on_data;
	bool client_stops;
};

static void give_up(void *context)
{
	net_loop_stop(context);
}

static size_t server_data(void *context, struct slice bytes)
{
	struct pair *p = context;

	if (p->reset_on_data) {
		net_stream_reset(p->server);
		p->server = NULL;
		return bytes.len;
	}
	if (net_stream_is_full(p->server))
		return 0;
	if (bytes.len > 1000)
		bytes.len = 1000; /* the rest is offered again */
	net_stream_send(p->server, bytes);
	return bytes.len;
}

static void server_closed(void *context, int error)
{
	struct pair *p = context;

	(void)error;
	net_stream_destroy(p->server);
	p->server = NULL;
	if (p->client_stops)
		net_loop_stop(&p->loop);
}

static const struct net_stream_ops server_ops = {.data = server_data, .closed = server_closed};

static void accepted(void *context, int fd, const struct net_address *peer)
{
	struct pair *p = context;

	p->server = net_stream_create(&p->loop, fd, peer, &server_ops, p);
}

static uint8_t byte_at(size_t offset)
{
	return (uint8_t)(offset * 7 + offset / 251);
}

static void client_connected(void *context)
{
	struct pair *p = context;

	while (p->sent_bytes < p->want_bytes) {
		uint8_t *room = net_stream_reserve(p->client, 4096);

		for (size_t i = 0; i < 4096; i++)
			room[i] = byte_at(p->sent_bytes + i);
		net_stream_commit(p->client, 4096);
		p->sent_bytes += 4096;
	}
}

static size_t client_data(void *context, struct slice bytes)
{
	struct pair *p = context;

	for (size_t i = 0; i < bytes.len; i++)
		p->wrong_bytes += bytes.ptr[i] != byte_at(p->got_bytes + i);
	p->got_bytes += bytes.len;
	if (p->got_bytes >= p->want_bytes) {
		if (p->client_stops) {
			net_stream_destroy(p->client);
			p->client = NULL;
		} else {
			net_loop_stop(&p->loop);
		}
	}
	return bytes.len;
}

static void client_closed(void *context, int error)
{
	struct pair *p = context;

	p->closed = error;
	net_loop_stop(&p->loop);
}

static const struct net_stream_ops client_ops = {
	.connected = client_connected, .data = client_data, .closed = client_closed};

static bool pair_run(struct pair *p, size_t want_bytes)
{
	struct net_address at = net_address_loopback(0);

	p->want_bytes = want_bytes;
	p->closed = -1;
	if (!CHECK(net_loop_init(&p->loop, 1) == NULL))
		return false;
	net_timer_init(&p->guard, &p->loop, give_up, &p->loop);
	net_timer_start(&p->guard, GUARD_S * INT64_C(1000000000));
	if (!CHECK(net_listener_create(&p->loop, &at, accepted, p, &p->listener) == NULL) ||
	    !CHECK(net_stream_connect(&p->loop, net_listener_address(p->listener), NULL,
				      &client_ops, p, &p->client) == NULL))
		return false;
	net_loop_run(&p->loop);
	return true;
}

static void pair_deinit(struct pair *p)
{
	net_timer_deinit(&p->guard);
	net_stream_destroy(p->client);
	net_stream_destroy(p->server);
	net_listener_destroy(p->listener);
	net_loop_deinit(&p->loop);
}

TEST(stream_carries_more_than_its_queue)
{
	struct pair p = {0};

	if (pair_run(&p, BIG_BYTES)) {
		CHECK(p.got_bytes >= BIG_BYTES);
		CHECK_EQ_U64(p.wrong_bytes, 0);
		CHECK_EQ_I64(p.closed, -1);
	}
	pair_deinit(&p);
}

TEST(stream_is_destroyed_in_its_callback)
{
	struct pair p = {.client_stops = true};

	if (pair_run(&p, 4096)) {
		CHECK(p.client == NULL);
		CHECK(p.server == NULL);
	}
	pair_deinit(&p);
}

TEST(stream_reset_is_seen_as_reset)
{
	struct pair p = {.reset_on_data = true};

	if (pair_run(&p, 4096))
		CHECK_EQ_I64(p.closed, ECONNRESET);
	pair_deinit(&p);
}

TEST(stream_tells_that_nobody_listens)
{
	struct pair p = {.closed = -1};
	struct net_address at = net_address_loopback(0);
	struct net_address port;

	CHECK(net_loop_init(&p.loop, 1) == NULL);
	CHECK(net_listener_create(&p.loop, &at, accepted, &p, &p.listener) == NULL);
	port = *net_listener_address(p.listener);
	net_listener_destroy(p.listener);
	p.listener = NULL;
	CHECK(net_stream_connect(&p.loop, &port, NULL, &client_ops, &p, &p.client) == NULL);
	net_loop_run(&p.loop);
	CHECK_EQ_I64(p.closed, ECONNREFUSED);
	pair_deinit(&p);
}

/* The kernel refuses TCP to a broadcast address in connect(2) itself. */
TEST(stream_tells_what_fails_at_once)
{
	struct pair p = {.closed = -1};
	struct net_address at;

	CHECK(net_loop_init(&p.loop, 1) == NULL);
	CHECK(net_address_parse("255.255.255.255:1", 0, &at) == NULL);
	net_timer_init(&p.guard, &p.loop, give_up, &p.loop);
	net_timer_start(&p.guard, GUARD_S * INT64_C(1000000000));
	CHECK(net_stream_connect(&p.loop, &at, NULL, &client_ops, &p, &p.client) == NULL);
	net_loop_run(&p.loop);
	CHECK(p.closed > 0);
	pair_deinit(&p);
}

struct alarm {
	struct net_loop loop;
	struct net_timer timer;
	int64_t at_ns;
};

static void alarm_fire(void *context)
{
	struct alarm *a = context;

	a->at_ns = net_loop_now_ns(&a->loop);
	net_loop_stop(&a->loop);
}

TEST(timer_runs_in_scaled_time)
{
	struct alarm a = {0};
	int64_t utc_ns;

	CHECK(net_loop_init(&a.loop, 1000) == NULL);
	utc_ns = net_loop_utc_ns(&a.loop);
	net_timer_init(&a.timer, &a.loop, alarm_fire, &a);
	net_timer_start(&a.timer, INT64_C(30000000000)); /* 30 s, in 30 ms */
	CHECK(net_timer_runs(&a.timer));
	net_loop_run(&a.loop);
	CHECK(a.at_ns >= INT64_C(29000000000));
	CHECK(net_loop_utc_ns(&a.loop) - utc_ns >= INT64_C(29000000000));
	CHECK(!net_timer_runs(&a.timer));
	net_timer_deinit(&a.timer);
	net_loop_deinit(&a.loop);
}

TEST(loop_refuses_a_speed_of_zero)
{
	struct net_loop loop;
	struct err *err = net_loop_init(&loop, 0);

	CHECK(err != NULL);
	err_destroy(err);
}

struct mail {
	struct net_loop loop;
	struct net_datagram *a, *b;
	char text[32];
};

static void mail_echo(void *context, struct slice bytes, const struct net_address *from)
{
	struct mail *m = context;

	net_datagram_send(m->b, bytes, from);
}

static void mail_keep(void *context, struct slice bytes, const struct net_address *from)
{
	struct mail *m = context;

	CHECK_EQ_U64(net_address_port(from), net_address_port(net_datagram_address(m->b)));
	if (CHECK(bytes.len < sizeof(m->text)))
		memcpy(m->text, bytes.ptr, bytes.len);
	net_loop_stop(&m->loop);
}

TEST(datagram_comes_back)
{
	struct net_address at = net_address_loopback(0);
	struct net_timer guard;
	struct mail m = {0};

	CHECK(net_loop_init(&m.loop, 1) == NULL);
	net_timer_init(&guard, &m.loop, give_up, &m.loop);
	net_timer_start(&guard, GUARD_S * INT64_C(1000000000));
	CHECK(net_datagram_create(&m.loop, &at, mail_keep, &m, &m.a) == NULL);
	CHECK(net_datagram_create(&m.loop, &at, mail_echo, &m, &m.b) == NULL);
	net_datagram_send(m.a, slice_of_string("are you there"), net_datagram_address(m.b));
	net_loop_run(&m.loop);
	CHECK_TEXT(m.text, "are you there");
	net_timer_deinit(&guard);
	net_datagram_destroy(m.a);
	net_datagram_destroy(m.b);
	net_loop_deinit(&m.loop);
}

/* What the text is read as, or the error. */
static void check_address(const char *text, const char *want)
{
	char got[NET_ADDRESS_TEXT_BYTES];
	struct net_address a;
	struct err *err = net_address_parse(text, 2049, &a);

	if (err) {
		CHECK_TEXT("error", want);
		err_destroy(err);
		return;
	}
	net_address_format(&a, got);
	CHECK_TEXT(got, want);
}

TEST(address_is_read_and_written)
{
	check_address("192.0.2.1", "192.0.2.1:2049");
	check_address("192.0.2.1:111", "192.0.2.1:111");
	check_address(":111", "127.0.0.1:111");
	check_address("2001:db8::1", "[2001:db8::1]:2049");
	check_address("[2001:db8::1]", "[2001:db8::1]:2049");
	check_address("[2001:db8::1]:5", "[2001:db8::1]:5");
	check_address("192.0.2.1:", "error");
	check_address("192.0.2.1:65536", "error");
	check_address("192.0.2.1:-1", "error");
	check_address("[2001:db8::1", "error");
	check_address("[2001:db8::1]5", "error");
	check_address("example.org", "error");
}

TEST(address_of_rfc_5665)
{
	char text[NET_ADDRESS_TEXT_BYTES];
	struct net_address a;
	struct err *err;

	CHECK(net_address_parse("[2001:db8::1]:2049", 0, &a) == NULL);
	net_address_format_universal(&a, text);
	CHECK_TEXT(text, "2001:db8::1.8.1");
	CHECK(net_address_parse_universal(slice_of_string("192.0.2.1.3.232"), &a) == NULL);
	CHECK_EQ_U64(net_address_port(&a), 1000);
	err = net_address_parse_universal(slice_of_string("192.0.2.1.3.256"), &a);
	CHECK(err != NULL);
	err_destroy(err);
	err = net_address_parse_universal(slice_of_string("1.2"), &a);
	CHECK(err != NULL);
	err_destroy(err);
	CHECK(net_address_parse("127.9.9.9", 0, &a) == NULL && net_address_is_loopback(&a));
	CHECK(net_address_parse("192.0.2.7", 0, &a) == NULL && !net_address_is_loopback(&a));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The proxy between clients and servers that send any bytes, cut anywhere and interleaved, with
 * FIN, RST, windows that close, datagrams, sockets that are not to be had and time in between: all
 * of lab/proxy and what it calls of lab/fault, on the fake network of net_fake.h (src/net itself
 * is not in it).
 *
 * The first byte chooses the faults, the rest is events: a byte that says what happens and to
 * which, and what belongs to it. Without faults what comes out has to be what came in, byte for
 * byte and as far as it was taken. At the end there must be nothing left.
 */
#include "base/mem.h"
#include "fuzz.h"
#include "lab/proxy/private.h"
#include "net_fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	EVENTS_MAX = 200,
	STREAMS_MAX = 64,
	PASS_NS = 5000000,
	PORT_CLIENT = 40000,
	FLOOD_WHICH = 14,
};

enum event {
	EVENT_DATA,
	EVENT_LONG_DATA,
	EVENT_DATAGRAM,
	EVENT_CONNECT,
	EVENT_CONNECT_BACK,
	EVENT_END,
	EVENT_BREAK,
	EVENT_STICK,
	EVENT_FREE,
	EVENT_PASS,
	EVENT_REFUSE,
	EVENT_SHUT,
	EVENT_FLOOD,
	EVENTS
};

static const char *const scripts[] = {
	"",
	"when any nth 1000000 do drop call\n",
	"when any every 2 do delay 50ms\nwhen any every 3 do reorder\n"
	"when any every 3 skip 1 do duplicate call 2, duplicate reply\n",
	"when any every 2 do status NFS4ERR_DELAY, corrupt call handle\n"
	"when any every 3 do cut reply at 30, xid\nwhen any every 5 do drop call\n",
	"when GETATTR do answer 10008, duplicate reply\n"
	"when any every 3 do answer SYSTEM_ERR, delay reply 20ms\n",
	"when any every 3 do stop reading for 1s\nwhen any every 4 do stop writing for 1s\n"
	"when any every 7 do close\n",
	"when connect every 2 do delay 1s\nwhen connect every 5 do refuse\n"
	"when connect every 3 do ignore for 1s\nwhen any every 4 do reset\n",
	"when any every 2 do corrupt call mark\nwhen any every 3 do corrupt reply mark, drop "
	"reply\n"
	"when any every 7 do ignore\n",
	"when any every 4 do shut for 2s\nwhen any every 3 do reorder, close\n",
};

struct world {
	struct proxy *proxy;
	struct fault_engine *engine;
	bool is_plain; /* no faults */
	bool has_flooded;
	struct slice left;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void hear(void *context, const char *text)
{
	(void)context;
	require(*text != '\0');
}

static void tell(void *context, const struct fault_firing *firing)
{
	struct strbuf text;

	(void)context;
	strbuf_init(&text);
	fault_firing_add_text(&text, firing);
	strbuf_deinit(&text);
}

static struct slice take(struct world *w, size_t count)
{
	struct slice taken;

	if (count > w->left.len)
		count = w->left.len;
	taken = slice_make(w->left.ptr, count);
	w->left = slice_make(w->left.ptr + count, w->left.len - count);
	return taken;
}

static size_t take_byte(struct world *w)
{
	struct slice one = take(w, 1);

	return one.len ? one.ptr[0] : 0;
}

/* --- what has to hold --- */

static void check_end(const struct proxy_end *from, const struct proxy_end *to)
{
	struct net_stream *in = from->stream, *out = to->stream;
	size_t seen;

	if (!in || !out || out->is_ending)
		return;
	seen = out->seen_bytes;
	require(in->taken.len == out->sent.len);
	require(out->sent.len == seen ||
		memcmp(in->taken.data + seen, out->sent.data + seen, out->sent.len - seen) == 0);
	out->seen_bytes = out->sent.len;
}

static void check(const struct world *w)
{
	size_t links = 0;

	for (const struct proxy_link *link = w->proxy->links; link; link = link->next) {
		links++;
		if (!w->is_plain)
			continue;
		check_end(&link->ends[PROXY_CLIENT], &link->ends[PROXY_SERVER]);
		check_end(&link->ends[PROXY_SERVER], &link->ends[PROXY_CLIENT]);
	}
	require(links == w->proxy->links_len);
}

/* --- what happens --- */

static struct net_stream *stream_of(size_t which)
{
	size_t count = net_fake_streams();

	return count ? net_fake_stream(which % count) : NULL;
}

static void connect_to(struct world *w, size_t which, bool is_back)
{
	const struct proxy_route *route = w->proxy->routes[which % w->proxy->routes_len];
	struct net_address from = route->to;

	if (net_fake_streams() >= STREAMS_MAX)
		return;
	if (!is_back)
		from.v4.sin_addr.s_addr ^= 0x01000000;
	net_address_set_port(&from, (uint16_t)(PORT_CLIENT + which));
	net_fake_connect(&route->at, &from);
}

static void datagram(struct world *w, size_t which)
{
	struct slice bytes = take(w, take_byte(w));
	struct net_address from = w->proxy->routes[0]->to;
	size_t count = net_fake_datagrams();
	uint8_t *exact = malloc(bytes.len + 1);

	if (bytes.len)
		memcpy(exact, bytes.ptr, bytes.len);
	if (which & 8)
		net_address_set_port(&from, (uint16_t)(PORT_CLIENT + which));
	if (count)
		net_fake_datagram(which % count, slice_make(exact, bytes.len), &from);
	free(exact);
}

/*
 * A fragment as long as the proxy keeps none, which is not the last one; once, and one in 16 such
 * events, as it takes more time than all others.
 */
static void flood(struct world *w, struct net_stream *s)
{
	uint32_t mark = htonl(PROXY_CHANGE_BYTES);
	uint8_t *bytes;

	if (w->has_flooded)
		return;
	w->has_flooded = true;
	bytes = mem_alloc(1, sizeof(mark) + PROXY_CHANGE_BYTES);
	memset(bytes, 0xff, sizeof(mark) + PROXY_CHANGE_BYTES);
	memcpy(bytes, &mark, sizeof(mark));
	net_fake_data(s, slice_make(bytes, sizeof(mark) + PROXY_CHANGE_BYTES));
	free(bytes);
}

static void happen(struct world *w)
{
	size_t what = take_byte(w), which = what >> 4;
	struct net_stream *s = stream_of(which);
	size_t len;

	switch ((enum event)((what & 15) % EVENTS)) {
	case EVENT_DATA:
		len = take_byte(w);
		if (s)
			net_fake_data(s, take(w, len));
		break;
	case EVENT_LONG_DATA:
		len = take_byte(w) << 8;
		len |= take_byte(w);
		if (s)
			net_fake_data(s, take(w, len));
		break;
	case EVENT_DATAGRAM:
		datagram(w, which);
		break;
	case EVENT_CONNECT:
	case EVENT_CONNECT_BACK:
		connect_to(w, which, (what & 15) == EVENT_CONNECT_BACK);
		break;
	case EVENT_END:
		if (s)
			net_fake_end(s);
		break;
	case EVENT_BREAK:
		if (s)
			net_fake_break(s, which & 1 ? ECONNRESET : ETIMEDOUT);
		break;
	case EVENT_STICK:
	case EVENT_FREE:
		if (s)
			net_fake_stick(s, (what & 15) == EVENT_STICK);
		break;
	case EVENT_PASS:
		net_fake_pass((int64_t)PASS_NS << which);
		break;
	case EVENT_REFUSE:
		net_fake_refuse(w->is_plain || (which & 1), (which & 2) != 0);
		break;
	case EVENT_SHUT:
		proxy_shut(w->proxy, which & 1 ? w->proxy->routes[0]->program : 0,
			   (int64_t)PASS_NS << which);
		break;
	case EVENT_FLOOD:
		if (s && which == FLOOD_WHICH)
			flood(w, s);
		break;
	case EVENTS:
		break;
	}
}

/* --- a world --- */

static void add_route(struct world *w, uint16_t port)
{
	struct net_address at = net_address_loopback(port), to = at;

	to.v4.sin_addr.s_addr = htonl(0xc000020a);
	/* No answer of portmap tells port 0, and nobody can listen: nothing is to be changed. */
	if (w->is_plain)
		net_address_set_port(&to, 0);
	require(proxy_add_route(w->proxy, &at, &to) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_loop loop = {.speed = 1};
	struct world w = {.left = slice_make(data, size)};
	size_t script = take_byte(&w) % (sizeof(scripts) / sizeof(scripts[0]));

	net_fake_reset();
	w.is_plain = script == 0;
	w.engine = fault_engine_create(1, 0);
	fault_engine_on_fired(w.engine, tell, NULL);
	fault_engine_serve(w.engine, &proxy_fault_ops, &w.proxy);
	require(fault_engine_add(w.engine, "fuzz", slice_of_string(scripts[script])) == NULL);
	w.proxy = proxy_create(&loop, w.engine, hear, NULL);
	add_route(&w, 111);
	add_route(&w, 2049);
	connect_to(&w, 0, false);
	connect_to(&w, 1, false);
	net_fake_refuse(w.is_plain, false);
	for (int i = 0; i < EVENTS_MAX && w.left.len; i++) {
		happen(&w);
		check(&w);
	}
	while (w.proxy->links)
		proxy_link_destroy(w.proxy->links, false);
	require(w.proxy->calls_len == 0 && w.proxy->links_len == 0);
	proxy_destroy(w.proxy);
	fault_engine_destroy(w.engine);
	return 0;
}

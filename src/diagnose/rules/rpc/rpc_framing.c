// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-framing-broken (catalogue B14): where a record mark should stand (RFC 5531 section 11) is
 * something else. Either a side that sent RPC records loses its place in its own stream, or what
 * answers the calls is no RPC server at all.
 *
 * Whoever knocks at the port without ever speaking RPC (a health check, a scanner) is no client,
 * and a connection that goes over to TLS because the client asked for it (RFC 9289) is in order.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>

/* The content types of a TLS record, RFC 8446 section 5.1; the legacy version follows. */
enum { TLS_CONTENT_FIRST = 20, TLS_CONTENT_LAST = 23, TLS_VERSION_MAJOR = 3 };

/* So many good records in a row were no accident. */
enum { RECORDS_OF_JOINED_MIN = 3 };

static bool bytes_are_tls(const struct event_unframed *u)
{
	return u->len > 1 && u->bytes[0] >= TLS_CONTENT_FIRST && u->bytes[0] <= TLS_CONTENT_LAST &&
	       u->bytes[1] == TLS_VERSION_MAJOR;
}

static const char *bytes_text(struct diagnosis *d, const struct event_unframed *u)
{
	const char *text = "";
	bool printable = u->len > 0;

	for (uint8_t i = 0; i < u->len; i++) {
		text = arena_format(&d->arena, "%s%s%02x", text, i ? " " : "", u->bytes[i]);
		printable &= u->bytes[i] >= ' ' && u->bytes[i] < 0x7f && u->bytes[i] != '"';
	}
	if (bytes_are_tls(u))
		return arena_format(&d->arena, "%s, the beginning of a TLS record", text);
	if (!printable)
		return text;
	return arena_format(&d->arena, "%s, \"%.*s\"", text, (int)u->len, (const char *)u->bytes);
}

static bool conn_was_given_up(const struct conn_record *r, enum conn_side by)
{
	return transport_known(&r->rst) || r->fins[by];
}

/* The record of the connection if something can be said of it, else NULL. */
static const struct conn_record *framing_conn(const struct rule_input *in,
					      const struct conn_unframed *u)
{
	const struct conn_record *r = conn_model_find(in->conns, u->conn.serial);

	if (!r || u->what.to_tls || u->conn.lossy || !transport_port_is_nfs(in, &u->conn.server))
		return NULL;
	/* Of a connection that was joined the question for TLS may not be in the capture. */
	if (u->conn.joined && bytes_are_tls(&u->what))
		return NULL;
	/* The first record of such a one was only found by what it looks like. */
	if (u->conn.joined && u->what.records && u->what.records < RECORDS_OF_JOINED_MIN &&
	    !conn_was_given_up(r, conn_other_side(u->what.from)))
		return NULL;
	/* RPC must have been seen on it: of the side itself, or calls that it answers. */
	if (u->what.records == 0 && (u->what.from != CONN_FROM_SERVER || r->calls == 0))
		return NULL;
	return r;
}

static void lost_tell(struct diagnosis *d, struct finding *f, const struct conn_unframed *u,
		      bool closed)
{
	const struct endpoint *from =
		u->what.from == CONN_FROM_CLIENT ? &u->conn.client : &u->conn.server;

	f->title = arena_format(&d->arena, "%s loses its place among its own RPC records",
				transport_endpoint(d, from));
	f->why = arena_format(
		&d->arena,
		"Behind %" PRIu64 " good %s of %s a record mark is due at offset %" PRIu64
		" of its stream, and there is %s. The capture holds every byte before, so the "
		"sender wrote it so, or something on the way changed it.%s",
		u->what.records, u->what.records == 1 ? "record" : "records",
		transport_endpoint(d, from), u->what.offset, bytes_text(d, &u->what),
		closed ? " The other side ended the connection after it, as it can read nothing "
			 "that follows."
		       : " Nothing that follows can be read.");
	finding_rule_out(d, f, "tcp-loss", "no byte before it is missing");
}

static void foreign_tell(struct diagnosis *d, struct finding *f, const struct conn_unframed *u,
			 uint64_t calls)
{
	f->title = arena_format(&d->arena, "what answers at %s is no RPC server",
				transport_endpoint(d, &u->conn.server));
	f->why = arena_format(&d->arena,
			      "%" PRIu64 " RPC %s sent to %s on this connection. Its answer begins "
			      "with %s, which is no record mark and no RPC reply.",
			      calls, calls == 1 ? "call was" : "calls were",
			      transport_endpoint(d, &u->conn.server), bytes_text(d, &u->what));
	finding_rule_out(d, f, "rpc-server-silent", "something did answer");
	finding_rule_out(d, f, "tcp-syn-refused", "the connection was accepted");
}

/* The same fault: the same side of connections of one client host to one port. */
static bool framing_same(const struct conn_unframed *a, const struct conn_unframed *b)
{
	return a->what.from == b->what.from && !a->what.records == !b->what.records &&
	       endpoint_same_host(&a->conn.client, &b->conn.client) &&
	       endpoint_equal(&a->conn.server, &b->conn.server);
}

static void framing_cite(struct diagnosis *d, struct finding *f, const struct conn_record *r,
			 const struct conn_unframed *u)
{
	enum conn_side by = conn_other_side(u->what.from);

	finding_cite(d, f, &u->at, &u->conn, "no record mark: %s", bytes_text(d, &u->what));
	if (transport_known(&r->rst))
		finding_cite(d, f, &r->rst, &u->conn, "the connection is reset");
	else if (r->fins[by])
		finding_cite(d, f, &r->fin[by], &u->conn, "the other side closes");
}

/* One finding of the fault that the i-th shows, and of all that show the same. */
static void framing_tell(const struct rule_input *in, struct diagnosis *d, size_t i)
{
	const struct vec *all = &in->conns->unframed;
	const struct conn_unframed *u = vec_at(all, i);
	const struct conn_record *r = framing_conn(in, u);
	bool lost = u->what.records != 0;
	bool closed = conn_was_given_up(r, conn_other_side(u->what.from));
	struct finding *f = transport_finding(
		d, "rpc-framing-broken", closed || !lost ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
		&u->conn, u->at.at, r->last.at);

	f->count = 0;
	if (lost)
		lost_tell(d, f, u, closed);
	else
		foreign_tell(d, f, u, r->calls);
	for (size_t j = i; j < all->len; j++) {
		const struct conn_unframed *o = vec_at(all, j);

		r = framing_conn(in, o);
		if (!r || !framing_same(u, o))
			continue;
		f->count++;
		if (path_span_ns(f->last, r->last.at) > 0)
			f->last = r->last.at;
		framing_cite(d, f, r, o);
	}
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct vec *all = &in->conns->unframed;

	for (size_t i = 0; i < all->len; i++) {
		bool told = !framing_conn(in, vec_at(all, i));

		for (size_t j = 0; !told && j < i; j++)
			told = framing_conn(in, vec_at(all, j)) &&
			       framing_same(vec_at(all, j), vec_at(all, i));
		if (!told)
			framing_tell(in, out, i);
	}
}

const struct rule rule_rpc_framing_broken = {
	.id = "rpc-framing-broken",
	.needs = "a capture that holds whole packets of the connection",
	.run = run,
};

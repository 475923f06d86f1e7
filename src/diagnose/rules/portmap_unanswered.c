// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * portmap-unanswered: the port of a service cannot be learnt (catalogue B18). Either the portmapper
 * says again and again that there is no such service, or it cannot be asked at all while the host
 * itself is alive.
 *
 * One "no such service" is how clients find out what a server offers: versions and protocols are
 * tried one after the other. A host that is down or cut off is the business of the rules about TCP.
 */
#include "diagnose/rules/host/host_services.h"
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/conn.h"
#include "model/portmap.h"
#include "names/names.h"

#include <inttypes.h>
#include <netinet/in.h>

enum {
	PROGRAM_NFS = 100003,
	PROGRAM_MOUNT = 100005,
	PROGRAM_NLM = 100021,
	NFS_V4 = 4,
	PORT_PORTMAP = 111,
	PORT_NFS = 2049,
};

/* What rpcinfo asks for when it wants to know which versions there are. No mount asks for it. */
enum { VERSION_OF_TOOLS = 0 };

/* A client that needs the service asks on: Linux three times in 6 s, then again every 15 s. */
enum { REFUSALS_MIN = 3 };

#define REFUSALS_MIN_NS   (5 * STAMP_NS_PER_S)
#define REFUSALS_APART_NS (60 * STAMP_NS_PER_S)

/*
 * A TCP connection that was held up by a cut comes back with the next repetition of its SYN, up to
 * 16 s after the cut: only what goes on longer while the host is alive is trouble of its own.
 */
#define TROUBLE_ALIVE_NS (20 * STAMP_NS_PER_S)

/* Tries in vain; a single SYN may be the copy of one of a connection that is over. */
enum { VAIN_MIN = 2 };

/* --- "no such service" --- */

static bool is_needed(uint32_t program)
{
	return program == PROGRAM_NFS || program == PROGRAM_MOUNT || program == PROGRAM_NLM;
}

/* True when the program was told in another version or protocol meanwhile, or later. */
static bool told_otherwise(const struct portmap_model *m, const struct portmap_service *s)
{
	for (size_t i = 0; i < m->services.len; i++) {
		const struct portmap_service *o =
			*(struct portmap_service **)vec_at(&m->services, i);

		if (o != s && o->program == s->program && o->told &&
		    endpoint_equal(&o->client, &s->client) &&
		    endpoint_equal(&o->server, &s->server) &&
		    nlm_apart_ns(s->refusals.first.at, o->told_last.at) >= 0)
			return true;
	}
	return false;
}

static bool refusals_speak(const struct portmap_model *m, const struct portmap_service *s)
{
	const struct portmap_refusals *r = &s->refusals;
	int64_t ns = nlm_apart_ns(r->first.at, r->last.at);

	return is_needed(s->program) && s->version != VERSION_OF_TOOLS &&
	       r->count >= REFUSALS_MIN && ns >= REFUSALS_MIN_NS &&
	       ns / (int64_t)(r->count - 1) <= REFUSALS_APART_NS && !told_otherwise(m, s);
}

/* Calls were seen at the host that need a portmapper: NFSv2 and v3, MOUNT, the lock manager. */
static bool is_missed(const struct rule_input *in, const struct endpoint *server)
{
	for (size_t i = 0; i < in->conns->rpc_servers.len; i++) {
		const struct conn_rpc_server *s =
			*(struct conn_rpc_server **)vec_at(&in->conns->rpc_servers, i);

		for (uint32_t j = 0; j < s->programs_len; j++) {
			const struct conn_program *p = &s->programs[j];

			if (!p->callback && endpoint_same_host(&s->at, server) &&
			    is_needed(p->program) &&
			    (p->program != PROGRAM_NFS || p->version < NFS_V4))
				return true;
		}
	}
	return false;
}

/* NFS is at work there, and all that is seen of it may be NFSv4, which needs no portmapper. */
static bool may_be_only_nfs4(const struct rule_input *in, const struct endpoint *server)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r =
			*(struct conn_record **)vec_at(&in->conns->records, i);

		if ((r->carried_rpc || r->conn.server.port == PORT_NFS) &&
		    r->conn.server.port != PORT_PORTMAP &&
		    endpoint_same_host(&r->conn.server, server))
			return !is_missed(in, server);
	}
	return false;
}

static const char *service_text(struct diagnosis *d, const struct portmap_service *s)
{
	const struct names_program *program = names_program_find(s->program);
	const char *protocol = s->protocol == IPPROTO_TCP   ? " over TCP"
			       : s->protocol == IPPROTO_UDP ? " over UDP"
							    : "";

	return arena_format(&d->arena, "%s (program %" PRIu32 ") version %" PRIu32 "%s",
			    program ? program->name : "a service", s->program, s->version,
			    protocol);
}

/* Somebody asks, and nothing shows that anybody needs it: a monitor, a list of exports. */
static void refusals_doubt(struct diagnosis *d, const struct portmap_service *s)
{
	diagnosis_undecided(
		d, "portmap-unanswered",
		arena_format(&d->arena,
			     "whether anybody needs %s, which the portmapper of %s does not have: "
			     "all that is seen of NFS there may be version 4, which needs none",
			     service_text(d, s), nfs4_host_text(d, &s->server)),
		"on the client: nfsstat -m, and which program asks: ss -tunp dport = :111");
}

static void refusals_tell(struct diagnosis *d, const struct portmap_service *s)
{
	const struct portmap_refusals *r = &s->refusals;
	bool over = r->over.frame != FRAME_NONE;
	struct finding *f = diagnosis_add(d, "portmap-unanswered", CONFIDENCE_CERTAIN);

	finding_set_server(d, f, &s->server);
	finding_add_client(d, f, &s->client);
	finding_subject(d, f, "service", "%s", service_text(d, s));
	f->first = r->first.at;
	f->last = over ? r->over.at : r->last.at;
	f->count = r->count;
	f->title = arena_format(&d->arena, "the portmapper of %s has no port of %s",
				nfs4_host_text(d, &s->server), service_text(d, s));
	f->why = arena_format(&d->arena,
			      "%s asked %" PRIu64
			      " times, from %s to %s, and was answered each time that the "
			      "service is not registered, so it cannot even try to reach it. %s",
			      nfs4_host_text(d, &s->client), r->count,
			      nlm_time_text(d, r->first.at), nlm_time_text(d, r->last.at),
			      over ? arena_format(&d->arena, "At %s it was told a port.",
						  nlm_time_text(d, r->over.at))
				   : "No other version or protocol of it was told either.");
	finding_cite(d, f, &r->first, &s->conn, "the first answer: no such service");
	finding_cite(d, f, &r->last, &s->conn, "the last answer: no such service");
	finding_cite(d, f, &r->over, &s->conn, "a port is told");
	for (uint32_t i = 1; i < r->cites_len; i++)
		finding_cite(d, f, &r->cites[i], &s->conn, "no such service");
	finding_rule_out(d, f, "tcp-syn-unanswered", "the portmapper answers each question");
}

/* --- a portmapper that cannot be asked --- */

/* True when the host serves something whose port has to be asked for. */
static bool needs_portmap(const struct rule_input *in, const struct portmap_peer *p)
{
	return p->asked || is_missed(in, &p->server);
}

/*
 * The capture lost bytes of a connection to the portmapper meanwhile: its answer may be among them.
 * That is known when a connection ends, which is later than when it was asked.
 */
static bool capture_lost_some(const struct rule_input *in, const struct portmap_peer *p,
			      const struct portmap_trouble *t, struct stamp end)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r =
			*(struct conn_record **)vec_at(&in->conns->records, i);

		if (r->conn.lossy && endpoint_equal(&r->conn.server, &p->server) &&
		    endpoint_same_host(&r->conn.client, &p->client) &&
		    nlm_apart_ns(r->first.at, end) >= 0 &&
		    nlm_apart_ns(t->first.at, r->last.at) >= 0)
			return true;
	}
	return false;
}

static bool trouble_speaks(const struct rule_input *in, const struct portmap_peer *p,
			   const struct portmap_trouble *t)
{
	struct stamp end = t->over.frame != FRAME_NONE ? t->over.at : t->last.at;

	if (!t->call_sure &&
	    (t->vain < VAIN_MIN || evidence_may_lack(in->evidence, p->conn.evidence, t->vain)))
		return false;
	return t->refused == 0 && !t->lossy && t->alive.frame != FRAME_NONE &&
	       nlm_apart_ns(t->alive.at, end) >= TROUBLE_ALIVE_NS &&
	       !capture_lost_some(in, p, t, end);
}

static void trouble_cite(struct diagnosis *d, struct finding *f, const struct portmap_peer *p,
			 const struct portmap_trouble *t)
{
	finding_cite(d, f, &t->first, &p->conn, "the portmapper is asked in vain, first");
	finding_cite(d, f, &t->alive, &p->conn, "meanwhile the same host answers");
	finding_cite(d, f, &t->last, &p->conn, "the portmapper is asked in vain, last");
	finding_cite(d, f, &t->over, &p->conn, "the portmapper answers");
	finding_cite(d, f, &t->worked_before, &p->conn, "it has worked before");
}

/* What was in vain. */
static const char *vain_text(struct diagnosis *d, const struct portmap_trouble *t)
{
	const char *connections =
		nfs4_count_text(d, t->connections, "connection to the portmapper was not completed",
				"connections to the portmapper were not completed");
	const char *calls = nfs4_count_text(d, t->calls, "call to it was not answered",
					    "calls to it were not answered");

	if (t->connections == 0 || t->calls == 0)
		return t->calls ? calls : connections;
	return arena_format(&d->arena, "%s and %s", connections, calls);
}

static void trouble_tell(struct diagnosis *d, const struct portmap_peer *p,
			 const struct portmap_trouble *t)
{
	const struct provenance *end = t->over.frame != FRAME_NONE ? &t->over : &t->last;
	struct finding *f = diagnosis_add(d, "portmap-unanswered", CONFIDENCE_LIKELY);

	finding_set_server(d, f, &p->server);
	finding_add_client(d, f, &p->client);
	f->first = t->first.at;
	f->last = end->at;
	f->count = t->connections + t->calls;
	f->title = arena_format(&d->arena, "the portmapper of %s could not be asked by %s for %s",
				nfs4_host_text(d, &p->server), nfs4_host_text(d, &p->client),
				nfs4_duration_text(d, nlm_apart_ns(t->first.at, end->at)));
	f->why = arena_format(
		&d->arena,
		"From %s on %s, while the same host answered otherwise. Without the portmapper the "
		"ports of MOUNT and of the lock manager cannot be learnt: locks and mounts wait. "
		"%s",
		nlm_time_text(d, t->first.at), vain_text(d, t),
		t->over.frame != FRAME_NONE ? arena_format(&d->arena, "It answered again at %s.",
							   nlm_time_text(d, t->over.at))
					    : "That did not change within the evidence.");
	trouble_cite(d, f, p, t);
	finding_rule_out(d, f, "tcp-syn-refused", "none of these connections was refused");
	finding_rule_out(d, f, "tcp-path-silent", "the host answered other packets meanwhile");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->portmap->services.len; i++) {
		const struct portmap_service *s =
			*(struct portmap_service **)vec_at(&in->portmap->services, i);

		if (!refusals_speak(in->portmap, s))
			continue;
		if (may_be_only_nfs4(in, &s->server))
			refusals_doubt(out, s);
		else
			refusals_tell(out, s);
	}
	for (size_t i = 0; i < in->portmap->peers.len; i++) {
		const struct portmap_peer *p =
			*(struct portmap_peer **)vec_at(&in->portmap->peers, i);

		for (uint32_t j = 0; j < p->troubles_len && needs_portmap(in, p); j++)
			if (trouble_speaks(in, p, &p->troubles[j]))
				trouble_tell(out, p, &p->troubles[j]);
	}
	host_services_missing(in, out);
}

const struct rule rule_portmap_unanswered = {
	.id = "portmap-unanswered",
	.needs = "a capture that shows the traffic of port 111, or the server's rpcinfo beside a "
		 "client's log",
	.run = run,
};

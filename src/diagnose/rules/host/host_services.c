// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server's list of RPC services (rpcinfo) tells of its lock manager, each for its id:
 *
 * nlm-port-changed    it is registered at another port than the one that clients try in vain (C1)
 * portmap-unanswered  it is not registered at all, and a client's lockd complains (B18)
 *
 * A list does not name its host: one with NFSv3 in it is a server's, and where there are several
 * servers' lists it is not known whose it is.
 */
#include "diagnose/rules/host/host_services.h"

#include "diagnose/rules/host/host_common.h"
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"
#include "model/host.h"

#include <inttypes.h>
#include <string.h>

enum { PROGRAM_NFS = 100003, PROGRAM_NLM = 100021, NFS_V3 = 3, REFUSED_MIN = 2 };

/* The list of the one host that serves NFSv3. */
struct server_list {
	const struct host_record
		*nfs; /* its row of NFSv3; NULL: there is none, or there are several */
	const struct host_record *nlm; /* the first row of the lock manager over TCP; NULL: none */
	bool has_nlm;                  /* over any transport */
};

static struct server_list list_of_server(const struct rule_input *in)
{
	struct server_list found = {0};
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_SERVICE, &i))) {
		const struct service_fact *s = &r->fact.service;

		if (s->program != PROGRAM_NFS || s->version != NFS_V3)
			continue;
		if (found.nfs && found.nfs->fact.list != r->fact.list)
			return (struct server_list){0};
		if (!found.nfs)
			found.nfs = r;
	}
	i = 0;
	while (found.nfs && (r = host_model_next(in->hosts, HOST_SERVICE, &i))) {
		const struct service_fact *s = &r->fact.service;

		if (s->program != PROGRAM_NLM || r->fact.list != found.nfs->fact.list)
			continue;
		found.has_nlm = true;
		if (!found.nlm && s->is_tcp)
			found.nlm = r;
	}
	return found;
}

static bool list_has_port(const struct rule_input *in, const struct server_list *l, uint16_t port)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_SERVICE, &i)))
		if (r->fact.list == l->nfs->fact.list && r->fact.service.is_tcp &&
		    r->fact.service.port == port)
			return true;
	return false;
}

static bool spoke_nlm(const struct rule_input *in, const struct endpoint *server)
{
	const struct conn_rpc_server *s = conn_model_rpc_server(in->conns, server);

	for (uint32_t i = 0; s && i < s->programs_len; i++)
		if (s->programs[i].program == PROGRAM_NLM)
			return true;
	return false;
}

static void moved_tell(struct diagnosis *d, const struct conn_reach *reach,
		       const struct conn_outage *o, const struct server_list *l)
{
	struct finding *f = diagnosis_add(d, "nlm-port-changed", CONFIDENCE_LIKELY);
	uint16_t port = l->nlm->fact.service.port;

	finding_set_server(d, f, &reach->server);
	finding_add_client(d, f, &reach->client);
	f->first = o->first.at;
	f->last = o->last.at;
	f->count = o->refused;
	f->title = arena_format(
		&d->arena, "%s tries the lock manager at %s, which listens at port %u now",
		transport_host(d, &reach->client), transport_endpoint(d, &reach->server), port);
	f->why = arena_format(
		&d->arena,
		"%" PRIu64
		" SYNs to %s, where the lock manager had been, were refused (RST) to the "
		"end of the evidence. The server's portmapper has it at port %u.",
		o->refused, transport_endpoint(d, &reach->server), port);
	for (uint32_t i = 0; i < o->cites_len; i++)
		finding_cite(d, f, &o->cites[i], NULL, "RST: nothing listens there");
	finding_cite(d, f, &l->nlm->at, NULL,
		     "the lock manager's port, as the portmapper lists it");
	finding_rule_out(d, f, "portmap-unanswered", "the lock manager is registered");
}

void host_services_moved(const struct rule_input *in, struct diagnosis *out)
{
	struct server_list l = list_of_server(in);

	if (!l.nlm || host_is_told(out, "nlm-port-changed"))
		return;
	for (size_t i = 0; i < in->conns->reach.len; i++) {
		const struct conn_reach *r = *(struct conn_reach **)vec_at(&in->conns->reach, i);
		const struct conn_outage *o = vec_last(&r->outages);

		if (r->down && o && o->refused >= REFUSED_MIN && spoke_nlm(in, &r->server) &&
		    !list_has_port(in, &l, r->server.port))
			moved_tell(out, r, o, &l);
	}
}

static void missing_tell(const struct rule_input *in, struct diagnosis *d,
			 const struct logs_interval *v, const struct server_list *l)
{
	struct finding *f = diagnosis_add(d, "portmap-unanswered", CONFIDENCE_POSSIBLE);

	log_finding_about(in, d, f, &v->of);
	log_finding_span(f, &v->first);
	log_finding_span(f, &v->last);
	f->count = 1;
	f->title = arena_format(&d->arena, "the lock manager of %s is perhaps not registered",
				log_server_text(d, &v->of));
	f->why = arena_format(
		&d->arena,
		"lockd of %s complains that %s does not respond, and the only list of RPC "
		"services with NFSv3 has no lock manager (nlockmgr, program 100021). If it is "
		"that server's, and from that time, the port cannot be learnt, and locks wait. "
		"The list does not name its host.",
		log_text(d, v->of.host->name), log_server_text(d, &v->of));
	finding_cite(d, f, &v->first, NULL, "lockd complains");
	finding_cite(d, f, &l->nfs->at, NULL, "the list that has NFSv3, and no lock manager");
	/* The name is what a log says: no text for somebody's shell. */
	finding_add_remedy(d, f,
			   "From the client that complains, while it does: `rpcinfo -p SERVER`: is "
			   "nlockmgr (100021) there?");
}

void host_services_missing(const struct rule_input *in, struct diagnosis *out)
{
	struct server_list l = list_of_server(in);

	if (!l.nfs || l.has_nlm || !in->logs || host_is_told(out, "portmap-unanswered"))
		return;
	for (size_t i = 0; i < in->logs->intervals.len; i++) {
		const struct logs_interval *v = logs_interval_at(in->logs, i);

		if (strcmp(v->of.program, "lockd") != 0)
			continue;
		missing_tell(in, out, v, &l);
		return;
	}
}

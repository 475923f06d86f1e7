// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-client-owner-collision from the server's own trace: nfsd_clid_verf_mismatch says which boot
 * verifier took the place of which. A rebooted client's old verifier is gone for good; one that
 * takes its place back is another instance that is still alive.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>
#include <string.h>

#include "model/nfs4/clid.h"

/* A machine may be put back to a snapshot once. */
enum { RETURNS_SURE = 2 };

/* Those that replaced each other under one owner. */
struct family {
	const struct clid_instance *first; /* of those that came back */
	const struct clid_instance *second;
	size_t alive; /* instances that came back */
	size_t sure;  /* as often as no snapshot does it */
	uint64_t returns;
	const char *name;
};

bool nfs4_trace_was_told(const struct diagnosis *d, const char *id)
{
	for (size_t i = 0; i < d->findings.len; i++)
		if (strcmp(finding_at(&d->findings, i)->id, id) == 0)
			return true;
	return false;
}

const char *nfs4_trace_host_text(struct diagnosis *d, const char *host, bool told)
{
	if (told)
		return log_text(d, host);
	return arena_format(&d->arena, "the host of %s", log_text(d, host));
}

static const struct clid_instance *instance_at(const struct clid_model *m, size_t index)
{
	return *(struct clid_instance *const *)vec_at(&m->instances, index);
}

static struct family family_of(const struct clid_model *m, uint32_t number)
{
	struct family f = {.name = ""};

	for (size_t i = 0; i < m->instances.len; i++) {
		const struct clid_instance *one = instance_at(m, i);

		if (one->family != number)
			continue;
		if (f.name[0] == '\0')
			f.name = one->name;
		f.returns += one->came_back;
		f.sure += one->came_back >= RETURNS_SURE;
		if (one->came_back == 0)
			continue;
		f.alive++;
		if (!f.first)
			f.first = one;
		else if (!f.second)
			f.second = one;
	}
	return f;
}

static const char *client_text(struct diagnosis *d, const struct clid_instance *i)
{
	return i->has_client ? transport_endpoint(d, &i->client)
			     : "an address that the trace does not tell";
}

static void add_instance(struct diagnosis *d, struct finding *f, const struct clid_instance *i)
{
	finding_subject(d, f, "instance", "boot verifier 0x%016" PRIx64 ", from %s", i->verifier,
			client_text(d, i));
	if (i->has_client)
		finding_add_client(d, f, &i->client);
	log_finding_span(f, &i->first);
	log_finding_span(f, &i->last);
	for (uint32_t k = 0; k < i->cites_len; k++)
		finding_cite(d, f, &i->cites[k], NULL,
			     "the instance 0x%016" PRIx64 " takes its place back", i->verifier);
}

static void tell(struct diagnosis *d, const struct family *family)
{
	const struct clid_instance *a = family->first;
	const struct clid_instance *b = family->second;
	bool apart = a->has_client && b->has_client && !endpoint_same_host(&a->client, &b->client);
	struct finding *f =
		diagnosis_add(d, "nfs4-client-owner-collision",
			      family->sure >= 2 ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const char *owner = family->name[0]
				    ? arena_format(&d->arena, " \"%s\"", log_text(d, family->name))
				    : "";

	finding_subject(d, f, "trace of", "%s", nfs4_trace_host_text(d, a->host, a->host_told));
	f->host = log_text(d, a->host);
	if (family->name[0])
		finding_subject(d, f, "owner", "%s", log_text(d, family->name));
	add_instance(d, f, a);
	add_instance(d, f, b);
	f->count = family->returns;
	f->title = arena_format(&d->arena,
				"%zu client instances present one owner%s and throw each other out",
				family->alive, owner);
	f->why = arena_format(
		&d->arena,
		"The server's trace shows whose boot verifier took whose place: %zu verifiers came "
		"back after they had been replaced, %" PRIu64
		" times in all. A client that reboots "
		"never comes back with its old verifier, so these are instances that live at the "
		"same time%s, and the server must take each for a reboot of the other.",
		family->alive, family->returns,
		apart ? arena_format(&d->arena, ", at %s and %s", client_text(d, a),
				     client_text(d, b))
		      : "");
	finding_rule_out(
		d, f, "nfs4-server-restart",
		"one run of the server's trace tells it, and its table of clients went on");
	finding_rule_out(d, f, "nfs4-lease-expired",
			 "the clients were replaced by another verifier, and not expired");
}

void nfs4_collision_tell_trace(const struct rule_input *in, struct diagnosis *out)
{
	const struct clid_model *m = in->clids;

	if (nfs4_trace_was_told(out, "nfs4-client-owner-collision"))
		return; /* the wire has told it, with frames */
	for (uint32_t i = 0; m && i < m->instances.len; i++) {
		struct family family;

		if (instance_at(m, i)->family != i)
			continue;
		family = family_of(m, i);
		if (family.alive >= 2)
			tell(out, &family);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See same_server.h. Two addresses are of one server when EXCHANGE_ID told the same server owner
 * and scope at both (RFC 8881 section 2.10.5), and what the client IDs tell of the start of the
 * service agrees: owner and scope are host names on Linux, and machines may share a name.
 */
#include "diagnose/same_server.h"

#include "model/nfs4/nfs4.h"

#include <string.h>

static bool name_equal(const struct nfs4_name *a, const struct nfs4_name *b)
{
	return a->len > 0 && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* True when the client IDs of both tell a start of the service, and none is the other's. */
static bool boots_differ(const struct nfs4_server *a, const struct nfs4_server *b)
{
	if (a->boots_len == 0 || b->boots_len == 0)
		return a->boots_len != b->boots_len;
	for (uint32_t i = 0; i < a->boots_len; i++)
		for (uint32_t k = 0; k < b->boots_len; k++)
			if (a->boots[i].boot_s == b->boots[k].boot_s)
				return false;
	return true;
}

bool same_server_is(const struct nfs4_server *a, const struct nfs4_server *b)
{
	return name_equal(&a->owner, &b->owner) && name_equal(&a->scope, &b->scope) &&
	       !boots_differ(a, b);
}

static const struct nfs4_server *server_at(const struct nfs4_model *m, size_t index)
{
	return *(struct nfs4_server **)vec_at(&m->servers, index);
}

/* The lowest address of the server at this one. */
static struct endpoint root_of(const struct nfs4_model *m, const struct endpoint *at)
{
	const struct nfs4_server *own = NULL;
	struct endpoint root = *at;

	for (size_t i = 0; i < m->servers.len && !own; i++)
		if (endpoint_same_host(&server_at(m, i)->at, at))
			own = server_at(m, i);
	for (size_t i = 0; own && i < m->servers.len; i++) {
		const struct nfs4_server *s = server_at(m, i);

		if (same_server_is(own, s) && memcmp(s->at.addr, root.addr, sizeof(root.addr)) < 0)
			root = s->at;
	}
	return root;
}

void same_servers_settle(const struct rule_input *in, struct diagnosis *d)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		struct finding *f = finding_at(&d->findings, i);

		f->server_root = in->nfs4 ? root_of(in->nfs4, &f->server_at) : f->server_at;
	}
}

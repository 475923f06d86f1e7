// SPDX-License-Identifier: GPL-2.0-or-later
/* See host_address.h. */
#include "diagnose/host_address.h"

#include <string.h>

#include "base/strbuf.h"
#include "event/evidence.h"
#include "model/host.h"

enum { HOST_ADDRESSES_MAX = 64, ADDRESSES_MAX = 4096 };

struct host_address {
	const char *host; /* as evidence names it */
	struct endpoint at;
	bool shared; /* another host has it, too */
};

/* Addresses of every host: 127.0.0.0/8, ::1, 169.254.0.0/16, fe80::/10 and "any". */
static bool is_everywhere(const struct endpoint *e)
{
	static const uint8_t zero[16] = {0};
	const uint8_t *a = e->addr;

	if (endpoint_is_ipv4(e))
		return a[12] == 127 || (a[12] == 169 && a[13] == 254) ||
		       memcmp(a + 12, zero, 4) == 0;
	return memcmp(a, zero, 15) == 0 || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

static void add(struct vec *all, const char *host, const struct endpoint *at)
{
	bool shared = false;

	if (is_everywhere(at))
		return;
	for (size_t i = 0; i < all->len; i++) {
		struct host_address *a = vec_at(all, i);

		if (!endpoint_same_host(&a->at, at))
			continue;
		if (strcmp(a->host, host) == 0)
			return;
		a->shared = shared = true;
	}
	if (all->len < ADDRESSES_MAX)
		*(struct host_address *)vec_push(all) =
			(struct host_address){.host = host, .at = *at, .shared = shared};
}

static void collect(const struct rule_input *in, enum host_fact_kind kind, struct vec *all)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, kind, &i))) {
		const char *host = evidence_list_at(in->evidence, r->at.evidence)->host;

		if (host)
			add(all, host,
			    kind == HOST_ADDRESS ? &r->fact.address.at : &r->fact.socket.local);
	}
}

/* The finding's host is written as it is printed. */
static bool is_host(const struct finding *f, const char *host)
{
	struct strbuf safe;
	bool same;

	strbuf_init(&safe);
	strbuf_add_safe(&safe, slice_of_string(host));
	same = strcmp(strbuf_text(&safe), f->host) == 0;
	strbuf_deinit(&safe);
	return same;
}

void host_addresses_settle(const struct rule_input *in, struct diagnosis *d)
{
	struct vec all;

	if (!in->hosts || !in->evidence)
		return;
	vec_init(&all, sizeof(struct host_address));
	collect(in, HOST_ADDRESS, &all);
	collect(in, HOST_SOCKET, &all);
	for (size_t i = 0; i < d->findings.len; i++) {
		struct finding *f = finding_at(&d->findings, i);

		if (!f->host || f->server || f->clients_at.len)
			continue;
		for (size_t k = 0; k < all.len && f->host_at.len < HOST_ADDRESSES_MAX; k++) {
			const struct host_address *a = vec_at(&all, k);

			if (!a->shared && is_host(f, a->host))
				*(struct endpoint *)vec_push(&f->host_at) = a->at;
		}
	}
	vec_deinit(&all);
}

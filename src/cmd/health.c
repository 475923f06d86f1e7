// SPDX-License-Identifier: GPL-2.0-or-later
/* See health.h. */
#include "cmd/health.h"

#include <inttypes.h>
#include <stdlib.h>

#include "model/vantage.h"

static void health_add_damage(struct evidence_list *list, uint32_t index, uint64_t count,
			      const char *what)
{
	if (count)
		evidence_add_damage(list, index, what, count, UINT64_MAX, 0);
}

static void health_enter_drops(struct evidence_list *list, uint32_t index,
			       const struct capfile_drops *drops)
{
	if (!drops->known)
		return;
	evidence_list_at(list, index)->dropped_packets =
		drops->interface_drops + drops->system_drops;
	health_add_damage(list, index, drops->interface_drops,
			  "packets that the interface dropped before they were captured");
	health_add_damage(list, index, drops->system_drops,
			  "packets that the capturing system dropped");
}

static void health_enter_cuts(struct evidence_list *list, uint32_t index,
			      const struct capfile_stats *stats)
{
	struct strbuf what;

	if (!stats->cut_count)
		return;
	strbuf_init(&what);
	strbuf_add_text(&what, "packets cut by the snap length");
	if (stats->snaplen)
		strbuf_add_format(&what, " (%u bytes)", stats->snaplen);
	evidence_add_damage(list, index, strbuf_text(&what), stats->cut_count, UINT64_MAX,
			    evidence_list_at(list, index)->cut_first_frame);
	strbuf_deinit(&what);
}

static void health_enter_order(struct evidence_list *list, uint32_t index,
			       const struct capfile_stats *stats)
{
	char duration[STAMP_TEXT_BYTES];
	struct strbuf what;

	if (!stats->backwards_count)
		return;
	strbuf_init(&what);
	stamp_format_duration(stats->backwards_max_ns, duration);
	strbuf_add_format(&what,
			  "packets with a time before that of their predecessor (%s at most)",
			  duration);
	health_add_damage(list, index, stats->backwards_count, strbuf_text(&what));
	strbuf_deinit(&what);
}

static void health_enter_notes(struct evidence_list *list, uint32_t index,
			       const struct capfile_stats *stats)
{
	struct strbuf note;

	strbuf_init(&note);
	if (stats->application) {
		strbuf_add_text(&note, "written by ");
		strbuf_add_safe(&note, slice_of_string(stats->application));
		evidence_add_note(list, index, strbuf_text(&note));
		strbuf_reset(&note);
	}
	for (size_t i = 0; i < stats->comment_count; i++) {
		const struct capfile_comment *c = &stats->comments[i];

		if (c->frame)
			strbuf_add_format(&note, "comment on frame %" PRIu64 ": ", c->frame);
		else
			strbuf_add_text(&note, "comment: ");
		strbuf_add_safe(&note, slice_of_string(c->text));
		evidence_add_note(list, index, strbuf_text(&note));
		strbuf_reset(&note);
	}
	strbuf_deinit(&note);
}

void health_enter_stats(struct evidence_list *list, uint32_t index,
			const struct capfile_stats *stats)
{
	struct evidence *e = evidence_list_at(list, index);

	e->records = stats->packets;
	e->first = stats->first;
	e->last = stats->last;
	e->wire_bytes = stats->wire_bytes;
	e->cut_packets = stats->cut_count;
	for (size_t i = 0; i < stats->damage_count; i++) {
		const struct capfile_damage *d = &stats->damage[i];

		evidence_add_damage(list, index, capfile_damage_text(d->kind), d->count, d->offset,
				    d->frame);
	}
	health_enter_cuts(list, index, stats);
	health_enter_drops(list, index, &stats->drops);
	health_enter_order(list, index, stats);
	health_add_damage(list, index, stats->untimed_count, "packets without a time");
	health_enter_notes(list, index, stats);
}

void health_enter_hostclock(struct evidence_list *list, uint32_t index,
			    const struct hostclock *clock)
{
	struct evidence *e = evidence_list_at(list, index);
	char boot[STAMP_TEXT_BYTES];
	char error[STAMP_TEXT_BYTES];
	struct strbuf note;

	e->records = 1;
	e->first = e->last = clock->at;
	e->clock_error_ns = clock->error_ns;
	stamp_format(stamp_utc(clock->boot_ns), boot);
	stamp_format_duration(clock->error_ns, error);
	strbuf_init(&note);
	strbuf_add_format(&note, "by its date and uptime the host booted at %s, within %s", boot,
			  error);
	evidence_add_note(list, index, strbuf_text(&note));
	strbuf_deinit(&note);
}

void health_enter_mounts(struct evidence_list *list, uint32_t index, uint64_t mounts)
{
	struct strbuf note;

	if (mounts == 0)
		return;
	strbuf_init(&note);
	strbuf_add_format(&note, "tells %" PRIu64 " %s of NFS, too", mounts,
			  mounts == 1 ? "mount" : "mounts");
	evidence_add_note(list, index, strbuf_text(&note));
	strbuf_deinit(&note);
}

/* Pairs of hosts of one capture of which the place is asked. */
enum { HEALTH_PAIRS_MAX = 16 };

struct health_place {
	struct conn pairs[HEALTH_PAIRS_MAX];
	size_t pairs_len;
	struct vantage vantage; /* the first that is known */
	struct endpoint host;   /* on or near which it was taken */
	bool is_known, disagree;
};

static void health_place_add(struct health_place *p, const struct conn_model *conns,
			     const struct conn *conn)
{
	const struct endpoint *host;
	struct vantage v;

	for (size_t i = 0; i < p->pairs_len; i++)
		if (endpoint_same_host(&p->pairs[i].client, &conn->client) &&
		    endpoint_same_host(&p->pairs[i].server, &conn->server))
			return;
	if (p->pairs_len == HEALTH_PAIRS_MAX)
		return;
	p->pairs[p->pairs_len++] = *conn;
	v = vantage_of(conns, conn);
	if (v.place == VANTAGE_UNKNOWN)
		return;
	host = v.place == VANTAGE_AT_SERVER ? &conn->server : &conn->client;
	if (p->is_known && (v.place == VANTAGE_BETWEEN || p->vantage.place == VANTAGE_BETWEEN
				    ? v.place != p->vantage.place
				    : !endpoint_same_host(host, &p->host)))
		p->disagree = true;
	/* the surest reason is the first */
	if (!p->is_known || v.reason < p->vantage.reason) {
		p->vantage = v;
		p->host = *host;
	}
	p->is_known = true;
}

static void health_note_place(struct evidence_list *list, uint32_t index,
			      const struct health_place *p)
{
	struct strbuf note;

	if (!p->is_known || p->disagree)
		return;
	strbuf_init(&note);
	if (p->vantage.place == VANTAGE_BETWEEN) {
		strbuf_add_text(&note, "taken between the hosts that it shows");
	} else {
		strbuf_add_text(&note, p->vantage.on_host ? "taken on " : "taken at or near ");
		endpoint_add_host(&note, &p->host);
	}
	strbuf_add_format(&note, ", %s", vantage_reason_text(p->vantage.reason));
	evidence_add_note(list, index, strbuf_text(&note));
	strbuf_deinit(&note);
}

void health_enter_vantage(struct evidence_list *list, const struct conn_model *conns)
{
	for (uint32_t e = 0; e < list->items.len; e++) {
		struct health_place place = {0};

		for (size_t i = 0; i < conns->records.len; i++) {
			const struct conn_record *r =
				*(struct conn_record **)vec_at(&conns->records, i);

			if (r->conn.evidence == e && r->carried_rpc &&
			    r->conn.transport == TRANSPORT_TCP)
				health_place_add(&place, conns, &r->conn);
		}
		health_note_place(list, e, &place);
	}
}

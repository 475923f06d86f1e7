// SPDX-License-Identifier: GPL-2.0-or-later
/* See show_nfs4.h. */
#include "cmd/show/show_nfs4.h"

#include <stdlib.h>

#include "cmd/label.h"
#include "report/layout.h"

void show_nfs4_place(struct show *s, struct json *j, const char *key, const struct provenance *at)
{
	json_key(j, key);
	if (at->frame == FRAME_NONE) {
		json_null(j);
		return;
	}
	json_object_begin(j);
	json_member_text(j, "evidence", show_evidence(s, at->evidence));
	json_member_u64(j, "frame", at->frame);
	label_member_stamp(j, "time", at->at);
	json_object_end(j);
}

void show_nfs4_hex(struct json *j, const char *key, struct slice bytes)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_hex(&text, bytes);
	json_member_text(j, key, strbuf_text(&text));
	strbuf_deinit(&text);
}

void show_nfs4_clientid(struct json *j, const char *key, uint64_t id)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_format(&text, "%016llx", (unsigned long long)id);
	json_member_text(j, key, strbuf_text(&text));
	strbuf_deinit(&text);
}

static void add_place(struct show *s, const char *what, const struct provenance *at)
{
	if (at->frame == FRAME_NONE)
		return;
	strbuf_add_format(&s->line, ", %s in ", what);
	if (s->run.evidence.items.len > 1)
		strbuf_add_format(&s->line, "%s ", show_evidence(s, at->evidence));
	strbuf_add_format(&s->line, "frame %llu", (unsigned long long)at->frame);
}

void show_nfs4_session_story(struct show *s, const struct nfs4_session *n)
{
	struct strbuf *line = &s->line;

	layout_add_counted(line, n->sequences, "call");
	if (n->slots)
		strbuf_add_format(line, ", %u of %u slots used",
				  n->sequences ? n->highest_slot + 1 : 0, n->slots);
	if (n->created.frame == FRAME_NONE)
		strbuf_add_text(line, ", made before the evidence begins");
	add_place(s, "made", &n->created);
	add_place(s, "last used", &n->last_ok);
	add_place(s, "refused", &n->refused);
	if (n->refusals > 1) {
		strbuf_add_text(line, " and ");
		layout_add_counted(line, n->refusals - 1, "more time");
	}
	add_place(s, "destroyed", &n->destroyed);
}

void show_nfs4_session_members(struct show *s, struct json *j, const struct nfs4_session *n)
{
	struct strbuf text;

	strbuf_init(&text);
	show_nfs4_hex(j, "sessionid", slice_make(n->id, NFS4_SESSIONID_BYTES));
	endpoint_add_text(&text, &n->server->at);
	label_member(j, "server", &text);
	if (n->has_clientid)
		show_nfs4_clientid(j, "clientid", n->clientid);
	else
		json_member_null(j, "clientid");
	show_nfs4_place(s, j, "created", &n->created);
	show_nfs4_place(s, j, "last_ok", &n->last_ok);
	show_nfs4_place(s, j, "refused", &n->refused);
	show_nfs4_place(s, j, "destroyed", &n->destroyed);
	json_member_bool(j, "destroyed_by_client", n->destroyed_by_client);
	json_member_u64(j, "sequences", n->sequences);
	json_member_u64(j, "refusals", n->refusals);
	json_member_u64(j, "slots", n->slots);
	json_member_u64(j, "highest_slot", n->highest_slot);
	strbuf_deinit(&text);
}

static int entry_compare(const void *a, const void *b)
{
	const struct show_nfs4_entry *left = a;
	const struct show_nfs4_entry *right = b;
	uintptr_t left_owner = (uintptr_t)left->owner;
	uintptr_t right_owner = (uintptr_t)right->owner;

	if (left_owner != right_owner)
		return left_owner < right_owner ? -1 : 1;
	if (left->id != right->id)
		return left->id < right->id ? -1 : 1;
	return (left->position > right->position) - (left->position < right->position);
}

static void index_add(struct show_nfs4_index *x, const void *owner, uint64_t id, size_t position,
		      const void *item)
{
	*(struct show_nfs4_entry *)vec_push(&x->entries) =
		(struct show_nfs4_entry){owner, id, position, item};
}

static void index_sort(struct show_nfs4_index *x)
{
	if (x->entries.len)
		qsort(x->entries.items, x->entries.len, x->entries.item_bytes, entry_compare);
}

void show_nfs4_index_clientids(struct show_nfs4_index *x, const struct nfs4_model *m)
{
	size_t position = 0;

	vec_init(&x->entries, sizeof(struct show_nfs4_entry));
	for (const struct nfs4_clientid *id = m->clientids; id; id = id->next)
		index_add(x, id->instance, 0, position++, id);
	index_sort(x);
}

void show_nfs4_index_sessions(struct show_nfs4_index *x, const struct nfs4_model *m)
{
	size_t position = 0;

	vec_init(&x->entries, sizeof(struct show_nfs4_entry));
	for (const struct nfs4_session *n = m->sessions; n; n = n->next)
		if (n->has_clientid)
			index_add(x, n->server, n->clientid, position++, n);
	index_sort(x);
}

void show_nfs4_index_deinit(struct show_nfs4_index *x)
{
	vec_deinit(&x->entries);
}

const struct show_nfs4_entry *show_nfs4_index_find(const struct show_nfs4_index *x,
						   const void *owner, uint64_t id, size_t *count)
{
	const struct show_nfs4_entry *entries = x->entries.items;
	const struct show_nfs4_entry key = {.owner = owner, .id = id};
	size_t low = 0;
	size_t high = x->entries.len;
	size_t end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entry_compare(&entries[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	end = low;
	while (end < x->entries.len && entries[end].owner == owner && entries[end].id == id)
		end++;
	*count = end - low;
	return end > low ? &entries[low] : NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The part of v4.h that has many calls under way: one a slot, and programs that wait for a slot. */
#include "base/stamp.h"
#include "lab/probe/v4.h"

struct many {
	struct v4 *v;
	uint64_t left; /* calls that are not begun */
	uint32_t slots, under_way;
	bool busy[V4_SLOTS_MAX];
	uint32_t xids[V4_SLOTS_MAX];
	uint32_t status; /* the first that is no success: nothing is begun any more */
	bool over;       /* nothing is under way any more */
};

/* The next call, in this slot. */
static void begin(struct many *m, uint32_t slot)
{
	struct v4 *v = m->v;

	v->slot = slot;
	v4_begin(v, true);
	v4_add_handle(v, &v->root);
	v4_add_getattr(v);
	if (!client_post(&v->nfs)) {
		m->over = true;
		return;
	}
	m->xids[slot] = v->nfs.xid;
	m->busy[slot] = true;
	m->under_way++;
	m->left--;
}

static void take(void *context, uint32_t xid, struct cursor results)
{
	struct many *m = context;
	struct v4 *v = m->v;
	uint32_t slot = 0;

	while (slot < m->slots && !(m->busy[slot] && m->xids[slot] == xid))
		slot++;
	if (slot == m->slots)
		return;
	m->busy[slot] = false;
	m->under_way--;
	v->slot = slot;
	v4_take(v, results);
	if (m->status == NFS4_OK)
		m->status = v->status;
	if (m->status == NFS4_OK && m->left > 0)
		begin(m, slot);
	m->over = m->over || m->under_way == 0;
	if (m->over)
		net_loop_stop(&v->client->loop);
}

bool v4_many(struct v4 *v, uint32_t programs, uint32_t times)
{
	uint32_t at_once = programs < v->slots ? programs : v->slots;
	struct many m = {.v = v,
			 .left = (uint64_t)programs * times,
			 .slots = v->slots,
			 .over = at_once == 0};
	bool going = true;

	v->nfs.replied = take;
	v->nfs.replied_context = &m;
	for (uint32_t slot = 0; slot < at_once && !m.over; slot++)
		begin(&m, slot);
	/* Without a connection nothing more comes: the calls that follow make one. */
	while (!m.over && going && v->nfs.connected)
		going = client_sleep_unless(v->client, STAMP_NS_PER_S, &m.over);
	v->nfs.replied = NULL;
	v->slot = 0;
	v->status = m.status;
	return going;
}

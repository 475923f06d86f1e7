// SPDX-License-Identifier: GPL-2.0-or-later
/* See later.h. */
#include "lab/fault/later.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/timer.h"

struct fault_late {
	struct fault_late *older, *newer;
	struct fault_later *of;
	struct net_timer timer;
	size_t about_bytes;
	size_t len;                           /* of the message, which stands behind: */
	alignas(max_align_t) uint8_t about[]; /* what its owner has to know */
};

static void forget(struct fault_late *late)
{
	struct fault_later *l = late->of;

	net_timer_deinit(&late->timer);
	if (late->older)
		late->older->newer = late->newer;
	if (late->newer)
		late->newer->older = late->older;
	else
		l->newest = late->older;
	l->bytes -= late->len;
	free(late);
}

static void on_time(void *context)
{
	struct fault_late *late = context;
	struct fault_later *l = late->of;

	l->hand_on(l->owner, late->about, slice_make(late->about + late->about_bytes, late->len));
	forget(late);
}

void fault_later_init(struct fault_later *l, struct net_loop *loop, size_t bytes_max,
		      fault_later_fn *hand_on, void *owner)
{
	*l = (struct fault_later){
		.loop = loop, .hand_on = hand_on, .owner = owner, .bytes_max = bytes_max};
}

void fault_later_deinit(struct fault_later *l)
{
	while (l->newest)
		forget(l->newest);
}

bool fault_later_add(struct fault_later *l, struct slice message, const void *about,
		     size_t about_bytes, int64_t for_ns)
{
	struct fault_late *late;

	if (message.len > l->bytes_max - l->bytes)
		return false;
	late = mem_alloc(1, sizeof(*late) + about_bytes + message.len);
	late->of = l;
	late->about_bytes = about_bytes;
	late->len = message.len;
	memcpy(late->about, about, about_bytes);
	memcpy(late->about + about_bytes, message.ptr, message.len);
	late->older = l->newest;
	if (late->older)
		late->older->newer = late;
	l->newest = late;
	l->bytes += message.len;
	net_timer_init(&late->timer, l->loop, on_time, late);
	net_timer_start(&late->timer, for_ns);
	return true;
}

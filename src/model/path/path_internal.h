/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the path model share. */
#ifndef MODEL_PATH_INTERNAL_H
#define MODEL_PATH_INTERNAL_H

#include "model/path/path.h"

void path_calls_init(struct path_model *m);
void path_calls_deinit(struct path_model *m);
void path_calls_attach(struct path_model *m, struct event_board *board);

/* The connection ended: what was unanswered on it was never answered. */
void path_calls_conn_end(struct path_model *m, const struct event *e);

/* The record of the event's call; made when it is new; NULL when there is no room. */
struct path_calls *path_calls_get(struct path_model *m, const struct event *e);

/* Takes note of the event's call and reply, if either was captured long after it was sent. */
void path_held_take(struct path_model *m, const struct event *e);

/* The segment by which the message had been sent, as far as is known; frame FRAME_NONE: none. */
static inline const struct provenance *path_held_shown(const struct rpc_past *past)
{
	const struct provenance *made = &past->made_before;
	const struct provenance *sent = &past->sent_before;

	if (made->frame == FRAME_NONE)
		return sent;
	return sent->frame != FRAME_NONE && sent->frame < made->frame ? sent : made;
}

void path_net_init(struct path_model *m);
void path_net_deinit(struct path_model *m);
void path_net_attach(struct path_model *m, struct event_board *board);
void path_net_finish(struct path_model *m);

/* The record of a connection with retransmissions, or NULL. */
struct path_conn *path_conn_find(const struct path_model *m, uint64_t serial);

static inline void path_cite(struct provenance *cites, uint32_t *len, const struct provenance *at)
{
	if (*len < PATH_CITES_MAX)
		cites[(*len)++] = *at;
}

#endif

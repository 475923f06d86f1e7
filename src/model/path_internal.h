/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the path model share. */
#ifndef MODEL_PATH_INTERNAL_H
#define MODEL_PATH_INTERNAL_H

#include "model/path.h"

void path_calls_init(struct path_model *m);
void path_calls_deinit(struct path_model *m);
void path_calls_attach(struct path_model *m, struct event_board *board);

/* The connection ended: what was unanswered on it was never answered. */
void path_calls_conn_end(struct path_model *m, const struct event *e);

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

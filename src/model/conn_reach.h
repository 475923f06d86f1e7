/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the connection model that remembers who could reach what: conn.c's alone. */
#ifndef MODEL_CONN_REACH_H
#define MODEL_CONN_REACH_H

#include "model/conn.h"

void conn_reach_init(struct conn_model *m);
void conn_reach_deinit(struct conn_model *m);

/* A fact about the connection, which its record already shows. */
void conn_reach_take_tcp(struct conn_model *m, struct conn_record *r, const struct event *e);

/* The first call or reply of a connection. */
void conn_reach_take_first_rpc(struct conn_model *m, struct conn_record *r, const struct event *e);

#endif

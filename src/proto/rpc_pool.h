/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of struct rpc_pool: how proto/rpc_record.c takes its buffers. Not for others. */
#ifndef PROTO_RPC_POOL_H
#define PROTO_RPC_POOL_H

#include "proto/rpc_record.h"

/*
 * A buffer of at least `bytes`, to be given back; *cap is its size. NULL when that is more than
 * RPC_RECORD_STORE_MAX or than the pool has left.
 */
uint8_t *rpc_pool_take(struct rpc_pool *pool, size_t bytes, size_t *cap);

/* cap as it was told; a NULL buf is fine. */
void rpc_pool_give(struct rpc_pool *pool, uint8_t *buf, size_t cap);

#endif

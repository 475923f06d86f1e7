/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RPC records on a connection of our own (record marking, RFC 5531 section 11), with a limit.
 *
 * Unlike proto/rpc_record.h, which follows what others said to each other, this one sees every byte
 * and believes no mark that is above the limit.
 */
#ifndef LAB_RPC_RECORD_H
#define LAB_RPC_RECORD_H

#include "base/slice.h"

enum {
	RPC_RECORD_LIMIT_BYTES = 4 << 20, /* of a record, unless told otherwise */
	RPC_RECORD_FRAGMENTS_MAX = 4096,  /* of a record: a client that sends empty ones for ever */
};

enum rpc_assembly {
	RPC_ASSEMBLY_MORE,   /* no record yet */
	RPC_ASSEMBLY_RECORD, /* a record */
	RPC_ASSEMBLY_BROKEN, /* above the limit; nothing that follows can be understood */
};

/* One direction of a connection. Zeroed is empty; limit_bytes 0 is RPC_RECORD_LIMIT_BYTES. */
struct rpc_assembler {
	size_t limit_bytes;
	uint8_t *collected; /* of a record of several fragments; NULL: none */
	size_t collected_len, collected_cap;
	uint32_t fragment_left; /* bytes of the fragment that is being collected */
	uint32_t fragments;     /* of the record that is being collected; 0: there is none */
	bool is_last;
	bool is_handed_out; /* the collected record was given to the caller */
};

void rpc_assembler_deinit(struct rpc_assembler *a);

/*
 * Looks at the bytes that came and were not consumed before. *consumed is how many of them the
 * caller shall not show again. With RPC_ASSEMBLY_RECORD *record is the message without marks: it
 * lies in `bytes` or in the assembler, and is valid until the next call and as long as `bytes` are.
 */
enum rpc_assembly rpc_assembler_take(struct rpc_assembler *a, struct slice bytes, size_t *consumed,
				     struct slice *record);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lab's NFSv4 server: COMPOUNDs of any bytes, one after the other, with time, lost connections,
 * answers to callbacks and faults in between. The input is records of a byte that says what
 * happens before, two bytes of length, and the arguments of a COMPOUND. All IDs that the server
 * makes are the same in each run. Whatever is answered has to be well formed.
 */
#include "base/mem.h"
#include "fuzz.h"
#include "lab/serve/nfs4/nfs4_faults.h"
#include "lab/serve/nfs4/nfs4_server.h"
#include "lab/serve/tree/tree.h"
#include "proto/nfs4_xdr.h"

#include <stdlib.h>

enum { OUT_BYTES = 192 << 10, IO_BYTES = 64 << 10, CALLBACKS = 8, RECORDS_MAX = 64 };

struct world {
	struct tree *tree;
	struct nfs4_server *server;
	uint64_t tokens[CALLBACKS];
	uint32_t token_count;
	int64_t now_ns;
	uint8_t out[OUT_BYTES];
};

static bool callback_note(void *context, const struct nfs4_callback *callback)
{
	struct world *w = context;

	if (w->token_count == CALLBACKS)
		return false;
	w->tokens[w->token_count++] = callback->token;
	return true;
}

static void answer_check(struct slice reply)
{
	struct cursor at = cursor_make(reply);
	struct nfs4_COMPOUND4res res;

	nfs4_decode_COMPOUND4res(&at, &res);
	if (!cursor_ok(&at) || cursor_left(&at) != 0)
		abort();
}

static void compound(struct world *w, struct slice args)
{
	struct nfs4_call call = {.cred = {.flavor = 1}, .connection = 1, .peer = "10.0.0.1"};
	struct xdr_writer out = xdr_writer_make(w->out, sizeof(w->out));

	if (nfs4_compound(w->server, &call, cursor_make(args), &out, w->now_ns) == NFS4_REPLY)
		answer_check(xdr_writer_bytes(&out));
}

/* What happens before the COMPOUND. */
static void event(struct world *w, uint8_t what, struct slice bytes)
{
	struct fault_server_request request = {.now_ns = w->now_ns};

	if (what & 1)
		w->now_ns += INT64_C(7000000000);
	if (what & 2)
		nfs4_tick(w->server, w->now_ns);
	if (what & 4)
		nfs4_connection_closed(w->server, 1, w->now_ns);
	if ((what & 8) && w->token_count > 0)
		nfs4_callback_done(w->server, w->tokens[--w->token_count], (what & 1) != 0,
				   cursor_make(bytes), w->now_ns);
	if (what >> 4 == 0)
		return;
	request.action = (enum fault_server_action)((what >> 4) - 1);
	request.now_ns = w->now_ns;
	err_destroy(nfs4_fault_act(w->server, &request));
}

static struct world *world_create(void)
{
	struct world *w = mem_alloc(1, sizeof(*w));
	struct nfs4_server_config config = {
		.ops = {.send_callback = callback_note, .context = w},
		.owner = "owner",
		.scope = "scope",
		.boot_seconds = 1700000000,
		.lease_seconds = 20,
		.courtesy_seconds = 100,
		.max_minor = 2,
		.max_slots = 4,
		.max_io_bytes = IO_BYTES,
	};
	uint64_t many;
	struct tree_limits limits = {.data_bytes_max = 1 << 20, .nodes_max = 1000};

	w->now_ns = INT64_C(1000000000000);
	w->tree = tree_create(&limits, 1, 0);
	err_destroy(tree_add_made_up(w->tree, "/many", "file", 1000, 10, 0, &many));
	config.tree = w->tree;
	w->server = nfs4_server_create(&config, w->now_ns);
	return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_create();

	for (int i = 0; i < RECORDS_MAX && size >= 3; i++) {
		size_t len = (size_t)data[1] << 8 | data[2];
		uint8_t what = data[0];
		void *exact;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		/* On the heap and as long as it is, so that a sanitizer sees a step beyond. */
		exact = mem_alloc(1, len ? len : 1);
		memcpy(exact, data, len);
		event(w, what, slice_make(exact, len));
		compound(w, slice_make(exact, len));
		free(exact);
		data += len;
		size -= len;
	}
	nfs4_server_destroy(w->server);
	tree_destroy(w->tree);
	free(w);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What calls that wait own is weighed, texts of viewers included. */
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "ingest/rpc/call_table.h"

enum { TEXT_BYTES = 1000 };

static char *long_text(void)
{
	char *text = mem_alloc(1, TEXT_BYTES + 1);

	memset(text, 'x', TEXT_BYTES);
	return text;
}

TEST(texts_of_a_viewer_weigh)
{
	struct flow_calls flow = {0};
	struct conn conn = {.serial = 1};
	struct call_queue settled = {0};
	struct call_table table;
	struct call_place place;
	struct pending_call *p;
	size_t before;

	call_table_init(&table, 0);
	flow_calls_init(&flow, &conn);
	place = call_place_make(&flow, CONN_FROM_CLIENT, 7);
	p = call_table_add(&table, &place, &conn);
	pending_add_op(p);
	call_table_weigh(&table, p);
	before = table.bytes;
	CHECK(before > 0 && before < TEXT_BYTES);
	p->call.ops_text = mem_alloc(p->call.ops_len, sizeof(*p->call.ops_text));
	p->call.ops_text[0] = long_text();
	call_table_weigh(&table, p);
	CHECK(table.bytes >= before + TEXT_BYTES);
	call_table_remove(&table, p);
	CHECK_EQ_U64(table.bytes, 0);
	p->flow = NULL;
	p->call.result_text = long_text(); /* came with the reply */
	call_queue_push(&settled, p);
	CHECK(settled.bytes >= before + 2 * (size_t)TEXT_BYTES);
	CHECK(call_queue_pop(&settled) == p);
	CHECK_EQ_U64(settled.bytes, 0);
	call_table_release(&table, p);
	call_table_deinit(&table);
	CHECK(table.call_pool.open == NULL && table.told_pool.open == NULL);
}

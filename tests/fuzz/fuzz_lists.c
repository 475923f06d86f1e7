// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of connections, services, clients and counters from any bytes, up to the rules. */
#include "diagnose/engine.h"
#include "diagnose/rules/host/host_clients.h"
#include "diagnose/rules/rules.h"
#include "fuzz.h"
#include "ingest/lists.h"
#include "model/conn.h"
#include "model/counters.h"
#include "model/host.h"
#include "model/path/path.h"

#include <stdlib.h>

static void judge(const struct host_model *hosts)
{
	static const struct rule *const rules[] = {
		&rule_nfs4_recall_listed,
		&rule_nlm_blocked_listed,
		&rule_rpc_auth_counted,
		&rule_rpc_retransmission_counted,
		&rule_rpc_retransmission_served,
		&rule_rpc_silent_listed,
		&rule_tcp_fin_listed,
		&rule_tcp_half_closed_listed,
		&rule_tcp_path_silent_listed,
		&rule_tcp_syn_listed,
		&rule_tcp_synack_listed,
	};
	struct conn_model conns;
	struct path_model path;
	struct counters_model counters;
	struct rule_input in = {
		.hosts = hosts, .conns = &conns, .path = &path, .counters = &counters};
	struct diagnosis d;

	conn_model_init(&conns);
	path_model_init(&path);
	counters_model_init(&counters);
	diagnosis_init(&d);
	host_clients_collision(&in, &d);
	host_clients_callback(&in, &d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(*rules), &in, &d);
	diagnosis_deinit(&d);
	counters_model_deinit(&counters);
	path_model_deinit(&path);
	conn_model_deinit(&conns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_board board = {0};
	struct lists *l = lists_create();
	struct host_model model;
	uint64_t line = 0;

	host_model_init(&model);
	host_model_attach(&model, &board);
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		lists_take_line(l, 0, ++line, slice_make(data + at, len));
		at += len + 1;
	}
	lists_emit(l, &board);
	if (model.records.len + model.dropped != lists_count(l, 0))
		abort();
	judge(&model);
	host_model_deinit(&model);
	lists_destroy(l);
	return 0;
}

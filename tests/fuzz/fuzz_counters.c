// SPDX-License-Identifier: GPL-2.0-or-later
/* Counters of mounts from any bytes, up to the rules that judge them. */
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "fuzz.h"
#include "ingest/counters.h"
#include "model/conn.h"
#include "model/counters.h"
#include "model/visit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rule *const rules[] = {
		&rule_dir_attribute_storm, &rule_nfs4_slots_counted,
		&rule_rpc_retransmission_counted, &rule_rpc_slow_counted};
	struct event_board board = {0};
	struct counters *c = counters_create();
	struct counters_model model;
	struct visit_model visits;
	struct conn_model conns;
	struct diagnosis d;
	struct rule_input in = {.counters = &model, .visits = &visits, .conns = &conns};
	uint64_t line = 0;

	counters_model_init(&model);
	counters_model_attach(&model, &board);
	visit_model_init(&visits);
	conn_model_init(&conns);
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		counters_take_line(c, 0, ++line, slice_make(data + at, len));
		at += len + 1;
	}
	counters_emit(c, &board);
	diagnosis_init(&d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(*rules), &in, &d);
	diagnosis_deinit(&d);
	conn_model_deinit(&conns);
	visit_model_deinit(&visits);
	counters_model_deinit(&model);
	counters_destroy(c);
	return 0;
}

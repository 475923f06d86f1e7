// SPDX-License-Identifier: GPL-2.0-or-later
/* An strace from any bytes, up to the rules that judge it. */
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "fuzz.h"
#include "ingest/syscalls.h"
#include "model/host.h"
#include "model/mount.h"

#include <stdlib.h>

static void judge(struct event_board *board, const struct host_model *hosts)
{
	static const struct rule *const rules[] = {
		&rule_file_handle_stale_traced, &rule_nsm_monitor_traced, &rule_soft_mount_traced,
		&rule_task_waits_traced};
	struct mount_fact fact = {
		.server = slice_of_string("srv"),
		.export = slice_of_string("/data"),
		.mount_point = slice_of_string("/mnt"),
		.options = slice_of_string("vers=3,soft,timeo=1,retrans=0"),
	};
	struct event event = {.kind = EVENT_MOUNT, .mount = &fact};
	struct mount_model mounts;
	struct rule_input in = {.hosts = hosts, .mounts = &mounts};
	struct diagnosis d;

	mount_model_init(&mounts);
	mount_model_attach(&mounts, board);
	event_emit(board, &event);
	diagnosis_init(&d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(*rules), &in, &d);
	diagnosis_deinit(&d);
	mount_model_deinit(&mounts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_board board = {0};
	struct syscalls *s = syscalls_create();
	struct host_model model;
	uint64_t line = 0;

	host_model_init(&model);
	host_model_attach(&model, &board);
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		syscalls_take_line(s, 0, ++line, slice_make(data + at, len));
		at += len + 1;
	}
	if (syscalls_end_text(s, 0) > line)
		abort();
	syscalls_emit(s, &board);
	judge(&board, &model);
	host_model_deinit(&model);
	syscalls_destroy(s);
	return 0;
}

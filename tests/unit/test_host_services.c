// SPDX-License-Identifier: GPL-2.0-or-later
/* A server's list of RPC services, with what clients try in vain, and what their logs complain of.
 */
#include "capfile/source.h"
#include "check.h"
#include "diagnose/rules/host/host_services.h"
#include "ingest/lists.h"
#include "ingest/log/log.h"
#include "model/host.h"
#include "model/logs.h"
#include "stage.h"

static const char head[] = "   program vers proto   port  service\n"
			   "    100000    4   tcp    111  portmapper\n";
static const char nfs[] = "    100003    3   tcp   2049  nfs\n";
static const char nfs4[] = "    100003    4   tcp   2049  nfs\n";
static const char nlm[] = "    100021    4   udp  54390  nlockmgr\n"
			  "    100021    4   tcp  34817  nlockmgr\n";

static void read_text(struct lists *l, const char *text, uint64_t *line)
{
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");

		lists_take_line(l, 1, ++*line, slice_make(at, len));
		at += len + (at[len] != '\0');
	}
}

static void hosts_read(struct host_model *m, const char *one, const char *two, const char *three)
{
	struct event_board board = {0};
	struct lists *l = lists_create();
	uint64_t line = 0;

	host_model_init(m);
	host_model_attach(m, &board);
	read_text(l, one, &line);
	read_text(l, two, &line);
	read_text(l, three, &line);
	lists_emit(l, &board);
	lists_destroy(l);
}

/* A lock manager that works at `before`, then refuses there; and the list. */
static size_t moved(uint16_t before, unsigned refusals, const char *services)
{
	struct host_model hosts;
	struct stage st;
	size_t count;

	stage_init(&st);
	hosts_read(&hosts, head, nfs, services);
	struct conn c = stage_conn(&st, before);
	struct rule_input in = {
		.evidence = &st.evidence, .conns = &st.conns, .path = &st.path, .hosts = &hosts};

	script_handshake(&st.script, 1, &c);
	script_exchange(&st.script, 1.01, &c, STAGE_NLM, 4);
	stage_end(&st, 2, &c, true);
	for (unsigned i = 0; i < refusals; i++) {
		c = stage_conn(&st, before);
		script_refused(&st.script, 10 + 3 * i, &c);
		stage_end(&st, 11 + 3 * i, &c, true);
	}
	host_services_moved(&in, &st.d);
	count = st.d.findings.len;
	host_model_deinit(&hosts);
	stage_deinit(&st);
	return count;
}

TEST(the_lock_manager_listens_elsewhere_and_twins)
{
	CHECK_EQ_U64(moved(40001, 4, nlm), 1);
	CHECK_EQ_U64(moved(34817, 4, nlm), 0); /* it is registered there */
	CHECK_EQ_U64(moved(40001, 0, nlm), 0);
	CHECK_EQ_U64(moved(40001, 4, ""), 0);
}

static size_t missing(const char *log, const char *one, const char *two)
{
	struct log_options options = {.year = 2026};
	struct source *source = source_create_memory(slice_of_string(log));
	struct event_board board = {0};
	struct host_model hosts;
	struct logs_model model;
	struct stage st;
	struct logs *logs;
	size_t count;

	stage_init(&st);
	hosts_read(&hosts, head, one, two);
	logs = logs_create(&options, &st.evidence);
	logs_model_init(&model);
	logs_model_attach(&model, &board);
	CHECK(logs_read(logs, 0, "app/messages", stamp_none(), source));
	logs_settle(logs, stamp_none());
	logs_emit(logs, &board);
	struct rule_input in = {.evidence = &st.evidence,
				.conns = &st.conns,
				.path = &st.path,
				.logs = &model,
				.hosts = &hosts};
	host_services_missing(&in, &st.d);
	count = st.d.findings.len;
	if (count) /* whose list it is it does not say */
		CHECK_EQ_U64(stage_finding(&st, 0)->confidence, CONFIDENCE_POSSIBLE);
	logs_destroy(logs);
	source_destroy(source);
	logs_model_deinit(&model);
	host_model_deinit(&hosts);
	stage_deinit(&st);
	return count;
}

TEST(no_lock_manager_is_registered_and_twins)
{
	static const char lockd[] =
		"[   84.910657] lockd: server 192.0.2.10 not responding, still trying\n";
	static const char other[] =
		"[   84.910657] nfs: server 192.0.2.10 not responding, still trying\n";

	CHECK_EQ_U64(missing(lockd, nfs, ""), 1);
	CHECK_EQ_U64(missing(lockd, nfs, nlm), 0);
	CHECK_EQ_U64(missing(other, nfs, ""), 0);
	CHECK_EQ_U64(missing(lockd, nfs4, ""), 0); /* NFSv4 needs none */
}

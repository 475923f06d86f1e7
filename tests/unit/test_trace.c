// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a kernel's trace, and what nfsd's tracepoints tell of two instances of one owner. */
#include "evidence/trace_line.h"
#include "model/clid.h"
#include "model/nfs4.h"
#include "tasks_script.h"

static bool parses(const char *text, const char *event, int64_t pid, int64_t ns)
{
	struct trace_line line;

	return trace_line_parse(slice_of_string(text), &line) &&
	       slice_equal(line.event, slice_of_string(event)) && line.pid == pid &&
	       line.boot_ns == ns;
}

TEST(forms_of_a_line)
{
	const int64_t at = INT64_C(15558473000);

	CHECK(parses("            nfsd-172     [000] ...1.    15.558473: nfsd_clid_fresh: addr=1",
		     "nfsd_clid_fresh", 172, at));
	CHECK(parses("            nfsd-172   [000]    15.558473: nfsd_clid_fresh:      addr=1",
		     "nfsd_clid_fresh", 172, at));
	CHECK(parses("nfsd   172 [003]    15.558473: nfsd:nfsd_clid_fresh: addr=1",
		     "nfsd_clid_fresh", 172, at));
	CHECK(parses(
		"    kworker/u2:0-9       [000] .....    14.108329: rpc_socket_connect: error=1",
		"rpc_socket_connect", 9, INT64_C(14108329000)));
	CHECK(parses(" nfsd-172 (  172) [000] ...1. 15.558473: nfsd_clid_fresh: a",
		     "nfsd_clid_fresh", 172, at));
}

TEST(no_line_of_a_trace)
{
	CHECK(!parses("Nov 22 01:09:29 srv kernel: [   12.345678] nfsd: text", "", 0, 0));
	CHECK(!parses("[ 15.558473] nfsd_clid_fresh: addr=1", "", 0, 0));
	CHECK(!parses(" => nfsd4_sequence", "", 0, 0));
	CHECK(!parses("a-1 [000] ", "", 0, 0));
}

#define LINE "            nfsd-172     [000] ...1.    "
#define FRESH(time, port, verifier, id)                            \
	LINE time ": nfsd_clid_fresh: addr=192.0.2.2" port         \
		  " name='Linux NFSv4.2 app' verifier=0x" verifier \
		  " flavor=sys client=6b02414d:" id "\n"
#define REPLACED(time, id, old, new, port)                                        \
	LINE time ": nfsd_clid_verf_mismatch: client 6b02414d:" id " verf=0x" old \
		  ", updated=0x" new " from addr=192.0.2.2" port "\n"
#define A "18ea38d82236acbf"
#define B "18ea38d864a4ac67"
#define C "18ea38d999999999"

static unsigned confidence_told(const char *text)
{
	static const struct rule *const rules[] = {&rule_nfs4_client_owner_collision};
	struct log_options options = {0};
	struct event_board board = {0};
	struct evidence_list evidence;
	struct clid_model clids;
	struct nfs4_model nfs4;
	struct diagnosis d;
	struct rule_input in = {.evidence = &evidence, .clids = &clids, .nfs4 = &nfs4};
	struct source *source = source_create_memory(slice_of_string(text));
	struct logs *logs;
	unsigned result = 0;

	evidence_list_init(&evidence);
	logs = logs_create(&options, &evidence);
	clid_model_init(&clids);
	clid_model_attach(&clids, &board);
	nfs4_model_init(&nfs4);
	CHECK(logs_read(logs, 0, "srv/trace", stamp_none(), source));
	CHECK_EQ_U64(logs_kind(logs), EVIDENCE_TRACE);
	evidence_list_add(&evidence, "srv/trace", logs_kind(logs));
	logs_settle(logs, stamp_none());
	logs_emit(logs, &board);
	logs_destroy(logs);
	source_destroy(source);
	CHECK(clids.instances.len);
	diagnosis_init(&d);
	diagnose_run_rules(rules, 1, &in, &d);
	if (d.findings.len) {
		const struct finding *f = *(struct finding **)vec_at(&d.findings, 0);

		CHECK_EQ_U64(d.findings.len, 1);
		CHECK_EQ_U64(f->clients.len, 2);
		CHECK(strstr(f->title, "Linux NFSv4.2 app"));
		result = 1 + f->confidence;
	}
	diagnosis_deinit(&d);
	nfs4_model_deinit(&nfs4);
	clid_model_deinit(&clids);
	evidence_list_deinit(&evidence);
	return result;
}

#define MOUNT_A FRESH("15.558473", "1:751", A, "3ea42ef8")
#define ROUND                                       \
	REPLACED("21.1", "3ea42ef9", A, B, "2:790") \
	REPLACED("21.2", "3ea42ef9", A, B, "2:790") REPLACED("21.3", "3ea42efb", B, A, "1:751")

TEST(two_instances_that_throw_each_other_out)
{
	CHECK_EQ_U64(confidence_told(MOUNT_A ROUND ROUND ROUND), 1 + CONFIDENCE_CERTAIN);
	CHECK_EQ_U64(confidence_told(MOUNT_A ROUND ROUND), 1 + CONFIDENCE_LIKELY);
}

TEST(twin_a_client_that_reboots_again_and_again)
{
	CHECK_EQ_U64(confidence_told(MOUNT_A REPLACED("21.1", "3ea42ef9", A, B, "1:790")
					     REPLACED("41.1", "3ea42efa", B, C, "1:790")),
		     0);
}

TEST(twin_a_snapshot_put_back_once)
{
	CHECK_EQ_U64(confidence_told(MOUNT_A ROUND), 0);
}

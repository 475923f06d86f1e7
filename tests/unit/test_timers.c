// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Complaints and retransmissions compared with the arithmetic: a complaint that comes when it must,
 * one that does not, one about a call that was never sent; each with its twin.
 */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/conn.h"
#include "model/logs.h"
#include "model/mount.h"
#include "model/overdue.h"
#include "model/path/path.h"
#include "script.h"

enum { NFS = 100003, NLM = 100021, PORT_NLM = 2052, PORT_NFS = 2049 };

struct play {
	struct script script;
	struct conn_model conns;
	struct path_model path;
	struct logs_model logs;
	struct mount_model mounts;
	struct overdue_model overdue;
	struct evidence_list evidence;
	struct diagnosis d;
	struct conn conn;
};

static void play_init(struct play *p, uint16_t port)
{
	*p = (struct play){.script = script_make(),
			   .conn = script_conn(1, "192.0.2.21", 901, "192.0.2.10", port)};
	conn_model_init(&p->conns);
	path_model_init(&p->path);
	logs_model_init(&p->logs);
	mount_model_init(&p->mounts);
	overdue_model_init(&p->overdue);
	conn_model_attach(&p->conns, &p->script.board);
	path_model_attach(&p->path, &p->script.board);
	logs_model_attach(&p->logs, &p->script.board);
	mount_model_attach(&p->mounts, &p->script.board);
	overdue_model_attach(&p->overdue, &p->script.board);
	evidence_list_init(&p->evidence);
	evidence_list_add(&p->evidence, "client/capture.pcap", EVIDENCE_PCAP);
	evidence_list_at(&p->evidence, 0)->first = script_at(0);
	evidence_list_at(&p->evidence, 0)->last = script_at(500);
	diagnosis_init(&p->d);
}

static void play_deinit(struct play *p)
{
	diagnosis_deinit(&p->d);
	evidence_list_deinit(&p->evidence);
	overdue_model_deinit(&p->overdue);
	mount_model_deinit(&p->mounts);
	logs_model_deinit(&p->logs);
	path_model_deinit(&p->path);
	conn_model_deinit(&p->conns);
}

static void complain(struct play *p, double at, const char *program, bool gave_up)
{
	struct log_fact fact = {.kind = LOG_NOT_RESPONDING,
				.line = slice_of_string("a line"),
				.host = slice_of_string("client"),
				.program = slice_of_string(program),
				.server = slice_of_string("192.0.2.10"),
				.server_is_address = true,
				.server_at = script_endpoint("192.0.2.10", 0),
				.gave_up = gave_up};
	struct event e = {.kind = EVENT_LOG, .at = script_place(&p->script, at), .log = &fact};

	if (p->evidence.items.len == 1)
		evidence_list_add(&p->evidence, "client/dmesg.txt", EVIDENCE_KERNEL_LOG);
	e.at.evidence = 1;
	event_emit(&p->script.board, &e);
}

static void mount(struct play *p, const char *options)
{
	struct mount_fact fact = {.server = slice_of_string("nas"),
				  .export = slice_of_string("/data"),
				  .mount_point = slice_of_string("/mnt/data"),
				  .options = slice_of_string(options),
				  .server_is_address = true,
				  .server_at = script_endpoint("192.0.2.10", 0)};
	struct event e = {.kind = EVENT_MOUNT, .at = {.frame = 1}, .mount = &fact};

	e.at.at = stamp_none();
	event_emit(&p->script.board, &e);
}

/* A call at second 100, answered at second `reply`; 0: never. */
static void waits(struct play *p, uint32_t program, double reply)
{
	struct rpc_call rpc = {.conn = &p->conn,
			       .xid = 7,
			       .program = program,
			       .version = program == NLM ? 4 : 3,
			       .procedure = program == NLM ? 2 : 1,
			       .has_call = true};

	script_rpc(&p->script, 100, EVENT_RPC_CALL, &rpc);
	script_rpc(&p->script, reply > 0 ? reply : 500,
		   reply > 0 ? EVENT_RPC_REPLY : EVENT_RPC_UNANSWERED, &rpc);
}

static const struct finding *judge(struct play *p, const struct rule *rule)
{
	struct rule_input in = {.evidence = &p->evidence,
				.conns = &p->conns,
				.path = &p->path,
				.logs = &p->logs,
				.mounts = &p->mounts,
				.overdue = &p->overdue};

	path_model_finish(&p->path);
	diagnose_run_rules(&rule, 1, &in, &p->d);
	return p->d.findings.len ? finding_at(&p->d.findings, 0) : NULL;
}

static void check_says(const struct finding *f, const char *words)
{
	if (CHECK(f) && !CHECK(strstr(f->why, words)))
		CHECK_TEXT(f->why, words);
}

TEST(complaint_of_lockd_when_it_must)
{
	struct play p;

	play_init(&p, PORT_NLM);
	script_handshake(&p.script, 1, &p.conn);
	waits(&p, NLM, 200);
	complain(&p, 161.1, "lockd", false);
	check_says(judge(&p, &rule_rpc_not_responding), "came 61.1 s after the LOCK of frame 4, as "
							"lockd's timers have it");
	play_deinit(&p);
}

/* Incident of June: 90.7 s, on a connection that was made for the call, by a kernel before 5.2. */
TEST(complaint_after_90_seconds_is_explained_by_old_kernels)
{
	struct play p;

	play_init(&p, PORT_NLM);
	script_handshake(&p.script, 99.9, &p.conn);
	waits(&p, NLM, 400);
	complain(&p, 190.7, "lockd", false);
	check_says(judge(&p, &rule_rpc_not_responding), "in kernels before 5.2 alone");
	play_deinit(&p);
	/* The twin: the connection was there long before, and no kernel waits for 90 s then. */
	play_init(&p, PORT_NLM);
	script_handshake(&p.script, 1, &p.conn);
	waits(&p, NLM, 400);
	complain(&p, 190.7, "lockd", false);
	check_says(judge(&p, &rule_rpc_not_responding), "no kernel that we know");
	play_deinit(&p);
}

TEST(complaint_of_nfs_by_the_mount_or_by_the_defaults)
{
	struct play p;

	play_init(&p, PORT_NFS);
	script_handshake(&p.script, 1, &p.conn);
	mount(&p, "rw,vers=3,hard,proto=tcp,timeo=100,retrans=2");
	waits(&p, NFS, 200);
	complain(&p, 130.4, "nfs", false);
	check_says(judge(&p, &rule_rpc_not_responding),
		   "as timeo=100,retrans=2 have it: due after 30 s");
	play_deinit(&p);
	play_init(&p, PORT_NFS);
	script_handshake(&p.script, 1, &p.conn);
	waits(&p, NFS, 400);
	complain(&p, 281, "nfs", false);
	check_says(judge(&p, &rule_rpc_not_responding),
		   "(the defaults: the evidence does not tell this");
	play_deinit(&p);
	/* Neither options nor the defaults: nothing is said of it. */
	play_init(&p, PORT_NFS);
	script_handshake(&p.script, 1, &p.conn);
	waits(&p, NFS, 400);
	complain(&p, 130, "nfs", false);
	CHECK(!strstr(judge(&p, &rule_rpc_not_responding)->why, "The oldest call"));
	play_deinit(&p);
}

/* Newer kernels give up a soft call of NFSv4 when its connection is gone at its time. */
TEST(soft_v4_fails_in_any_kernel_without_its_connection)
{
	const struct finding *f;
	struct play p;

	play_init(&p, PORT_NFS);
	script_handshake(&p.script, 1, &p.conn);
	mount(&p, "rw,vers=4.1,soft,proto=tcp,timeo=30,retrans=2");
	waits(&p, NFS, 200);
	complain(&p, 109.2, "nfs", true);
	f = judge(&p, &rule_rpc_not_responding);
	check_says(f, "as timeo=30,retrans=2 have it: due after 9 s");
	play_deinit(&p);
}

TEST(twin_other_clients_calls_are_not_compared)
{
	struct conn other = script_conn(2, "192.0.2.22", 902, "192.0.2.10", PORT_NLM);
	struct play p;

	play_init(&p, PORT_NLM);
	script_handshake(&p.script, 1, &p.conn);
	script_handshake(&p.script, 2, &other);
	waits(&p, NLM, 200);
	complain(&p, 161.1, "lockd", false);
	CHECK(!strstr(judge(&p, &rule_rpc_not_responding)->why, "The complaint came"));
	CHECK_EQ_U64(p.overdue.calls.len, 1);
	play_deinit(&p);
}

static size_t not_sent(bool call_waits, bool covered, bool open, bool lost)
{
	struct play p;
	size_t found;

	play_init(&p, PORT_NLM);
	if (!covered)
		evidence_list_at(&p.evidence, 0)->first = script_at(130);
	evidence_list_at(&p.evidence, 0)->lost_bytes = lost;
	script_handshake(&p.script, 1, &p.conn);
	script_exchange(&p.script, 2, &p.conn, NLM, 4);
	if (!open)
		script_tcp(&p.script, 110, &p.conn, TCP_FACT_FIN, CONN_FROM_CLIENT);
	if (call_waits)
		waits(&p, NLM, 200);
	complain(&p, 161, "lockd", false);
	judge(&p, &rule_rpc_not_sent);
	found = p.d.findings.len;
	play_deinit(&p);
	return found;
}

TEST(not_sent_needs_an_open_connection_and_a_whole_capture)
{
	CHECK_EQ_U64(not_sent(false, true, true, false), 1);
	CHECK_EQ_U64(not_sent(true, true, true, false), 0);
	CHECK_EQ_U64(not_sent(false, false, true, false), 0);
	CHECK_EQ_U64(not_sent(false, true, false, false), 0);
	CHECK_EQ_U64(not_sent(false, true, true, true), 0);
}

TEST(soft_mount_is_told_by_its_options)
{
	struct play p;

	play_init(&p, PORT_NFS);
	mount(&p, "rw,vers=3,soft,proto=tcp,timeo=50,retrans=3");
	complain(&p, 120, "nfs", true);
	check_says(judge(&p, &rule_soft_mount_io_error),
		   "/mnt/data is mounted soft with timeo=50,retrans=3: a call is given up after "
		   "20.0 s.");
	play_deinit(&p);
	play_init(&p, PORT_NFS);
	mount(&p, "rw,vers=3,hard,proto=tcp");
	complain(&p, 120, "nfs", true);
	check_says(judge(&p, &rule_soft_mount_io_error), "say hard: they are of another mount");
	play_deinit(&p);
}

/* n calls, each sent again after 1.5 s and answered after `answer_s`, `apart_s` seconds apart. */
static const struct finding *too_small(struct play *p, int n, double answer_s, double apart_s,
				       const char *options)
{
	static uint64_t frame;

	play_init(p, PORT_NFS);
	if (options)
		mount(p, options);
	script_handshake(&p->script, 1, &p->conn);
	for (int i = 0; i < n; i++) {
		struct rpc_call rpc = {.conn = &p->conn,
				       .xid = (uint32_t)i + 1,
				       .program = NFS,
				       .version = 3,
				       .procedure = 6,
				       .has_call = true};

		script_rpc(&p->script, 10 + i * apart_s, EVENT_RPC_CALL, &rpc);
		rpc.retransmissions = (struct rpc_frames){.items = &frame, .len = 1};
		script_rpc(&p->script, 11.5 + i * apart_s, EVENT_RPC_REPEAT, &rpc);
		script_rpc(&p->script, 10 + answer_s + i * apart_s, EVENT_RPC_REPLY, &rpc);
	}
	return judge(p, &rule_rpc_timeout_too_small);
}

TEST(timeout_too_small_and_its_twins)
{
	const struct finding *f;
	struct play p;

	f = too_small(&p, 20, 2, 3, "rw,vers=3,proto=tcp,timeo=15,retrans=2");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_CERTAIN && strstr(f->why, "say so: timeo=15"));
	play_deinit(&p);
	f = too_small(&p, 20, 2, 3, NULL);
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_LIKELY);
	play_deinit(&p);
	f = too_small(&p, 20, 2, 3, "rw,vers=3,proto=tcp,timeo=600,retrans=2");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_LIKELY && strstr(f->why, "another mount"));
	play_deinit(&p);
	/* Once for a moment; too few; a server that is slow. */
	CHECK(!too_small(&p, 20, 2, 0.1, NULL));
	CHECK_EQ_U64(p.overdue.calls.len, 20);
	play_deinit(&p);
	CHECK(!too_small(&p, 9, 2, 10, NULL));
	play_deinit(&p);
	CHECK(!too_small(&p, 20, 12, 20, NULL));
	play_deinit(&p);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Visits of directories, and dir-attribute-storm, under scripted events. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/counters.h"
#include "model/visit.h"
#include "names/nfs3.h"
#include "names/nfsacl.h"
#include "script.h"

enum { DIR_A = 0xd1, DIR_B = 0xd2, ENTRY = 0x1000 };

struct stage {
	struct script s;
	struct visit_model m;
	struct counters_model counters;
	struct conn c;
	double now;
	double rtt;
};

static void stage_init(struct stage *st)
{
	*st = (struct stage){.s = script_make(), .rtt = 0.04};
	st->c = script_conn(1, "192.0.2.31", 700, "192.0.2.10", 2049);
	visit_model_init(&st->m);
	visit_model_attach(&st->m, &st->s.board);
	counters_model_init(&st->counters);
}

static void stage_deinit(struct stage *st)
{
	visit_model_deinit(&st->m);
	counters_model_deinit(&st->counters);
}

/* A reply, `rtt` after its call, which went out at `now`. */
static void reply(struct stage *st, struct rpc_call *rpc)
{
	rpc->conn = &st->c;
	rpc->has_call = true;
	rpc->outcome = RPC_SUCCESS;
	rpc->has_status = true;
	rpc->call = script_place(&st->s, st->now);
	st->now += st->rtt;
	script_rpc(&st->s, st->now, EVENT_RPC_REPLY, rpc);
}

static void ask(struct stage *st, uint32_t procedure, uint32_t object, uint32_t name)
{
	struct rpc_call rpc = {.program = NFS_PROGRAM,
			       .version = NFS_V3,
			       .procedure = procedure,
			       .object = object,
			       .name_hash = name};

	reply(st, &rpc);
}

static void list(struct stage *st, uint32_t dir, uint32_t first, uint32_t count, uint64_t mtime,
		 bool whole)
{
	uint32_t handles[256];
	struct listing_told told = {.answered = true,
				    .whole = whole,
				    .entries = count,
				    .handles = handles,
				    .handles_len = whole ? count : 0};
	struct rpc_call rpc = {.program = NFS_PROGRAM,
			       .version = NFS_V3,
			       .procedure = NFSPROC3_READDIRPLUS,
			       .object = dir,
			       .has_change = mtime != 0,
			       .change = mtime,
			       .told_kind = RPC_TOLD_LISTING,
			       .told.listing = &told};

	for (uint32_t i = 0; i < count; i++)
		handles[i] = first + i;
	reply(st, &rpc);
}

static const struct visit *only_visit(struct stage *st)
{
	visit_model_finish(&st->m);
	CHECK_EQ_U64(longest_count(&st->m.visits), 1);
	return longest_at(&st->m.visits, 0);
}

/* Number of dir-attribute-storm; its confidence in *confidence. */
static size_t findings(struct stage *st, enum finding_confidence *confidence)
{
	static const struct rule *const rules[] = {&rule_dir_attribute_storm};
	struct rule_input in = {.visits = &st->m, .counters = &st->counters};
	struct diagnosis d;
	size_t count;

	visit_model_finish(&st->m);
	diagnosis_init(&d);
	diagnose_run_rules(rules, 1, &in, &d);
	count = d.findings.len;
	if (count)
		*confidence = finding_at(&d.findings, 0)->confidence;
	diagnosis_deinit(&d);
	return count;
}

TEST(visit_links_entries_by_handle_and_name)
{
	struct stage st;
	const struct visit *v;

	stage_init(&st);
	list(&st, DIR_A, ENTRY, 200, 5, true);
	for (uint32_t i = 0; i < 80; i++) {
		ask(&st, NFSPROC3_GETATTR, ENTRY + i, 0);
		ask(&st, NFSPROC3_LOOKUP, DIR_A, 900 + i);
		ask(&st, NFSPROC3_GETATTR, 0x777, 0); /* of no listed directory */
		ask(&st, NFSPROC3_LOOKUP, DIR_B, 900 + i);
	}
	ask(&st, NFSPROC3_READ, ENTRY, 0);
	v = only_visit(&st);
	CHECK_EQ_U64(v->linked.count[VISIT_GETATTR], 80);
	CHECK_EQ_U64(v->linked.count[VISIT_LOOKUP], 80);
	CHECK_EQ_U64(visit_calls_count(&v->loose), 0);
	CHECK_EQ_U64(v->entries, 200);
	CHECK_EQ_U64(v->work, 1);
	CHECK(visit_calls_objects(&v->linked) > 140 && visit_calls_objects(&v->linked) < 180);
	stage_deinit(&st);
}

TEST(visit_ends_with_a_pause_and_counts_changes)
{
	struct stage st;

	stage_init(&st);
	list(&st, DIR_A, ENTRY, 100, 5, true);
	list(&st, DIR_A, ENTRY, 100, 6, true);
	st.now += 60;
	list(&st, DIR_A, ENTRY, 100, 7, true);
	list(&st, DIR_A, ENTRY, 100, 7, true);
	CHECK_EQ_U64(only_visit(&st)->changes, 1); /* the second is not worth keeping */
	stage_deinit(&st);
}

TEST(visit_caps_hold)
{
	struct stage st;

	stage_init(&st);
	for (uint32_t host = 0; host < VISIT_HOSTS_MAX + 5; host++) {
		st.c.client.addr[14] = (uint8_t)(host >> 8);
		st.c.client.addr[15] = (uint8_t)host;
		for (uint32_t dir = 1; dir < VISIT_OPEN_MAX + 3; dir++)
			list(&st, dir, ENTRY, 1, dir, true);
	}
	CHECK_EQ_U64(st.m.hosts_len, VISIT_HOSTS_MAX);
	stage_deinit(&st);
}

/* A listing and `count` calls for its entries, of `different` entries. */
static size_t storm(uint32_t count, uint32_t different, uint32_t reads, bool whole,
		    enum finding_confidence *confidence)
{
	struct stage st;
	size_t found;

	stage_init(&st);
	for (uint32_t i = 0; i < 10; i++)
		list(&st, DIR_A, ENTRY + i * 100, 100, 5, whole);
	for (uint32_t i = 0; i < count; i++)
		ask(&st, NFSPROC3_GETATTR, ENTRY + i % different, 0);
	for (uint32_t i = 0; i < reads; i++)
		ask(&st, NFSPROC3_READ, ENTRY + i, 0);
	found = findings(&st, confidence);
	stage_deinit(&st);
	return found;
}

TEST(storm_speaks)
{
	enum finding_confidence confidence;

	CHECK_EQ_U64(storm(800, 800, 0, true, &confidence), 1);
	CHECK(confidence == CONFIDENCE_LIKELY);
	CHECK_EQ_U64(storm(800, 800, 0, false, &confidence), 1);
	CHECK(confidence == CONFIDENCE_POSSIBLE);
}

TEST(twin_storm_of_little_is_silent)
{
	enum finding_confidence confidence;

	CHECK_EQ_U64(storm(100, 100, 0, true, &confidence), 0);
}

TEST(twin_one_file_watched_is_silent)
{
	enum finding_confidence confidence;

	CHECK_EQ_U64(storm(800, 1, 0, true, &confidence), 0);
}

TEST(twin_files_that_are_read_is_silent)
{
	enum finding_confidence confidence;

	CHECK_EQ_U64(storm(800, 800, 800, true, &confidence), 0);
}

TEST(storm_of_acls_speaks)
{
	enum finding_confidence confidence;
	struct stage st;

	stage_init(&st);
	for (uint32_t i = 0; i < 5; i++)
		list(&st, DIR_A, ENTRY + i * 100, 100, 5, true);
	for (uint32_t i = 0; i < 400; i++) {
		struct rpc_call rpc = {.program = NFS_ACL_PROGRAM,
				       .version = NFS_V3,
				       .procedure = ACLPROC3_GETACL,
				       .object = ENTRY + i};

		reply(&st, &rpc);
	}
	CHECK_EQ_U64(findings(&st, &confidence), 1);
	stage_deinit(&st);
}

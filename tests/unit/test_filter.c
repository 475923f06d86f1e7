// SPDX-License-Identifier: GPL-2.0-or-later
/* The filters of `show`. */
#include "check.h"
#include "cmd/filter.h"
#include "script.h"

enum { PROGRAM_NFS = 100003, PROGRAM_NLM = 100021, BADSESSION = 10052 };

/* An answered COMPOUND of SEQUENCE, which failed, and GETATTR, at 22:13:20 UTC. */
static bool taken(const struct options *o)
{
	struct nfs4_op_fact ops[] = {{.op = 53, .status = BADSESSION},
				     {.op = 9, .status = NFS4_STATUS_NONE}};
	struct conn conn = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct rpc_call c = {
		.conn = &conn,
		.program = PROGRAM_NFS,
		.version = 4,
		.procedure = 1,
		.has_call = true,
		.call = {.frame = 1, .at = script_at(0)},
		.origin = {.frame = 1, .at = script_at(0)},
		.outcome = RPC_SUCCESS,
		.has_status = true,
		.status = BADSESSION,
		.ops = ops,
		.ops_len = 2,
	};
	struct filter f;
	struct err *err = filter_init(&f, o);

	CHECK(!err);
	return filter_takes_call(&f, &c);
}

static void check_fault(const struct options *o, const char *want)
{
	struct filter f;
	struct err *err = filter_init(&f, o);

	if (!CHECK(err))
		return;
	CHECK_TEXT(err_text(err), want);
	err_destroy(err);
}

TEST(filter_without_options_takes_all)
{
	CHECK(taken(&(struct options){0}));
}

TEST(filter_by_host)
{
	CHECK(taken(&(struct options){.host = "192.0.2.21"}));
	CHECK(taken(&(struct options){.host = "192.0.2.10"}));
	CHECK(taken(&(struct options){.host = "::ffff:192.0.2.10"}));
	CHECK(!taken(&(struct options){.host = "192.0.2.22"}));
}

TEST(filter_by_program)
{
	CHECK(taken(&(struct options){.program = "nfs"}));
	CHECK(taken(&(struct options){.program = "100003"}));
	CHECK(!taken(&(struct options){.program = "NLM"}));
}

TEST(filter_by_operation)
{
	CHECK(taken(&(struct options){.op = "getattr"}));
	CHECK(taken(&(struct options){.op = "COMPOUND"}));
	CHECK(!taken(&(struct options){.op = "READ"}));
}

TEST(filter_by_status)
{
	CHECK(taken(&(struct options){.status = "NFS4ERR_BADSESSION"}));
	CHECK(taken(&(struct options){.status = "badsession"}));
	CHECK(taken(&(struct options){.status = "error"}));
	CHECK(!taken(&(struct options){.status = "none"}));
	CHECK(!taken(&(struct options){.status = "NFS4_OK"}));
}

TEST(filter_by_time)
{
	CHECK(taken(&(struct options){.since = "22:13:20"}));
	CHECK(!taken(&(struct options){.since = "22:13:20.000001"}));
	CHECK(taken(&(struct options){.until = "22:13:20"}));
	CHECK(!taken(&(struct options){.until = "22:13:19.9"}));
	CHECK(taken(&(struct options){.since = "2023-11-14T22:13:20Z"}));
	CHECK(taken(&(struct options){.since = "2023-11-14T23:13:20+01:00"}));
	CHECK(!taken(&(struct options){.since = "2023-11-14T22:13:21Z"}));
	CHECK(!taken(&(struct options){.since = "2023-11-14T22:00:00Z", .until = "22:10:00"}));
}

TEST(filter_all_that_are_given_count)
{
	CHECK(taken(&(struct options){.host = "192.0.2.21", .op = "SEQUENCE"}));
	CHECK(!taken(&(struct options){.host = "192.0.2.21", .op = "READ"}));
}

TEST(filter_says_what_is_wrong)
{
	check_fault(&(struct options){.host = "nas"}, "--host=nas: it must be an address");
	check_fault(&(struct options){.program = "nsf"},
		    "--program=nsf: it must be a number or a name as show calls prints it");
	check_fault(&(struct options){.since = "24:00:00"},
		    "--since=24:00:00: it must be a time, as 2026-11-22T01:26:00Z or 01:26:00");
	check_fault(&(struct options){.since = "22:13:20.x"},
		    "--since=22:13:20.x: it must be a time, as 2026-11-22T01:26:00Z or 01:26:00");
	check_fault(&(struct options){.since = "yesterday"},
		    "--since=yesterday: it must be a time, as 2026-11-22T01:26:00Z or 01:26:00");
	check_fault(&(struct options){.until = "25:00:00"},
		    "--until=25:00:00: it must be a time, as 2026-11-22T01:26:00Z or 01:26:00");
}

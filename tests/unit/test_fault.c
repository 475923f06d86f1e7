// SPDX-License-Identifier: GPL-2.0-or-later
/* The language of faults: what a script says, when a fault fires, what it knows of a message. */
#include "check.h"
#include "fault_make.h"
#include "lab/fault/fault.h"

#include <stdlib.h>

static const struct fault_peer client = {
	.address = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 7},
	.port = 871};

static struct fault_engine *engine_of(const char *script)
{
	struct fault_engine *engine = fault_engine_create(1, 0);
	struct err *err = fault_engine_add(engine, "test", slice_of_string(script));

	CHECK_TEXT(err ? err_text(err) : "", "");
	err_destroy(err);
	return engine;
}

static void check_error(const char *script, const char *want)
{
	struct fault_engine *engine = fault_engine_create(1, 0);
	struct err *err = fault_engine_add(engine, "s", slice_of_string(script));

	if (CHECK(err != NULL) && !CHECK(strstr(err_text(err), want) != NULL))
		CHECK_TEXT(err_text(err), want);
	CHECK(fault_engine_is_empty(engine));
	err_destroy(err);
	fault_engine_destroy(engine);
}

/* How often a fault fires over `count` LOOKUPs of NFSv3, one each second. */
static unsigned fires(const char *script, unsigned count)
{
	struct fault_engine *engine = engine_of(script);
	struct fault_message m;
	struct fault_paths paths;
	struct made call;
	unsigned fired = 0;

	fault_paths_init(&paths);
	for (unsigned i = 0; i < count; i++) {
		struct fault_verdict v;

		make_lookup3(&call, i, "root", "name.log");
		if (!CHECK(fault_message_read_call(made_bytes(&call), 0, false, &client, &paths,
						   &m)))
			break;
		fault_engine_judge(engine, &m, NULL, (int64_t)i * 1000000000, &v);
		fired += v.drops;
	}
	fault_paths_deinit(&paths);
	fault_engine_destroy(engine);
	return fired;
}

TEST(conditions_select)
{
	CHECK_EQ_U64(fires("when any do drop call", 10), 10);
	CHECK_EQ_U64(fires("when LOOKUP do drop call", 10), 10);
	CHECK_EQ_U64(fires("when NFS3.LOOKUP and uid 1000 do drop call", 10), 10);
	CHECK_EQ_U64(fires("when READ|LOOKUP do drop call", 10), 10);
	CHECK_EQ_U64(fires("when NFS do drop call", 10), 10);
	CHECK_EQ_U64(fires("when program 100003 version 3 procedure 3 do drop call", 10), 10);
	CHECK_EQ_U64(fires("when from 192.0.2.0/24 do drop call", 10), 10);
	CHECK_EQ_U64(fires("when path *.log do drop call", 10), 10);
	CHECK_EQ_U64(fires("when handle 726f6f74 do drop call", 10), 10);
}

TEST(conditions_do_not_select)
{
	CHECK_EQ_U64(fires("when NFS4.LOOKUP do drop call", 10), 0);
	CHECK_EQ_U64(fires("when NLM do drop call", 10), 0);
	CHECK_EQ_U64(fires("when NFS4 do drop call", 10), 0);
	CHECK_EQ_U64(fires("when READ do drop call", 10), 0);
	CHECK_EQ_U64(fires("when LOOKUP uid 0 do drop call", 10), 0);
	CHECK_EQ_U64(fires("when from 192.0.3.0/24 do drop call", 10), 0);
	CHECK_EQ_U64(fires("when from 2001:db8::/32 do drop call", 10), 0);
	CHECK_EQ_U64(fires("when path *.txt do drop call", 10), 0);
	CHECK_EQ_U64(fires("when handle 7465 do drop call", 10), 0);
	CHECK_EQ_U64(fires("when callback do drop call", 10), 0);
	CHECK_EQ_U64(fires("when slot 0 do drop call", 10), 0);
	CHECK_EQ_U64(fires("when minor 0 do drop call", 10), 0);
	CHECK_EQ_U64(fires("when connect do ignore", 10), 0);
	CHECK_EQ_U64(fires("when told LOOKUP do drop call", 10), 0);
}

TEST(counts_and_times)
{
	CHECK_EQ_U64(fires("when LOOKUP once do drop call", 10), 1);
	CHECK_EQ_U64(fires("when LOOKUP times 3 do drop call", 10), 3);
	CHECK_EQ_U64(fires("when LOOKUP nth 4 do drop call", 10), 1);
	CHECK_EQ_U64(fires("when LOOKUP every 3 do drop call", 10), 3);
	CHECK_EQ_U64(fires("when LOOKUP first 4 do drop call", 10), 4);
	CHECK_EQ_U64(fires("when LOOKUP skip 8 do drop call", 10), 2);
	CHECK_EQ_U64(fires("when LOOKUP skip 4 first 2 do drop call", 10), 2);
	CHECK_EQ_U64(fires("when LOOKUP between 2s and 5000ms do drop call", 10), 3);
	CHECK_EQ_U64(fires("when LOOKUP after 7s do drop call", 10), 3);
	CHECK_EQ_U64(fires("when LOOKUP until 2s do drop call", 10), 2);
	CHECK_EQ_U64(fires("when LOOKUP chance 100% do drop call", 10), 10);
}

TEST(chance_is_seeded)
{
	unsigned first = fires("when LOOKUP chance 30% do drop call", 1000);

	CHECK(first > 230 && first < 370);
	CHECK_EQ_U64(fires("when LOOKUP chance 30% do drop call", 1000), first);
}

TEST(errors_tell_the_line_and_what_to_write)
{
	check_error("# comment\n\nwhen RAED do drop call", "s:3: \"RAED\" is neither a condition");
	check_error("when READ do", "s:1: an action is missing");
	check_error("when READ", "\"do\" is missing");
	check_error("when do drop call", "a condition is missing");
	check_error("whenever READ do drop call", "begins with \"when\"");
	check_error("when READ do drop", "write drop call or drop reply");
	check_error("when READ do delay soon", "\"soon\" is no duration; write 250ms");
	check_error("when READ do delay", "delay is missing");
	check_error("when READ do delay 2s now", "\"now\" is too much behind: delay");
	check_error("when READ do fly", "\"fly\" is no action; they are delay, drop");
	check_error("when READ do answer NFS4ERR_NONE", "is no status");
	check_error("when READ chance 5 do drop call", "chance: \"5\"");
	check_error("when READ between 5s and 2s do drop call", "ends before it begins");
	check_error("when READ do restart", "only a server can do that");
	check_error("at 5s do drop call", "there is no message at that time");
	check_error("when READ do refuse", "when connect do refuse");
	check_error("when READ status NFS4_OK do drop call", "must happen to the reply");
	check_error("when from 1.2.3 do drop call", "is no address");
	check_error("when path \"abc do drop call", "quote without its end");
	check_error("a: when READ do drop call; a: when READ do drop call", "of that name already");
	check_error("when XYZ.READ do drop call", "is no program");
	check_error("when READ do corrupt reply handle", "a reply has no handle");
}

TEST(a_script_is_taken_as_a_whole_or_not_at_all)
{
	check_error("when READ do drop call\nwhen WRITE do drop reply\nwhen\n", "s:3:");
}

TEST(list_shows_names_counts_and_text)
{
	struct fault_engine *engine =
		engine_of("slow: when READ do delay 2s # why\nwhen LOCK do drop reply ;\n");
	struct strbuf out;

	strbuf_init(&out);
	fault_engine_list(engine, &out);
	CHECK_TEXT(strbuf_text(&out), "slow on matched 0 fired 0: slow: when READ do delay 2s\n"
				      "fault2 on matched 0 fired 0: when LOCK do drop reply\n");
	strbuf_deinit(&out);
	fault_engine_destroy(engine);
}

static void check_control(struct fault_engine *engine, const char *line, const char *want)
{
	struct strbuf out;

	strbuf_init(&out);
	fault_control(engine, slice_of_string(line), 0, &out);
	CHECK_TEXT(strbuf_text(&out), want);
	strbuf_deinit(&out);
}

TEST(control_changes_faults_while_they_run)
{
	struct fault_engine *engine = fault_engine_create(1, 0);

	check_control(engine, "add a: when LOOKUP told do drop call", "ok\n");
	check_control(engine, "list",
		      "a on matched 0 fired 0: a: when LOOKUP told do drop call\nok\n");
	check_control(engine, "fire a 3", "ok\n");
	check_control(engine, "off a", "ok\n");
	check_control(engine, "list",
		      "a off matched 0 fired 0: a: when LOOKUP told do drop call\nok\n");
	check_control(engine, "on b",
		      "error: b: there is no fault of that name; \"list\" shows them\n");
	check_control(engine, "remove a", "ok\n");
	check_control(engine, "list", "ok\n");
	check_control(engine, "",
		      "error: write add STATEMENT, remove NAME, on NAME, off NAME, fire "
		      "NAME [TIMES] or list\n");
	fault_engine_destroy(engine);
}

TEST(compounds_tell_operations_slot_and_paths)
{
	struct fault_paths paths;
	struct fault_message m;
	struct fault_call kept;
	struct made call, reply;

	fault_paths_init(&paths);
	fault_paths_learn(&paths, slice_of_string("dirfh"), slice_of_string("/data"));
	make_lookup4(&call, 9, "dirfh", "a.log");
	if (!CHECK(fault_message_read_call(made_bytes(&call), 0, false, &client, &paths, &m)))
		return;
	CHECK(m.is_compound && m.has_slot);
	CHECK_EQ_U64(m.slot, 3);
	CHECK_EQ_U64(m.minor, 1);
	CHECK_EQ_U64(m.ops_len, 4);
	CHECK_BYTES(m.ops[2].path.ptr, m.ops[2].path.len, "/data/a.log", 11);
	fault_call_keep(&m, &kept);
	make_lookup4_reply(&reply, 9, 4, "filefh");
	CHECK(fault_message_read_reply(made_bytes(&reply), 0, &kept, &client, &paths, &m));
	CHECK_EQ_U64(m.ops_len, 4);
	CHECK(m.has_status && m.status == NFS4_OK);
	CHECK(slice_equal(fault_paths_find(&paths, slice_of_string("filefh")),
			  slice_of_string("/data/a.log")));
	fault_paths_deinit(&paths);
}

TEST(messages_are_read_at_every_cut)
{
	struct fault_paths paths;
	struct made call, reply;

	fault_paths_init(&paths);
	make_lookup4(&call, 9, "dirfh", "a.log");
	make_lookup4_reply(&reply, 9, 4, "filefh");
	for (size_t len = 0; len <= made_bytes(&call).len; len++) {
		uint8_t *copy = check_copy(call.bytes, len);
		struct fault_message m;

		fault_message_read_call(slice_make(copy, len), made_bytes(&call).len - len, false,
					&client, &paths, &m);
		fault_message_read_call(slice_make(copy, len), 0, true, &client, &paths, &m);
		free(copy);
	}
	for (size_t len = 0; len <= made_bytes(&reply).len; len++) {
		uint8_t *copy = check_copy(reply.bytes, len);
		struct fault_call kept = {.program = NFS4_PROGRAM,
					  .version = 4,
					  .procedure = 1,
					  .is_plain = true,
					  .learn_op = 3,
					  .learn_len = 1};
		struct fault_message m;

		fault_message_read_reply(slice_make(copy, len), 0, &kept, &client, &paths, &m);
		free(copy);
	}
	fault_paths_deinit(&paths);
}

TEST(paths_are_bounded)
{
	struct fault_paths paths;
	char handle[16], path[32];

	fault_paths_init(&paths);
	for (unsigned i = 0; i < FAULT_PATHS_MAX + 100; i++) {
		uint32_t number = i;

		memcpy(handle, &number, 4);
		memcpy(path, "/x", 2);
		memcpy(path + 2, &number, 4);
		fault_paths_learn(&paths, slice_make(handle, 4), slice_make(path, 6));
	}
	CHECK_EQ_U64(paths.forgotten_count, 100);
	CHECK_EQ_U64(paths.by_handle.len, FAULT_PATHS_MAX);
	fault_paths_deinit(&paths);
}

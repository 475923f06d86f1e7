// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks of logs: what joins a log with the wire, and what must not. */
#include "log_stand.h"

#define LOCKD_WAITS                                                              \
	"[ 1060.000000] lockd: server 192.0.2.10 not responding, still trying\n" \
	"[ 1080.000000] lockd: server 192.0.2.10 OK\n"
#define NFS_WAITS                                                              \
	"[ 1180.000000] nfs: server 192.0.2.10 not responding, still trying\n" \
	"[ 1200.000000] nfs: server 192.0.2.10 OK\n"

/* One log, and whether and when its first fact is in UTC, seconds after the script's zero. */
static bool is_joined(const char *text, const struct conn *conn, uint32_t program, double at,
		      double seconds, double *first)
{
	struct stand *s = stand_make(&no_options);
	struct conn c = *conn;
	bool utc;

	log_add(s, "app/dmesg.txt", text);
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 1, &c, program, 0.001);
	wait_play(s, at, &c, program, seconds);
	wait_play(s, at + 200, &c, program, 0.001);
	settle(s);
	utc = s->first.clock == CLOCK_UTC;
	*first = (double)(s->first.ns - script_at(0).ns) / 1e9;
	stand_free(s);
	return utc;
}

TEST(ok_is_the_reply)
{
	struct stand *s = stand_make(&no_options);

	log_add(s, "app/dmesg.txt", LOCKD_WAITS);
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 1, &s->nlm, NLM, 0.001);
	wait_play(s, 100, &s->nlm, NLM, 80);
	settle(s);
	CHECK_EQ_U64(s->first.clock, CLOCK_UTC);
	CHECK_EQ_I64(s->first.ns, script_at(160).ns);
	CHECK(has_note(s, 1, "counts from boot, which was at"));
	CHECK(has_note(s, 1,
		       "\"lockd: server 192.0.2.10 OK\" in line 2 is the reply in frame 4 of e1"));
	CHECK(evidence_list_at(&s->evidence, 1)->clock_error_ns == 50 * STAMP_NS_PER_MS);
	stand_free(s);
}

/* The lock's own call goes out only when the portmapper answers again. */
TEST(a_wait_begins_with_the_first_sign_of_it)
{
	struct stand *s = stand_make(&no_options);
	struct conn portmap = script_conn(3, "192.0.2.21", 5555, "192.0.2.10", 111);

	log_add(s, "app/dmesg.txt", LOCKD_WAITS);
	logs_watch(s->logs, &s->script.board);
	script_tcp(&s->script, 100, &portmap, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_tcp(&s->script, 103, &portmap, TCP_FACT_SYN_REPEAT, CONN_FROM_CLIENT);
	wait_play(s, 179.99, &s->nlm, NLM, 0.01);
	settle(s);
	CHECK_EQ_I64(s->first.ns, script_at(160).ns);
	stand_free(s);
}

/* A log whose wait is that of the first client; the second one waits as long, or not at all. */
static bool is_of_the_first(bool both_wait)
{
	struct stand *s = stand_make(&no_options);
	struct conn other = script_conn(3, "192.0.2.22", 803, "192.0.2.10", 40001);
	bool is_first;

	log_add(s, "app/dmesg.txt", LOCKD_WAITS);
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 1, &s->nlm, NLM, 0.001);
	wait_play(s, 2, &other, NLM, 0.001);
	wait_play(s, 10, &s->nlm, NLM, 80);
	wait_play(s, 10, &other, NLM, both_wait ? 80 : 0.001);
	wait_play(s, 300, &s->nlm, NLM, 0.001);
	settle(s);
	CHECK_EQ_I64(s->first.clock, CLOCK_UTC);
	is_first = endpoint_same_host(&s->host_at, &s->nlm.client);
	CHECK(is_first == has_note(s, 1, "was written by client 192.0.2.21"));
	stand_free(s);
	return is_first;
}

TEST(a_log_is_of_the_client_that_waited)
{
	CHECK(is_of_the_first(false));
}

TEST(twin_of_two_clients_that_waited_alike_it_may_be_either)
{
	CHECK(!is_of_the_first(true));
}

TEST(twin_two_waits_of_that_length_join_nothing)
{
	struct stand *s = stand_make(&no_options);

	log_add(s, "app/dmesg.txt", LOCKD_WAITS);
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 100, &s->nlm, NLM, 80);
	wait_play(s, 300, &s->nlm, NLM, 80.5);
	settle(s);
	CHECK_EQ_U64(s->first.clock, CLOCK_BOOT);
	CHECK(has_note(s, 1, "several moments in the captures"));
	stand_free(s);
}

TEST(two_waits_in_the_log_are_told_apart_by_their_distance)
{
	struct stand *s = stand_make(&no_options);

	log_add(s, "app/dmesg.txt",
		LOCKD_WAITS "[ 1260.000000] lockd: server 192.0.2.10 not responding, still trying\n"
			    "[ 1280.000000] lockd: server 192.0.2.10 OK\n");
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 100, &s->nlm, NLM, 80);
	wait_play(s, 300, &s->nlm, NLM, 80);
	settle(s);
	CHECK_EQ_I64(s->first.ns, script_at(160).ns);
	CHECK(has_note(s, 1, "1 more of its waits"));
	stand_free(s);
}

TEST(twin_a_wait_of_another_length_server_or_program)
{
	const struct conn nlm = script_conn(2, "192.0.2.21", 802, "192.0.2.10", 40001);
	const struct conn other = script_conn(2, "192.0.2.21", 802, "192.0.2.11", 40001);
	double first;

	CHECK(is_joined(LOCKD_WAITS, &nlm, NLM, 100, 80, &first));
	CHECK(!is_joined(LOCKD_WAITS, &nlm, NLM, 100, 60, &first));
	CHECK(!is_joined(LOCKD_WAITS, &nlm, NLM, 100, 160, &first));
	CHECK(!is_joined(LOCKD_WAITS, &other, NLM, 100, 80, &first));
	CHECK(!is_joined(LOCKD_WAITS, &nlm, NFS, 100, 80, &first));
}

TEST(a_single_wait_for_nfs_joins_only_with_the_usual_timeout)
{
	const struct conn nfs = script_conn(1, "192.0.2.21", 801, "192.0.2.10", 2049);
	double first;

	CHECK(is_joined(NFS_WAITS, &nfs, NFS, 100, 200, &first));
	CHECK(first > 279.9 && first < 280.1);
	CHECK(!is_joined(NFS_WAITS, &nfs, NFS, 100, 50, &first));
}

TEST(a_host_clock_makes_a_weak_join_sure)
{
	struct stand *s = stand_make(&no_options);

	log_add(s, "app/dmesg.txt", NFS_WAITS);
	logs_take_clock(s->logs, 0, "app/uname.txt", script_at(-1051).ns, 2 * STAMP_NS_PER_S);
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 100, &s->nfs, NFS, 50);
	settle(s);
	CHECK_EQ_I64(s->first.ns, script_at(130).ns);
	stand_free(s);
}

TEST(a_host_clock_of_the_folder_is_used_alone)
{
	struct stand *s = stand_make(&no_options);

	log_add(s, "app/dmesg.txt", LOCKD_WAITS);
	log_add(s, "web/dmesg.txt", LOCKD_WAITS);
	logs_take_clock(s->logs, 0, "app/uname.txt", script_at(-1000).ns, 2 * STAMP_NS_PER_S);
	settle(s);
	CHECK_EQ_U64(s->first.clock, CLOCK_BOOT);
	CHECK_EQ_U64(s->facts, 4);
	CHECK(has_note(s, 1, "(within 2.0 s): that is taken from e1"));
	CHECK(has_note(s, 2, "nothing tells when that was"));
	stand_free(s);
}

TEST(twin_several_boots_in_one_log)
{
	struct stand *s = stand_make(&no_options);

	log_add(s, "app/dmesg.txt",
		"[ 2000.000000] lockd: server 192.0.2.10 not responding, still trying\n"
		"[    0.000000] Linux version 6.1.0 (x)\n" LOCKD_WAITS);
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 100, &s->nlm, NLM, 80);
	settle(s);
	CHECK_EQ_U64(s->first.clock, CLOCK_BOOT);
	CHECK(has_note(s, 1, "holds more than one"));
	stand_free(s);
}

/* The host still waits when the log is taken; the capture goes on for so long after the call. */
static struct stand *complaint_play(const char *kernel, bool with_clock, double longer)
{
	struct stand *s = stand_make(&no_options);
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_format(&text,
			  "[    0.000000] Linux version %s (x)\n"
			  "[ 1060.000000] lockd: server 192.0.2.10 not responding, still trying\n",
			  kernel);
	log_add(s, "app/dmesg.txt", strbuf_text(&text));
	strbuf_deinit(&text);
	if (with_clock)
		logs_take_clock(s->logs, 0, "app/uname.txt", script_at(-1000).ns, STAMP_NS_PER_S);
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 100, &s->nlm, NLM, 0);
	wait_play(s, 100 + longer, &s->nfs, NFS, 0.001);
	settle(s);
	return s;
}

static bool joined_by_complaint(const char *kernel)
{
	struct stand *s = complaint_play(kernel, false, 200);
	bool utc = s->first.clock == CLOCK_UTC;

	if (utc)
		CHECK(has_note(s, 1, "comes 60 s after the first call"));
	stand_free(s);
	return utc;
}

TEST(a_complaint_alone_is_a_minute_after_the_call)
{
	CHECK(joined_by_complaint("6.1.0-56-amd64"));
	CHECK(joined_by_complaint("4.18.0-553.el8.x86_64"));
}

/* The call may be the first one after the complaint. */
TEST(twin_a_call_right_before_the_capture_ends)
{
	struct stand *s = complaint_play("6.1.0-56-amd64", false, 1);

	CHECK_EQ_U64(s->first.clock, CLOCK_BOOT);
	CHECK(has_note(s, 1, "nothing tells for certain when that was"));
	stand_free(s);
}

TEST(a_host_clock_outweighs_a_complaint_alone)
{
	struct stand *s = complaint_play("6.1.0-56-amd64", true, 200);

	CHECK_EQ_I64(s->first.ns, script_at(-1000).ns);
	CHECK(has_note(s, 1, "which tells the host's clock and uptime"));
	stand_free(s);
}

TEST(twin_a_kernel_that_may_complain_after_a_minute_and_a_half)
{
	CHECK(!joined_by_complaint("5.10.0-8-amd64"));
}

/* 14 November 2023, 23:13:20 UTC is the script's zero. */
#define LOCAL_LOG(zero, end)                                                           \
	"Nov 14 " zero " app kernel: lockd: server nas not responding, still trying\n" \
	"Nov 14 " end " app kernel: lockd: server nas OK\n"

static void zone_play(struct stand *s, const char *text)
{
	log_add(s, "app/messages", text);
	logs_watch(s->logs, &s->script.board);
	wait_play(s, 100, &s->nlm, NLM, 80);
}

TEST(a_zone_is_found_by_what_both_tell)
{
	struct stand *s = stand_make(&no_options);

	/* Script's zero is 22:13:20 UTC; the complaint is 160 s later, and the zone -05:00. */
	zone_play(s, LOCAL_LOG("17:16:00", "17:16:20"));
	settle(s);
	CHECK_EQ_I64(s->first.ns, script_at(160).ns);
	CHECK(has_note(s, 1, "-05:00 is taken"));
	stand_free(s);
}

TEST(twin_a_difference_that_is_no_zone)
{
	struct stand *s = stand_make(&no_options);

	zone_play(s, LOCAL_LOG("17:23:00", "17:23:20"));
	settle(s);
	CHECK(has_note(s, 1, "UTC is assumed"));
	stand_free(s);
}

TEST(twin_two_zones_fit)
{
	struct stand *s = stand_make(&no_options);

	zone_play(s, LOCAL_LOG("17:16:00", "17:16:20"));
	wait_play(s, 100 + 3600, &s->nlm, NLM, 80);
	settle(s);
	CHECK(has_note(s, 1, "under several zones"));
	stand_free(s);
}

TEST(a_zone_that_the_user_tells_is_not_asked_for)
{
	const struct log_options options = {.has_zone = true, .zone_s = 3600};
	struct stand *s = stand_make(&options);

	zone_play(s, LOCAL_LOG("17:16:00", "17:16:20"));
	settle(s);
	CHECK(s->first.ns < script_at(-5 * 3600).ns);
	CHECK(!has_note(s, 1, "zone"));
	stand_free(s);
}

/* --- clocks that jump --- */

static void jump_play(const char *text, const char *note)
{
	struct stand *s = stand_make(&no_options);

	log_add(s, "app/messages", text);
	settle(s);
	if (note)
		CHECK(has_note(s, 1, note));
	else
		CHECK(!has_note(s, 1, "jump"));
	stand_free(s);
}

TEST(jumps_are_told)
{
	jump_play("Oct 29 02:59:58 app kernel: lockd: server nas not responding, still trying\n"
		  "Oct 29 02:00:10 app kernel: lockd: server nas OK\n",
		  "summer time ends at line 2");
	jump_play("Oct 29 12:00:00 app kernel: [  100.000000] lockd: server nas not responding\n"
		  "Oct 29 12:30:10 app kernel: [  110.000000] lockd: server nas OK\n",
		  "jump ahead by 30 min 0 s at line 2: the clock was set");
	jump_play("[  100.000000] lockd: server nas not responding, still trying\n"
		  "[   10.000000] lockd: server nas OK\n",
		  "jump back by 90.0 s at line 2: another boot");
	jump_play("2026-11-22T02:00:00.000000+02:00 app kernel: lockd: server nas not responding\n"
		  "2026-11-22T00:59:00.000000+01:00 app kernel: lockd: server nas OK\n",
		  "jump back by 60.0 s");
}

/* How many seconds "OK" is behind the complaint. */
static int64_t span_of(const char *text)
{
	struct stand *s = stand_make(&no_options);
	int64_t span_ns;

	log_add(s, "app/messages", text);
	settle(s);
	span_ns = s->ok.ns - s->complained.ns;
	stand_free(s);
	return span_ns / STAMP_NS_PER_S;
}

#define COMPLAINT "app kernel: lockd: server nas not responding, still trying\n"
#define OK        "app kernel: lockd: server nas OK\n"

TEST(summer_time_is_followed)
{
	/* It ends, by the lines of another program; it ends, and begins, by the time since boot. */
	CHECK(span_of("Oct 25 02:50:00 " COMPLAINT "Oct 25 02:59:50 app cron: a\n"
		      "Oct 25 02:00:10 app cron: b\nOct 25 02:40:00 " OK) == 3000);
	CHECK(span_of("Oct 25 02:50:00 app kernel: [  100.000000] lockd: server nas not "
		      "responding\n"
		      "Oct 25 02:40:00 app kernel: [ 3100.000000] lockd: server nas OK\n") == 3000);
	CHECK(span_of("Mar 29 01:50:00 app kernel: [  100.000000] lockd: server nas not "
		      "responding\n"
		      "Mar 29 03:40:00 app kernel: [ 3100.000000] lockd: server nas OK\n") == 3000);
}

TEST(twin_a_clock_that_was_set_by_an_hour)
{
	/* By day; at another boot; in lines of several hosts, which may be in several zones. */
	jump_play("Oct 25 12:59:50 " COMPLAINT "Oct 25 12:00:10 " OK, "jump back by 59 min 40 s");
	jump_play("Oct 25 02:59:50 app kernel: [ 9999.000000] lockd: server nas OK\n"
		  "Oct 25 02:00:10 app kernel: [    0.000000] Linux version 6.1\n",
		  "jump back by 59 min 40 s");
	CHECK(span_of("Oct 25 02:59:50 " COMPLAINT
		      "Oct 25 02:00:10 web kernel: lockd: server nas OK\n") == -3580);
}

TEST(twin_times_that_go_on)
{
	/* New Year, a change of the zone, the boot's lines at once, another boot. */
	jump_play("Dec 31 23:59:59 app kernel: lockd: server nas not responding, still trying\n"
		  "Jan  1 00:00:10 app kernel: lockd: server nas OK\n",
		  NULL);
	jump_play("2026-10-25T02:59:59.000000+02:00 app kernel: lockd: server nas not responding\n"
		  "2026-10-25T02:00:10.000000+01:00 app kernel: lockd: server nas OK\n",
		  NULL);
	jump_play("Oct 29 12:00:00 app kernel: [    0.000000] Linux version 6.1\n"
		  "Oct 29 12:00:00 app kernel: [   30.000000] lockd: server nas OK\n"
		  "Oct 29 12:00:05 app kernel: [   35.000000] lockd: server nas OK\n",
		  NULL);
	jump_play("Oct 29 12:00:00 app kernel: [ 9999.000000] lockd: server nas OK\n"
		  "Oct 29 12:05:00 app kernel: [    0.000000] Linux version 6.1\n",
		  NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel logs as a whole: dates, hosts, copies, lines that were cut. */
#include "base/strbuf.h"
#include "capfile/source.h"
#include "check.h"
#include "ingest/log/log.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEN_MAX = 16 };

struct seen {
	struct event_board board;
	struct provenance at[SEEN_MAX];
	char host[SEEN_MAX][32];
	char detail[256];
	enum log_fact_kind kind[SEEN_MAX];
	size_t len;
};

static void take(void *context, const struct event *e)
{
	struct seen *s = context;

	if (s->len == SEEN_MAX)
		return;
	s->at[s->len] = e->at;
	s->kind[s->len] = e->log->kind;
	snprintf(s->host[s->len], sizeof(s->host[0]), "%.*s", (int)e->log->host.len,
		 (const char *)e->log->host.ptr);
	snprintf(s->detail, sizeof(s->detail), "%.*s", (int)e->log->detail.len,
		 (const char *)e->log->detail.ptr);
	s->len++;
}

struct bench {
	struct evidence_list evidence;
	struct logs *logs;
};

static void bench_init(struct bench *b, const struct log_options *options)
{
	evidence_list_init(&b->evidence);
	b->logs = logs_create(options, &b->evidence);
}

static bool bench_read(struct bench *b, const char *path, const char *text)
{
	struct source *source = source_create_memory(slice_of_string(text));
	bool is_log =
		logs_read(b->logs, (uint32_t)b->evidence.items.len, path, stamp_none(), source);

	if (is_log)
		evidence_list_add(&b->evidence, path, EVIDENCE_KERNEL_LOG);
	source_destroy(source);
	return is_log;
}

static void bench_finish(struct bench *b, struct stamp capture, struct seen *out)
{
	*out = (struct seen){0};
	event_board_add(&out->board, EVENT_LOG, take, out);
	logs_settle(b->logs, capture);
	logs_emit(b->logs, &out->board);
	logs_destroy(b->logs);
}

static bool has_note(const struct bench *b, uint32_t index, const char *words)
{
	const struct evidence *e = evidence_list_at(&b->evidence, index);

	for (size_t i = 0; i < e->notes.len; i++)
		if (strstr(*(const char *const *)vec_at(&e->notes, i), words))
			return true;
	return false;
}

static void check_time(struct stamp at, const char *want)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format(at, text);
	CHECK_TEXT(text, want);
}

#define BOOT_LINES                                                    \
	"[    0.000000] Linux version 6.1 (x)\n"                      \
	"[   84.910657] nfs: server a not responding, still trying\n" \
	"[  103.348659] nfs: server a OK\n"
#define CTIME_LINES                                                               \
	"[Sun Nov 22 01:26:00 2026] Linux version 6.1 (x)\n"                      \
	"[Sun Nov 22 01:27:24 2026] nfs: server a not responding, still trying\n" \
	"[Sun Nov 22 01:27:43 2026] nfs: server a OK\n"
#define ISO_LINES                                                                       \
	"2026-11-22T01:26:00,000000+00:00 Linux version 6.1 (x)\n"                      \
	"2026-11-22T01:27:24,910657+00:00 nfs: server a not responding, still trying\n" \
	"2026-11-22T01:27:43,348659+00:00 nfs: server a OK\n"

TEST(copies_of_one_log_count_once)
{
	static const char *const orders[][3] = {
		{BOOT_LINES, CTIME_LINES, ISO_LINES},
		{ISO_LINES, BOOT_LINES, CTIME_LINES},
		{CTIME_LINES, ISO_LINES, BOOT_LINES},
	};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct log_options options = {0};
		struct bench b;
		struct seen s;

		bench_init(&b, &options);
		CHECK(bench_read(&b, "x/client/1.txt", orders[i][0]));
		CHECK(bench_read(&b, "x/client/2.txt", orders[i][1]));
		CHECK(bench_read(&b, "x/client/3.txt", orders[i][2]));
		bench_finish(&b, stamp_none(), &s);
		CHECK_EQ_U64(s.len, 3);
		CHECK_TEXT(s.host[0], "client");
		check_time(s.at[1].at, "2026-11-22T01:27:24.910657000Z");
		evidence_list_deinit(&b.evidence);
	}
}

TEST(twin_logs_of_two_folders_are_two_hosts)
{
	struct log_options options = {0};
	struct bench b;
	struct seen s;

	bench_init(&b, &options);
	CHECK(bench_read(&b, "x/c1/dmesg.txt", ISO_LINES));
	CHECK(bench_read(&b, "x/c2/dmesg.txt", ISO_LINES));
	bench_finish(&b, stamp_none(), &s);
	CHECK_EQ_U64(s.len, 6);
	CHECK_TEXT(s.host[0], "c1");
	CHECK_TEXT(s.host[1], "c2");
	evidence_list_deinit(&b.evidence);
}

/* A mail quotes the log, and a part of it again. */
TEST(a_log_runs_from_its_earliest_to_its_latest_line)
{
	static const struct log_options options = {.year = 2026};
	const struct evidence *e;
	struct seen seen = {0};
	struct bench b;

	bench_init(&b, &options);
	CHECK(bench_read(&b, "mail",
			 "Nov 22 01:27:43 app kernel: a\n"
			 "Nov 22 01:29:43 app kernel: b\nlook at this:\n"
			 "> Nov 22 01:26:43 app kernel: c\n"
			 "> Nov 22 01:28:43 app kernel: d\n"));
	bench_finish(&b, stamp_none(), &seen);
	e = evidence_list_at(&b.evidence, 0);
	CHECK_EQ_I64(e->last.ns - e->first.ns, 180 * STAMP_NS_PER_S);
	evidence_list_deinit(&b.evidence);
}

static bool takes_the_second(void *context, uint32_t evidence, uint64_t line, struct slice text)
{
	(void)context, (void)evidence, (void)text;
	return line == 2;
}

static void count_unknown(void *context, uint32_t evidence, uint64_t line, struct slice text)
{
	(void)evidence, (void)text;
	*(uint64_t *)context = *(uint64_t *)context * 10 + line;
}

TEST(what_other_readers_know_is_not_unknown)
{
	static const struct log_options options = {.year = 2026};
	uint64_t unknown = 0;
	struct bench b;
	struct seen seen;

	bench_init(&b, &options);
	logs_set_plain(b.logs, takes_the_second, NULL);
	logs_set_unknown(b.logs, count_unknown, &unknown);
	CHECK(bench_read(&b, "mail",
			 "Nov 22 01:27:43 app kernel: a\nsrv:/x on /m type nfs (rw)\n"
			 "what is this\n# no\n== /proc/mounts\n\n"));
	CHECK_EQ_U64(unknown, 3);
	bench_finish(&b, stamp_none(), &seen);
	evidence_list_deinit(&b.evidence);
}

TEST(twin_events_that_happened_twice_count_twice)
{
	struct log_options options = {0};
	struct bench b;
	struct seen s;

	bench_init(&b, &options);
	CHECK(bench_read(&b, "x/dmesg-T",
			 "[Sun Nov 22 01:27:24 2026] NFS: a: lost 1 locks\n"
			 "[Sun Nov 22 01:27:24 2026] NFS: a: lost 1 locks\n"));
	CHECK(bench_read(&b, "x/dmesg",
			 "[    1.100000] NFS: a: lost 1 locks\n"
			 "[    1.700000] NFS: a: lost 1 locks\n"));
	bench_finish(&b, stamp_none(), &s);
	CHECK_EQ_U64(s.len, 2);
	evidence_list_deinit(&b.evidence);
}

TEST(time_from_boot_alone_stays_so_unless_it_is_told)
{
	struct log_options options = {0};
	struct bench b;
	struct seen s;

	bench_init(&b, &options);
	CHECK(bench_read(&b, "dmesg.txt", BOOT_LINES));
	bench_finish(&b, stamp_none(), &s);
	CHECK_EQ_U64(s.at[1].at.clock, CLOCK_BOOT);
	CHECK(has_note(&b, 0, "--boot-time"));
	CHECK_TEXT(s.host[0], "dmesg.txt");
	evidence_list_deinit(&b.evidence);
	options.boot_time = stamp_utc(INT64_C(1795310760) * STAMP_NS_PER_S);
	bench_init(&b, &options);
	CHECK(bench_read(&b, "dmesg.txt", BOOT_LINES));
	bench_finish(&b, stamp_none(), &s);
	check_time(s.at[1].at, "2026-11-22T01:27:24.910657000Z");
	CHECK(!has_note(&b, 0, "--boot-time"));
	evidence_list_deinit(&b.evidence);
}

#define SYSLOG                                                                     \
	"Dec 31 23:00:00 app kernel: nfs: server a not responding, still trying\n" \
	"Jan  1 01:00:00 app kernel: nfs: server a OK\n"

static struct stamp first_of(const struct log_options *options, struct stamp capture,
			     const char *note)
{
	struct bench b;
	struct seen s;

	bench_init(&b, options);
	CHECK(bench_read(&b, "messages", SYSLOG));
	bench_finish(&b, capture, &s);
	CHECK_EQ_U64(s.len, 2);
	CHECK_TEXT(s.host[0], "app");
	CHECK_EQ_I64(s.at[1].at.ns - s.at[0].at.ns, 7200 * STAMP_NS_PER_S);
	CHECK(!note || has_note(&b, 0, note));
	evidence_list_deinit(&b.evidence);
	return s.at[0].at;
}

TEST(year_and_zone_are_told_or_inferred_and_that_is_said)
{
	struct log_options none = {0};
	struct log_options told = {.year = 2024, .has_zone = true, .zone_s = 8 * 3600};
	struct stamp capture = stamp_utc(INT64_C(1735689600) * STAMP_NS_PER_S); /* 2025-01-01 */
	struct stamp at = first_of(&none, stamp_none(), "nothing else does");

	CHECK_EQ_U64(at.clock, CLOCK_LOCAL);
	check_time(first_of(&none, capture, "as the captures are of that time"),
		   "2024-12-31T23:00:00.000000000Z");
	first_of(&none, capture, "UTC is assumed");
	check_time(first_of(&told, stamp_none(), NULL), "2024-12-31T15:00:00.000000000Z");
}

TEST(host_of_the_neighbour_in_the_folder_is_taken)
{
	struct log_options options = {.year = 2026};
	struct bench b;
	struct seen s;

	bench_init(&b, &options);
	CHECK(bench_read(&b, "x/dmesg", "[    1.100000] NFS: a: lost 1 locks\n"));
	CHECK(bench_read(&b, "x/messages",
			 "Nov 22 01:27:24 app kernel: [    1.100000] NFS: a: lost 1 locks\n"));
	bench_finish(&b, stamp_none(), &s);
	CHECK_EQ_U64(s.len, 1);
	CHECK_TEXT(s.host[0], "app");
	CHECK(has_note(&b, 0, "is the log of host app, as its folder tells"));
	check_time(s.at[0].at, "2026-11-22T01:27:24.000000000Z");
	evidence_list_deinit(&b.evidence);
}

/* Which hosts two files of two folders are of, when a clock in each tells this name and boot. */
static void hosts_of_clocks(const char *name, const char *other, int64_t boots_apart_s,
			    struct seen *out)
{
	struct log_options options = {.year = 2026};
	struct bench b;

	bench_init(&b, &options);
	CHECK(bench_read(&b, "x/dmesg", "[    1.100000] NFS: a: lost 1 locks\n"));
	CHECK(bench_read(&b, "y/dmesg", "[    2.100000] NFS: a: lost 2 locks\n"));
	logs_take_name(b.logs, "x/clock.txt", name, 0, STAMP_NS_PER_S);
	logs_take_name(b.logs, "y/clock.txt", other, boots_apart_s * STAMP_NS_PER_S,
		       STAMP_NS_PER_S);
	bench_finish(&b, stamp_none(), out);
	CHECK_EQ_U64(out->len, 2);
	evidence_list_deinit(&b.evidence);
}

TEST(the_name_beside_a_clock_is_that_of_its_folder)
{
	struct seen s;

	hosts_of_clocks("app", "web", 0, &s);
	CHECK_TEXT(s.host[0], "app");
	CHECK_TEXT(s.host[1], "web");
	/* One host, twice. */
	hosts_of_clocks("app", "app", 1, &s);
	CHECK_TEXT(s.host[0], "app");
	CHECK_TEXT(s.host[1], "app");
}

TEST(twin_clones_of_one_name_are_two_hosts)
{
	struct seen s;

	hosts_of_clocks("app", "app", 3600, &s);
	CHECK_TEXT(s.host[0], "x");
	CHECK_TEXT(s.host[1], "y");
}

TEST(a_line_cut_by_a_mail_is_put_together)
{
	struct log_options options = {0};
	struct bench b;
	struct seen s;

	bench_init(&b, &options);
	CHECK(bench_read(&b, "mail",
			 "[    1.100000] nfs: server a.very.long.name not\n"
			 "responding, timed out\n"
			 "[    2.100000] nfs: server a\n\n"
			 "OK\n"));
	bench_finish(&b, stamp_none(), &s);
	CHECK_EQ_U64(s.len, 1);
	CHECK_EQ_U64(s.kind[0], LOG_NOT_RESPONDING);
	CHECK_EQ_U64(s.at[0].frame, 1);
	evidence_list_deinit(&b.evidence);
}

TEST(a_hung_task_has_its_stack)
{
	struct log_options options = {0};
	struct bench b;
	struct seen s;

	bench_init(&b, &options);
	CHECK(bench_read(&b, "dmesg",
			 "[  121.000000] INFO: task touch:312 blocked for more than 120 seconds.\n"
			 "[  121.000001] Call Trace:\n"
			 "[  121.000002]  schedule+0x46/0xb0\n"
			 "[  122.000000] eth0: something else\n"
			 "[  122.000001]  schedule+0x46/0xb0\n"));
	bench_finish(&b, stamp_none(), &s);
	CHECK_EQ_U64(s.len, 1);
	CHECK_TEXT(s.detail, "Call Trace:\n schedule+0x46/0xb0\n");
	evidence_list_deinit(&b.evidence);
}

TEST(a_flood_of_one_message_leaves_room_for_others)
{
	struct log_options options = {0};
	struct strbuf text;
	struct bench b;
	struct seen s;

	strbuf_init(&text);
	for (int i = 0; i < 2 * LOG_RECORDS_MAX; i++)
		strbuf_add_format(&text, "[%5d.000000] NFS: a: lost 1 locks\n", i);
	strbuf_add_text(&text, "[99999.000000] nfs: server a OK\n");
	bench_init(&b, &options);
	CHECK(bench_read(&b, "dmesg", strbuf_text(&text)));
	strbuf_deinit(&text);
	CHECK_EQ_U64(logs_fact_count(b.logs), 1024 + 1);
	bench_finish(&b, stamp_none(), &s);
	evidence_list_deinit(&b.evidence);
}

TEST(twin_texts_that_are_no_logs_leave_nothing_behind)
{
	struct log_options options = {0};
	struct bench b;
	struct seen s;

	bench_init(&b, &options);
	CHECK(!bench_read(&b, "a", "nfs: server a not responding, still trying\n"));
	CHECK(!bench_read(&b, "b", "{ \"text\": \"[    1.100000] nfs: server a OK\" }\n"));
	CHECK(!bench_read(&b, "c", ""));
	bench_finish(&b, stamp_none(), &s);
	CHECK_EQ_U64(s.len, 0);
	evidence_list_deinit(&b.evidence);
}

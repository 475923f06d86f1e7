// SPDX-License-Identifier: GPL-2.0-or-later
/* The reader of kernel logs: every form of a line, text around it, damage. */
#include "check.h"
#include "evidence/klog/klog.h"

#include <stdio.h>
#include <stdlib.h>

#define MESSAGE "lockd: server 192.0.2.10 OK"

/* 2026-11-22T01:27:43Z */
#define AT_S INT64_C(1795310863)

struct read {
	struct klog_stats stats;
	struct klog_line line; /* of the wanted index; its slices are not valid */
	char text[256], host[64], tag[64];
	struct stamp at;
	bool found;
};

static void keep(char *out, size_t size, struct slice s)
{
	snprintf(out, size, "%.*s", (int)s.len, (const char *)s.ptr);
}

static void read_bytes(const void *bytes, size_t len, size_t index, struct read *out)
{
	void *copy = check_copy(bytes, len);
	struct source *source = source_create_memory(slice_make(copy, len));
	struct klog *k = klog_create(source);
	struct klog_line line;

	*out = (struct read){0};
	for (size_t i = 0; klog_next(k, &line); i++) {
		if (i != index)
			continue;
		out->found = true;
		out->line = line;
		keep(out->text, sizeof(out->text), line.text);
		keep(out->host, sizeof(out->host), line.head.host);
		keep(out->tag, sizeof(out->tag), line.head.tag);
		out->at = stamp_utc(klog_date_ns(&line.head.date, line.head.date.year) -
				    line.head.zone_s * STAMP_NS_PER_S);
	}
	klog_get_stats(k, &out->stats);
	klog_destroy(k);
	source_destroy(source);
	free(copy);
}

static void read_text(const char *text, size_t index, struct read *out)
{
	read_bytes(text, strlen(text), index, out);
}

static const struct {
	const char *text;
	enum klog_wall wall;
	int64_t us; /* behind AT_S; -1: not compared */
	int64_t boot_us;
	const char *host;
} form_rows[] = {
	{"[  103.348659] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"[  103.348659][ T1234] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"[  103.348659] [T1234] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"<6>[  103.348659] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"kern  :info  : [  103.348659] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"[  103.348659 <    0.000012>] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"[  103.348659] app kernel: " MESSAGE, KLOG_WALL_NONE, -1, 103348659, "app"},
	{"[Sun Nov 22 01:27:43 2026] " MESSAGE, KLOG_WALL_LOCAL, 0, -1, ""},
	{"Sun Nov 22 01:27:43 2026] " MESSAGE " [", KLOG_WALL_LOCAL, 0, -1, ""},
	{"[Sun Nov  22 01:27:43 2026] " MESSAGE " [", KLOG_WALL_LOCAL, 0, -1, ""},
	{"[\xe6\x97\xa5 11\xe6\x9c\x88 22 01:27:43 2026] " MESSAGE, KLOG_WALL_LOCAL, 0, -1, ""},
	{"[\xc8\xd5 11\xd4\xc2 22 01:27:43 2026] " MESSAGE, KLOG_WALL_LOCAL, 0, -1, ""},
	{"2026-11-22T01:27:43,348659+00:00 " MESSAGE, KLOG_WALL_UTC, 348659, -1, ""},
	{"2026-11-22T09:27:43,348659+08:00 " MESSAGE, KLOG_WALL_UTC, 348659, -1, ""},
	{"2026-11-22T01:27:43.348659+00:00 app kernel: [  103.348659] " MESSAGE, KLOG_WALL_UTC,
	 348659, 103348659, "app"},
	{"2026-11-22T01:27:43+0000 app kernel: " MESSAGE, KLOG_WALL_UTC, 0, -1, "app"},
	{"2026-11-21T20:27:43-0500 app kernel: " MESSAGE, KLOG_WALL_UTC, 0, -1, "app"},
	{"2026-11-22 01:27:43 app kernel: " MESSAGE, KLOG_WALL_LOCAL, 0, -1, "app"},
	{"Sun 2026-11-22 01:27:43 UTC app kernel: " MESSAGE, KLOG_WALL_UTC, 0, -1, "app"},
	{"<4>1 2026-11-22T01:27:43.348659Z app kernel - - - [  103.348659] " MESSAGE, KLOG_WALL_UTC,
	 348659, 103348659, "app"},
	{"<4>1 2026-11-22T01:27:43Z app kernel - - [x@1 a=\"b\"] " MESSAGE, KLOG_WALL_UTC, 0, -1,
	 "app"},
	{"Nov 22 01:27:43 app kernel: [  103.348659] " MESSAGE, KLOG_WALL_NO_YEAR, -1, 103348659,
	 "app"},
	{"Nov 22 01:27:43 app kernel:[103.348659]" MESSAGE, KLOG_WALL_NO_YEAR, -1, 103348659,
	 "app"},
	{"Nov 22 01:27:43.348659 app kernel: " MESSAGE, KLOG_WALL_NO_YEAR, -1, -1, "app"},
	{"Nov 22 01:27:43 kernel: " MESSAGE, KLOG_WALL_NO_YEAR, -1, -1, ""},
	{"Nov 22 01:27:43 app kern.warn kernel: " MESSAGE, KLOG_WALL_NO_YEAR, -1, -1, "app"},
	{"<4>Nov 22 01:27:43 app kernel: " MESSAGE, KLOG_WALL_NO_YEAR, -1, -1, "app"},
	{"Nov 22 2026 01:27:43 app kernel: " MESSAGE, KLOG_WALL_LOCAL, 0, -1, "app"},
	{"logs/messages:12:Nov 22 01:27:43 app kernel: " MESSAGE, KLOG_WALL_NO_YEAR, -1, -1, "app"},
	{"logs/dmesg-12-[  103.348659] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"> > [  103.348659] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"\x1b[32m[  103.348659] \x1b[0m\x1b[33mlockd\x1b[0m: server 192.0.2.10 OK\r",
	 KLOG_WALL_NONE, -1, 103348659, ""},
	{"\xef\xbb\xbf[  103.348659] " MESSAGE "\r", KLOG_WALL_NONE, -1, 103348659, ""},
	{"6,1042,103348659,-;" MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"3,1042,103348659,c,caller=T1234;" MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"[  103.348659 <    0.000012 >] app kernel: " MESSAGE, KLOG_WALL_NONE, -1, 103348659,
	 "app"},
	{"[  103.348659 <            >] app kernel: " MESSAGE, KLOG_WALL_NONE, -1, 103348659,
	 "app"},
	{"1795310863.348659 app kernel: " MESSAGE, KLOG_WALL_UTC, 348659, -1, "app"},
	{"[Sun Nov 22 01:27:43 2026 <    0.000012>] " MESSAGE, KLOG_WALL_LOCAL, 0, -1, ""},
	{"1 2026-11-22T01:27:43Z app kernel - - - \xef\xbb\xbf" MESSAGE, KLOG_WALL_UTC, 0, -1,
	 "app"},
	{"<3>[  103.348659]  (2)[1234:mount.nfs]" MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"[  103.348659] <3>.(2)[1234:mount.nfs]" MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	{"&gt; [\xc2\xa0 103.348659] " MESSAGE, KLOG_WALL_NONE, -1, 103348659, ""},
	/* taken down by somebody who stamps lines */
	{"Nov 22 01:27:43 [  103.348659] " MESSAGE, KLOG_WALL_NO_YEAR, -1, 103348659, ""},
	{"2026-11-22T01:27:43.348659Z [  103.348659] " MESSAGE, KLOG_WALL_UTC, 348659, 103348659,
	 ""},
	{"2026-11-22T01:27:43.348659Z stderr F [  103.348659] " MESSAGE, KLOG_WALL_UTC, 348659,
	 103348659, ""},
	{"2026-11-22T01:27:43.348659Z stdout F kernel: " MESSAGE, KLOG_WALL_UTC, 348659, -1, ""},
	/* an object around each line: docker, Loki, fluent-bit; its head counts, if it has one */
	{"{\"log\":\"" MESSAGE
	 "\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-22T01:27:43.348659Z\"}",
	 KLOG_WALL_UTC, 348659, -1, ""},
	{"{\"labels\":{\"hostname\":\"app\"},\"line\":\"" MESSAGE
	 "\",\"timestamp\":\"2026-11-22T01:27:43.348659Z\"}",
	 KLOG_WALL_UTC, 348659, -1, "app"},
	{"{\"date\":1795310863.348659,\"message\":\"" MESSAGE "\"}", KLOG_WALL_UTC, 348659, -1, ""},
	{"{\"ts\":\"1795310863348659000\",\"line\":\"[  103.348659] " MESSAGE "\"}", KLOG_WALL_NONE,
	 -1, 103348659, ""},
	/* Solaris tells the facility behind the module */
	{"2026-11-22T01:27:43.348659Z app genunix: [ID 577331 kern.notice] " MESSAGE, KLOG_WALL_UTC,
	 348659, -1, "app"},
	/* dmesg -H and -d tell no time that anything could be compared with */
	{"[Nov22 01:27] " MESSAGE, KLOG_WALL_NONE, -1, -1, ""},
	{"[Nov 2 01:27] " MESSAGE, KLOG_WALL_NONE, -1, -1, ""},
	{"[  +0.000012] " MESSAGE, KLOG_WALL_NONE, -1, -1, ""},
	{"[<    0.000012>] " MESSAGE, KLOG_WALL_NONE, -1, -1, ""},
};

TEST(every_form_is_read)
{
	for (size_t i = 0; i < sizeof(form_rows) / sizeof(form_rows[0]); i++) {
		struct read r;

		read_text(form_rows[i].text, 0, &r);
		if (!CHECK(r.found && !r.line.plain) || !CHECK_TEXT(r.text, MESSAGE))
			printf("# %s\n", form_rows[i].text);
		CHECK_EQ_U64(r.line.head.wall, form_rows[i].wall);
		CHECK(r.line.head.kernel);
		CHECK_TEXT(r.host, form_rows[i].host);
		if (form_rows[i].us >= 0)
			CHECK_EQ_I64(r.at.ns, AT_S * STAMP_NS_PER_S + form_rows[i].us * 1000);
		CHECK(r.line.head.has_boot == (form_rows[i].boot_us >= 0));
		if (form_rows[i].boot_us >= 0)
			CHECK_EQ_I64(r.line.head.boot_ns, form_rows[i].boot_us * 1000);
		CHECK_EQ_U64(r.stats.kernel_lines, 1);
	}
}

TEST(twin_other_texts_hold_no_kernel_line)
{
	static const char *const texts[] = {
		"Nov 22 01:27:43 app sshd[12]: Accepted publickey",
		"2026-11-22T01:27:43,348+00:00 INFO server started",
		"2026-11-22 01:27:43,348 INFO kernel is fine",
		"2026-11-22 01:27:43 [main] INFO server started",
		"2026-11-22 01:27:43 [12.5] 3 requests",
		"lockd: server 192.0.2.10 not responding, still trying",
		"    ls-247 [000] .....   103.348659: nfs_readdir: x",
		"[1] 2345 Done",
		"[103.3] x",
		"see kernel: [12] and [Sun]",
		"1.234 [pid 12] read(3</mnt>) = 0",
		"1795310863.348659 read(3</mnt>, 4096) = 0",
		"6,1042,103348659;x",
		"30,1042,103348659,-;systemd[1]: started",
		"[Tag22 01:27] x",
		"[  +0.12] x",
		"[<a>] x",
		"{\"message\":\"server started\",\"time\":\"2026-11-22T01:27:43Z\"}",
		"{\"message\":\"nfs: server x OK\",\"time\":\"yesterday\"}",
		"2026-11-22T01:27:43Z app sshd: [ID 577331 auth.info] nfs: server x OK",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct read r;

		read_text(texts[i], 0, &r);
		if (!CHECK_EQ_U64(r.stats.kernel_lines, 0))
			printf("# %s\n", texts[i]);
	}
}

TEST(lines_that_were_glued_together_are_taken_apart)
{
	static const char text[] =
		"prose\n"
		"[  140.402356] RPC: 49 call_timeout (major) [  140.403783] lockd: server x OK\n"
		"Jun 19 02:22:38 h kernel: [1.000001] a Jun 19 03:50:47 h kernel: [2.000002] b\n";
	struct read r;

	read_text(text, 1, &r);
	CHECK_TEXT(r.text, "RPC: 49 call_timeout (major)");
	read_text(text, 2, &r);
	CHECK_TEXT(r.text, "lockd: server x OK");
	CHECK_EQ_U64(r.line.line, 2);
	read_text(text, 3, &r);
	CHECK_TEXT(r.text, "a");
	read_text(text, 4, &r);
	CHECK_TEXT(r.text, "b");
	CHECK_EQ_I64(r.line.head.boot_ns, 2000002000);
	CHECK_EQ_U64(r.stats.plain_lines, 1);
	CHECK_EQ_U64(r.stats.kernel_lines, 4);
}

TEST(new_year_is_counted)
{
	static const char text[] = "Dec 31 23:59:59 h kernel: a\nJan  1 00:00:01 h kernel: b\n";
	struct read r;

	read_text(text, 0, &r);
	CHECK_EQ_I64(r.line.head.date.year, 0);
	read_text(text, 1, &r);
	CHECK_EQ_I64(r.line.head.date.year, 1);
}

TEST(journal_export_is_read)
{
	static const char text[] = "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795310863348659\n"
				   "__MONOTONIC_TIMESTAMP=103350000\n_HOSTNAME=app\n"
				   "_TRANSPORT=kernel\n_SOURCE_MONOTONIC_TIMESTAMP=103348659\n"
				   "MESSAGE=" MESSAGE "\n\n"
				   "__CURSOR=s=2\n__REALTIME_TIMESTAMP=1795310864000000\n"
				   "SYSLOG_IDENTIFIER=kernel\nMESSAGE\n"
				   "\x05\0\0\0\0\0\0\0"
				   "a\nb\nc\n\n"
				   "__CURSOR=s=3\n__REALTIME_TIMESTAMP=1795310865000000\n"
				   "SYSLOG_IDENTIFIER=sshd\nMESSAGE=x\n";
	struct read r;

	read_bytes(text, sizeof(text) - 1, 0, &r);
	CHECK_TEXT(r.text, MESSAGE);
	CHECK_TEXT(r.host, "app");
	CHECK_EQ_I64(r.at.ns, AT_S * STAMP_NS_PER_S + 348659000);
	CHECK_EQ_I64(r.line.head.boot_ns, 103348659000);
	CHECK_EQ_U64(r.line.line, 7);
	read_bytes(text, sizeof(text) - 1, 1, &r);
	CHECK_TEXT(r.text, "a");
	read_bytes(text, sizeof(text) - 1, 2, &r);
	CHECK(r.found && !r.line.head.kernel);
	CHECK_EQ_U64(r.stats.kernel_lines, 2);
	CHECK_EQ_U64(r.stats.other_lines, 1);
	for (size_t len = 0; len < sizeof(text); len++)
		read_bytes(text, len, 9, &r);
}

TEST(what_a_record_is_about_is_no_line)
{
	static const char text[] = "6,1042,103348659,-;" MESSAGE "\n SUBSYSTEM=net\n DEVICE=n2\n"
				   "6,1043,103348660,-;b\n";
	struct read r;

	read_text(text, 1, &r);
	CHECK_TEXT(r.text, "b");
	CHECK_EQ_U64(r.line.line, 4);
	CHECK_EQ_U64(r.stats.plain_lines, 0);
}

TEST(lines_without_a_time_are_counted)
{
	struct read r;

	read_text("[Nov22 01:27] a\n[  +0.000012] b\n[    1.000000] c\n", 2, &r);
	CHECK_EQ_U64(r.stats.kernel_lines, 3);
	CHECK_EQ_U64(r.stats.untimed_lines, 2);
}

/* The two entries of each text below. */
static void check_entries(const char *text, uint64_t first_line)
{
	struct read r;

	read_text(text, 0, &r);
	if (!CHECK_TEXT(r.text, "say \"\xc3\xa4\": 1 < 2"))
		printf("# %s\n", text);
	CHECK_TEXT(r.host, "app");
	CHECK(r.line.head.kernel);
	CHECK_EQ_I64(r.at.ns, AT_S * STAMP_NS_PER_S + 348659000);
	CHECK_EQ_I64(r.line.head.boot_ns, 103348659000);
	CHECK_EQ_U64(r.line.line, first_line);
	read_text(text, 1, &r);
	CHECK_TEXT(r.text, "abc");
	CHECK_EQ_U64(r.stats.kernel_lines, 2);
	CHECK_EQ_U64(r.stats.plain_lines, 0);
	read_text(text, 2, &r);
	CHECK(!r.found);
	for (size_t len = 0; len < strlen(text); len++)
		read_bytes(text, len, 9, &r);
}

TEST(journal_json_is_read)
{
	check_entries("{\"MESSAGE\":\"say \\\"\\u00e4\\\": 1 < 2\",\"__REALTIME_TIMESTAMP\":"
		      "\"1795310863348659\",\"_HOSTNAME\":\"app\",\"_TRANSPORT\":\"kernel\","
		      "\"__MONOTONIC_TIMESTAMP\":\"103348659\",\"PRIORITY\":3,\"X\":null}\n"
		      "{\"__REALTIME_TIMESTAMP\":\"1795310864000000\",\"_TRANSPORT\":\"kernel\","
		      "\"MESSAGE\":[97,98,99]}",
		      1);
	check_entries("{\n\t\"__REALTIME_TIMESTAMP\" : \"1795310863348659\",\n"
		      "\t\"__MONOTONIC_TIMESTAMP\" : \"103348659\",\n\t\"_HOSTNAME\" : \"app\",\n"
		      "\t\"SYSLOG_IDENTIFIER\" : \"kernel\",\n"
		      "\t\"MESSAGE\" : \"say \\\"\xc3\xa4\\\": 1 < 2\"\n}\n"
		      "{\n\t\"__REALTIME_TIMESTAMP\" : \"1795310864000000\",\n"
		      "\t\"_TRANSPORT\" : \"kernel\",\n\t\"MESSAGE\" : [ \"abc\" ]\n}\n",
		      6);
}

TEST(twin_other_documents_of_braces_are_no_log)
{
	static const char *const texts[] = {
		"{\"findings\":[],\"text\":\"[  103.348659] x\"}",
		"{\"MESSAGE\":\"[  103.348659] x\"}",
		"{\"time\":\"2026-11-22T01:27:43Z\",\"of\":{\"message\":\"x\"}}",
		"{\"time\":\"2026-11-22T01:27:43Z\",\n\"message\":\"x\"}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct source *source = source_create_memory(slice_of_string(texts[i]));

		CHECK(!klog_may_hold(source));
		source_destroy(source);
	}
}

TEST(journal_at_full_length_is_read)
{
	check_entries("Sun 2026-11-22 01:27:43.348659 UTC [s=1f;i=2;b=3]\n"
		      "    _TRANSPORT=kernel\n    _HOSTNAME=app\n"
		      "    _SOURCE_MONOTONIC_TIMESTAMP=103348659\n"
		      "    MESSAGE=say \"\xc3\xa4\": 1 < 2\n"
		      "Sun 2026-11-22 01:27:44.000000 UTC [s=1f;i=3;b=3]\n"
		      "    MESSAGE=abc\n    _TRANSPORT=kernel\n",
		      5);
}

static const struct {
	const char *text, *first, *second;
	uint64_t plain;
} wrap_rows[] = {
	/* By a mail, in quotes, between words; the third line was not full. */
	{"> Nov 22 01:27:43 app kernel: [  103.348659] INFO: task\n> tar:412 blocked for more than "
	 "120 seconds.\n> Nov 22 01:27:43 app kernel: [  103.348660]\n"
	 "> rwsem_down_write_slowpath+0x2a1/0x6b0\n",
	 "INFO: task tar:412 blocked for more than 120 seconds.",
	 "rwsem_down_write_slowpath+0x2a1/0x6b0", 0},
	/* By a terminal, inside of words. */
	{"[  103.348659] INFO: task tar:412 blocke\nd for more than 120 seconds.\n"
	 "[  103.348660] INFO: task tar:413 blocke\nd for more than 120 seconds.\n",
	 "INFO: task tar:412 blocked for more than 120 seconds.",
	 "INFO: task tar:413 blocked for more than 120 seconds.", 0},
	/* Twin: what follows would have found room. */
	{"[  103.348659] INFO: task tar:412 blocked for more than 120 seconds.\nthen this\n"
	 "[  103.348660] a\nand that\n",
	 "INFO: task tar:412 blocked for more than 120 seconds.", "then this", 2},
	/* Twin: a stack is no rest of a line, though that is the longest of all. */
	{"[  103.348659] INFO: task tar:412 blocked for more than 120 seconds.\n"
	 "task:tar             state:D stack:0     pid:412\n"
	 "[  104.348659] INFO: task tar:413 blocked for more than 120 seconds.\n"
	 "task:tar             state:D stack:0     pid:413\n",
	 "INFO: task tar:412 blocked for more than 120 seconds.",
	 "task:tar             state:D stack:0     pid:412", 2},
};

TEST(wrapped_lines_are_joined)
{
	for (size_t i = 0; i < sizeof(wrap_rows) / sizeof(wrap_rows[0]); i++) {
		struct read r;

		read_text(wrap_rows[i].text, 0, &r);
		CHECK_TEXT(r.text, wrap_rows[i].first);
		CHECK_EQ_U64(r.line.line, 1);
		CHECK_EQ_U64(r.stats.lines, 4);
		CHECK_EQ_U64(r.stats.plain_lines, wrap_rows[i].plain);
		read_text(wrap_rows[i].text, 1, &r);
		CHECK_TEXT(r.text, wrap_rows[i].second);
		for (size_t len = 0; len < strlen(wrap_rows[i].text); len++)
			read_bytes(wrap_rows[i].text, len, 9, &r);
	}
}

TEST(a_line_without_end_is_cut_and_the_next_is_read)
{
	size_t len = (size_t)KLOG_LINE_BYTES_MAX * 40;
	char *text = malloc(len + 64);
	struct read r;

	memset(text, 'x', len);
	memcpy(text, "[    1.000000] ", 15);
	snprintf(text + len, 64, "\n[    2.000000] y\n");
	read_text(text, 1, &r);
	free(text);
	CHECK_TEXT(r.text, "y");
	CHECK_EQ_U64(r.line.line, 2);
	CHECK_EQ_U64(r.stats.cut_lines, 1);
	CHECK_EQ_U64(r.stats.cut_first, 1);
}

TEST(heads_cut_at_each_byte_are_no_fault)
{
	static const char *const texts[] = {
		"<4>1 2026-11-22T01:27:43.348659Z app kernel - - [x@1 a=\"b\"] [  103.348659] m",
		"Nov 22 2026 01:27:43.1 app kern.warn kernel[0]: [  103.348659][ T1] m",
		"[\xe6\x97\xa5 11\xe6\x9c\x88 22 01:27:43 2026] m",
		"Sun 2026-11-22 01:27:43 UTC app kernel: m",
		"3,1042,103348659,c,caller=T1234;m",
		"[  103.348659] <3>.(2)[1234:mount.nfs]m",
		"1795310863.348659 app kernel: m",
		"[Nov22 01:27] m",
		"[<    0.000012>] m",
		"&lt;4&gt;[  103.348659]\xc2\xa0&amp;m&quot;",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t len = 0; len <= strlen(texts[i]); len++) {
			struct read r;

			read_bytes(texts[i], len, 0, &r);
			CHECK_EQ_U64(r.stats.lines, len > 0);
		}
}

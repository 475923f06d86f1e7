// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts that tell a host's clock and uptime, and those that only look like it. */
#include "check.h"
#include "evidence/hostclock.h"

#include <stdio.h>

static bool read_text(const char *text, struct hostclock *out)
{
	struct source *source = source_create_memory(slice_of_string(text));
	bool ok = hostclock_read(source, out);

	source_destroy(source);
	return ok;
}

/* 2026-11-22T02:10:31Z */
#define AT_S    INT64_C(1795313431)
#define PROC    "45.45 33.82\n"
#define COMMAND " 02:10:31 up 1 day,  2:03,  2 users,  load average: 0.00, 0.00, 0.00\n"

TEST(dates_in_the_ways_of_date)
{
	static const char *const dates[] = {
		"2026-11-22T02:10:31Z",
		"2026-11-22T03:10:31+01:00",
		"2026-11-22 02:10:31+00:00",
		"2026-11-22T02:10:31,000000000+00:00",
		"Sun Nov 22 02:10:31 UTC 2026",
		"Sun Nov 22 02:10:31 AM UTC 2026",
		"Sun Nov 22 03:10:31 +01 2026",
		"Sun 22 Nov 2026 02:10:31 AM UTC",
		"Sun, 22 Nov 2026 10:10:31 +0800",
		"1795313431",
	};

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		struct hostclock c;
		char text[200];

		snprintf(text, sizeof(text), "Linux app 6.1.0\n%s\n" PROC "app\n", dates[i]);
		if (!CHECK(read_text(text, &c))) {
			printf("# %s\n", dates[i]);
			continue;
		}
		CHECK_EQ_I64(c.at.ns, AT_S * STAMP_NS_PER_S);
		CHECK_EQ_I64(c.uptime_ns, INT64_C(45450000000));
		CHECK_EQ_I64(c.boot_ns, AT_S * STAMP_NS_PER_S - c.uptime_ns);
		CHECK_EQ_U64(c.line, 2);
		CHECK(c.error_ns > STAMP_NS_PER_S && c.error_ns < 2 * STAMP_NS_PER_S);
	}
}

TEST(uptimes_in_whole_minutes)
{
	static const struct {
		const char *up;
		int64_t seconds;
	} rows[] = {
		{"up 1 day,  2:03,  2 users,", 86400 + 2 * 3600 + 3 * 60},
		{"up 12 days, 45 min,  1 user,", 12 * 86400 + 45 * 60},
		{"up 45 min,  1 user,", 45 * 60},
		{"up  2:03,  0 users,", 2 * 3600 + 3 * 60},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hostclock c;
		char text[200];

		snprintf(text, sizeof(text),
			 "Sun Nov 22 02:10:31 UTC 2026\n 02:10:31 %s  load average: 0.00\n",
			 rows[i].up);
		if (CHECK(read_text(text, &c))) {
			CHECK_EQ_I64(c.uptime_ns / STAMP_NS_PER_S, rows[i].seconds + 30);
			CHECK(c.error_ns >= 31 * STAMP_NS_PER_S);
		}
	}
}

TEST(twin_texts_that_do_not_tell)
{
	static const char *const texts[] = {
		"",
		"2026-11-22T02:10:31Z\n",
		PROC,
		"2026-11-22T02:10:31\n" PROC,          /* no zone */
		"Sun Nov 22 03:10:31 CET 2026\n" PROC, /* zones' names are not unique */
		"2026-11-22T02:10:31Z\n" PROC PROC,
		"2026-11-22T02:10:31Z\n2026-11-22T02:10:32Z\n" PROC,
		"2026-11-22T02:10:31Z\n\n\n\n\n\n\n\n\n\n" PROC,
		"2026-11-22T02:10:31Z\n45.45\n",
		"2026-11-22T02:10:31Z\n45 33\n",
		"2026-11-22T02:10:31Z\n1.2.3 4.5.6\n",
		"2026-11-22T02:10:31Z was fine, then\nit was up 3 days\n",
		"Sun Nov 99 02:10:31 UTC 2026\n" PROC,
		"Sun Nov 22 99999999999999:10:31 UTC 2026\n" PROC,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct hostclock c;

		if (!CHECK(!read_text(texts[i], &c)))
			printf("# %s\n", texts[i]);
	}
}

TEST(nothing_is_taken_from_the_source)
{
	struct source *source =
		source_create_memory(slice_of_string("2026-11-22T02:10:31Z\n" COMMAND));
	struct hostclock c;

	CHECK(hostclock_read(source, &c));
	CHECK_EQ_U64(source_offset(source), 0);
	source_destroy(source);
}

static bool read_name(const char *text, char name[HOSTCLOCK_NAME_BYTES])
{
	struct source *source = source_create_memory(slice_of_string(text));
	bool ok = hostclock_read_name(source, name);

	source_destroy(source);
	return ok;
}

TEST(names_beside_a_clock)
{
	char name[HOSTCLOCK_NAME_BYTES] = "";

	CHECK(read_name("2026-11-22T02:10:31Z\n" PROC "nfs-srv.example\n", name));
	CHECK_TEXT(name, "nfs-srv.example");
	CHECK(read_name("Linux app-01 3.10.0-1160.el7.x86_64 #1 SMP Mon x86_64 GNU/Linux\n" PROC
			"app-01\n",
			name));
	CHECK_TEXT(name, "app-01");
}

TEST(twin_no_name_or_several)
{
	char name[HOSTCLOCK_NAME_BYTES];

	CHECK(!read_name("Linux version 6.1.0-56-amd64 (x) #1 SMP\n" PROC, name));
	CHECK(!read_name("nfs-srv\n2026-11-22T02:10:31Z\n" PROC, name));
	CHECK(!read_name(PROC "12345\n", name));
	CHECK(!read_name(PROC "two words\n", name));
	CHECK(!read_name(PROC "-----\n", name));
	CHECK(!read_name("Linux a 6.1.0 #1 SMP\n" PROC "b\n", name));
}

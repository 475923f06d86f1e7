// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line. */
#include "check.h"
#include "cmd/options.h"

static const uint64_t every = OPTION_BIT(OPTION_COUNT) - 1;

static void check_fault(const char **argv, size_t count, uint64_t set, const char *want)
{
	struct options o;
	struct err *err = options_parse(set, argv, count, &o);

	if (!CHECK(err))
		return;
	CHECK_TEXT(err_text(err), want);
	err_destroy(err);
}

TEST(options_may_stand_anywhere)
{
	const char *argv[] = {"a", "--json", "-", "--output", "file", "--color=never", "b"};
	struct options o;

	CHECK(!options_parse(every, argv, 7, &o));
	CHECK(o.json && !o.help);
	CHECK_TEXT(o.output, "file");
	CHECK_EQ_U64(o.color, COLOR_NEVER);
	CHECK_EQ_U64(o.sort, SORT_SETTLED);
	if (!CHECK(o.arg_count == 3))
		return;
	CHECK_TEXT(o.args[0], "a");
	CHECK_TEXT(o.args[1], "-");
	CHECK_TEXT(o.args[2], "b");
}

TEST(options_end_at_two_dashes)
{
	const char *argv[] = {"--sort=time", "--", "--json", "--"};
	struct options o;

	CHECK(!options_parse(every, argv, 4, &o));
	CHECK_EQ_U64(o.sort, SORT_TIME);
	CHECK(!o.json);
	CHECK_EQ_U64(o.arg_count, 2);
}

TEST(options_say_what_is_wrong)
{
	const char *unknown[] = {"--jsn"};
	const char *elsewhere[] = {"--sort=time"};
	const char *no_value[] = {"--output"};
	const char *value[] = {"--json=yes"};
	const char *choice[] = {"--color", "pink"};

	check_fault(unknown, 1, every, "--jsn: no such option here");
	check_fault(elsewhere, 1, 1u << OPTION_JSON, "--sort=time: no such option here");
	check_fault(no_value, 1, every, "--output needs a value: FILE");
	check_fault(value, 1, every, "--json takes no value");
	check_fault(choice, 2, every, "--color=pink: it must be auto|always|never");
}

TEST(options_help_names_those_of_the_set)
{
	struct strbuf out;

	strbuf_init(&out);
	options_add_help(&out, 1u << OPTION_JSON);
	CHECK_TEXT(strbuf_text(&out), "  --json                      write JSON, for programs\n");
	strbuf_deinit(&out);
}

TEST(options_that_are_given_again)
{
	const char *argv[] = {"--dir=a=1", "--speed", "10", "--dir", "b=2", "--quiet"};
	struct options o;

	CHECK(!options_parse(every, argv, 6, &o));
	CHECK(o.quiet);
	CHECK_TEXT(o.speed, "10");
	if (!CHECK(o.dir.len == 2))
		return;
	CHECK_TEXT(o.dir.items[0], "a=1");
	CHECK_TEXT(o.dir.items[1], "b=2");
}

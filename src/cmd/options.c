// SPDX-License-Identifier: GPL-2.0-or-later
/* See options.h. */
#include "cmd/options.h"

#include <string.h>

struct option_row {
	enum option_id id;
	const char *name;
	const char *value;          /* what it takes, for help; NULL: nothing */
	const char *const *choices; /* the only values, NULL-terminated; NULL: any */
	const char *help;
};

static const char *const color_choices[] = {
	[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never", NULL};
static const char *const sort_choices[] = {[SORT_SETTLED] = "settled", [SORT_TIME] = "time", NULL};

static const struct option_row option_rows[] = {
	{OPTION_JSON, "--json", NULL, NULL, "write JSON, for programs"},
	{OPTION_OUTPUT, "--output", "FILE", NULL,
	 "write to FILE, which appears when it is complete"},
	{OPTION_COLOR, "--color", "auto|always|never", color_choices,
	 "colours; auto: on a terminal, unless NO_COLOR is set"},
	{OPTION_SORT, "--sort", "settled|time", sort_choices,
	 "order of calls: settled (as their fate is known, at once), time (by the call; uses "
	 "disk)"},
	{OPTION_TZ, "--tz", "ZONE", NULL,
	 "zone of logs that tell none: +08:00, UTC (assumed: UTC)"},
	{OPTION_YEAR, "--year", "YYYY", NULL,
	 "year of logs that tell none (assumed: that of other evidence)"},
	{OPTION_BOOT_TIME, "--boot-time", "TIME", NULL,
	 "boot of the host, for logs that count from it: 2026-11-22T01:26:00Z"},
	{OPTION_HOST, "--host", "ADDRESS", NULL,
	 "calls, ops, timeline: only what concerns this host"},
	{OPTION_PROGRAM, "--program", "NAME", NULL, "only this RPC program: NFS, NLM, 100005"},
	{OPTION_OP, "--op", "NAME", NULL, "only this procedure or operation: READ, SEQUENCE"},
	{OPTION_STATUS, "--status", "NAME", NULL,
	 "only this status: NFS4ERR_DELAY, BADSESSION; error: all but success; none: no reply"},
	{OPTION_SINCE, "--since", "TIME", NULL,
	 "only from then on (UTC): 2026-11-22T01:26:00Z, or 01:26:00 of each day"},
	{OPTION_UNTIL, "--until", "TIME", NULL, "only until then"},
	{OPTION_UNTIL_SECONDS, "--until", "SECONDS", NULL,
	 "how far the schedule goes (assumed: twice the time until the complaint)"},
	{OPTION_HELP, "--help", NULL, NULL, "show this help"},
};

enum { OPTION_ROWS = sizeof(option_rows) / sizeof(option_rows[0]) };

/* The row of "--name" or "--name=value" in the set, or NULL; *value is what follows "=", or NULL.
 */
static const struct option_row *option_find(unsigned option_set, const char *arg,
					    const char **value)
{
	size_t len = strcspn(arg, "=");

	*value = arg[len] ? arg + len + 1 : NULL;
	if (strcmp(arg, "-h") == 0)
		arg = "--help", len = strlen(arg);
	for (size_t i = 0; i < OPTION_ROWS; i++)
		if (option_set & 1u << option_rows[i].id && strlen(option_rows[i].name) == len &&
		    strncmp(option_rows[i].name, arg, len) == 0)
			return &option_rows[i];
	return NULL;
}

/* Index of the value among the choices; fails when it is none of them. */
static struct err *option_choice(const struct option_row *row, const char *value, size_t *out)
{
	for (size_t i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], value) == 0) {
			*out = i;
			return NULL;
		}
	}
	return err_new("%s=%s: it must be %s", row->name, value, row->value);
}

static struct err *option_apply(const struct option_row *row, const char *value,
				struct options *out)
{
	size_t choice = 0;
	struct err *err = row->choices ? option_choice(row, value, &choice) : NULL;

	if (err)
		return err;
	switch (row->id) {
	case OPTION_JSON:
		out->json = true;
		break;
	case OPTION_OUTPUT:
		out->output = value;
		break;
	case OPTION_COLOR:
		out->color = (enum option_color)choice;
		break;
	case OPTION_SORT:
		out->sort = (enum option_sort)choice;
		break;
	case OPTION_TZ:
		out->tz = value;
		break;
	case OPTION_YEAR:
		out->year = value;
		break;
	case OPTION_BOOT_TIME:
		out->boot_time = value;
		break;
	case OPTION_HOST:
		out->host = value;
		break;
	case OPTION_PROGRAM:
		out->program = value;
		break;
	case OPTION_OP:
		out->op = value;
		break;
	case OPTION_STATUS:
		out->status = value;
		break;
	case OPTION_SINCE:
		out->since = value;
		break;
	case OPTION_UNTIL:
	case OPTION_UNTIL_SECONDS:
		out->until = value;
		break;
	case OPTION_HELP:
		out->help = true;
		break;
	case OPTION_COUNT:
		break;
	}
	return NULL;
}

/* Takes the option at argv[*at], and its value behind it; moves *at to the last one taken. */
static struct err *option_take(unsigned option_set, const char **argv, size_t count, size_t *at,
			       struct options *out)
{
	const char *value;
	const struct option_row *row = option_find(option_set, argv[*at], &value);

	if (!row)
		return err_new("%s: no such option here", argv[*at]);
	if (!row->value && value)
		return err_new("%s takes no value", row->name);
	if (row->value && !value) {
		if (*at + 1 >= count)
			return err_new("%s needs a value: %s", row->name, row->value);
		value = argv[++*at];
	}
	return option_apply(row, value, out);
}

struct err *options_parse(unsigned option_set, const char **argv, size_t count, struct options *out)
{
	struct options o = {.args = argv};
	bool options_end = false;

	for (size_t i = 0; i < count; i++) {
		const char *arg = argv[i];

		if (options_end || arg[0] != '-' || arg[1] == '\0') {
			argv[o.arg_count++] = arg;
		} else if (strcmp(arg, "--") == 0) {
			options_end = true;
		} else {
			struct err *err = option_take(option_set, argv, count, &i, &o);

			if (err)
				return err;
		}
	}
	*out = o;
	return NULL;
}

void options_add_help(struct strbuf *out, unsigned option_set)
{
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];
		size_t start = out->len;

		if (!(option_set & 1u << row->id))
			continue;
		strbuf_add_format(out, "  %s%s%s", row->name, row->value ? "=" : "",
				  row->value ? row->value : "");
		if (out->len - start < 30)
			strbuf_add_format(out, "%*s", (int)(30 - (out->len - start)), "");
		else
			strbuf_add_format(out, "\n%30s", "");
		strbuf_add_format(out, "%s\n", row->help);
	}
}

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
	{OPTION_THREADS, "--threads", "1|2", NULL,
	 "2: read captures ahead in a thread of its own (assumed: of large ones)"},
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
	{OPTION_LISTEN, "--listen", "ADDRESS:PORT", NULL,
	 "where to wait for clients; :PORT is loopback"},
	{OPTION_TO, "--to", "SERVER:PORT", NULL, "where a client's connection goes to"},
	{OPTION_FAULT, "--fault", "STATEMENT", NULL,
	 "what goes wrong: 'when READ every 3 do delay 2s'; may be given again"},
	{OPTION_SCRIPT, "--script", "FILE", NULL, "the same from a file, a statement a line"},
	{OPTION_CONTROL, "--control", "SOCKET", NULL,
	 "change faults while it runs, by lines on this socket (mode 0600)"},
	{OPTION_SEED, "--seed", "N", NULL, "of the faults that happen by chance (assumed: 1)"},
	{OPTION_SPEED, "--speed", "N", NULL,
	 "its own waits, not TCP's, are N times as short (assumed: 1)"},
	{OPTION_FOLDER, "--output", "DIR", NULL, "the folder for the evidence; it is made"},
	{OPTION_TWIN, "--twin", NULL, NULL, "the same without the fault: nothing must be found"},
	{OPTION_HERE, "--here", NULL, NULL,
	 "print the commands that break a mount which is alive, by SERVER PORT KIND"},
	{OPTION_UNDO, "--undo", NULL, NULL, "with --here: the commands that undo it"},
	{OPTION_RUN, "--run", NULL, NULL, "with --here: run them, too (as root)"},
	{OPTION_PORT, "--port", "NAME=NUMBER", NULL,
	 "port of portmap, nfs, mount ...; 0: a free one (assumed), none: not at all"},
	{OPTION_TREE, "--tree", "FILE", NULL, "what is served, one file or directory a line"},
	{OPTION_DIR, "--dir", "NAME=COUNT", NULL,
	 "serve a directory with so many files, which cost no memory"},
	{OPTION_FILE, "--file", "NAME=BYTES", NULL, "serve a file of that size: data=10M"},
	{OPTION_MEMORY, "--memory", "BYTES", NULL,
	 "how much written data is kept before the disk is full (assumed: 256M)"},
	{OPTION_LEASE, "--lease", "SECONDS", NULL, "the lease of NFSv4 (assumed: 90)"},
	{OPTION_GRACE, "--grace", "SECONDS", NULL,
	 "for reclaims, after a restart (assumed: as long as the lease)"},
	{OPTION_COURTESY, "--courtesy", "SECONDS", NULL,
	 "NFSv4 state is kept so long behind its lease, while nobody minds (assumed: 0)"},
	{OPTION_SLOTS, "--slots", "NUMBER", NULL,
	 "of each session of NFSv4.1, as far as the client wants them (assumed: 160)"},
	{OPTION_REGISTER, "--register", NULL, NULL,
	 "register with this host's rpcbind, instead of being one"},
	{OPTION_READY_FD, "--ready-fd", "NUMBER", NULL,
	 "write the ports there, and close it, once they are open"},
	{OPTION_QUIET, "--quiet", NULL, NULL, "say nothing of what happens"},
	{OPTION_WATCH, "--watch", NULL, NULL, "check: again and again, and say what changes"},
	{OPTION_WRITE_PCAPNG, "--write-pcapng", "FILE", NULL,
	 "write what it exchanges to a new FILE, which needs no right to capture"},
	{OPTION_NO_SANDBOX, "--no-sandbox", NULL, NULL,
	 "parse the evidence without the sandbox: for debuggers and profilers"},
	{OPTION_HELP, "--help", NULL, NULL, "show this help"},
};

enum { OPTION_ROWS = sizeof(option_rows) / sizeof(option_rows[0]) };

/* The row of "--name" or "--name=value" in the set, or NULL; *value is what follows "=", or NULL.
 */
static const struct option_row *option_find(uint64_t option_set, const char *arg,
					    const char **value)
{
	size_t len = strcspn(arg, "=");

	*value = arg[len] ? arg + len + 1 : NULL;
	if (strcmp(arg, "-h") == 0)
		arg = "--help", len = strlen(arg);
	for (size_t i = 0; i < OPTION_ROWS; i++)
		if (option_set & OPTION_BIT(option_rows[i].id) &&
		    strlen(option_rows[i].name) == len &&
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

static struct err *option_add(const struct option_row *row, const char *value,
			      struct option_values *values)
{
	if (values->len == OPTION_TIMES_MAX)
		return err_new("%s: at most %d times", row->name, OPTION_TIMES_MAX);
	values->items[values->len++] = value;
	return NULL;
}

/* Where the text of an option goes that takes any; NULL: it is none of these. */
static const char **option_text(enum option_id id, struct options *o)
{
	const char **const texts[OPTION_COUNT] = {
		[OPTION_OUTPUT] = &o->output,
		[OPTION_FOLDER] = &o->output,
		[OPTION_TZ] = &o->tz,
		[OPTION_YEAR] = &o->year,
		[OPTION_BOOT_TIME] = &o->boot_time,
		[OPTION_THREADS] = &o->threads,
		[OPTION_HOST] = &o->host,
		[OPTION_PROGRAM] = &o->program,
		[OPTION_OP] = &o->op,
		[OPTION_STATUS] = &o->status,
		[OPTION_SINCE] = &o->since,
		[OPTION_UNTIL] = &o->until,
		[OPTION_UNTIL_SECONDS] = &o->until,
		[OPTION_CONTROL] = &o->control,
		[OPTION_SEED] = &o->seed,
		[OPTION_SPEED] = &o->speed,
		[OPTION_MEMORY] = &o->memory,
		[OPTION_LEASE] = &o->lease,
		[OPTION_SLOTS] = &o->slots,
		[OPTION_GRACE] = &o->grace,
		[OPTION_COURTESY] = &o->courtesy,
		[OPTION_READY_FD] = &o->ready_fd,
		[OPTION_WRITE_PCAPNG] = &o->write_pcapng,
	};

	return texts[id];
}

/* The same of an option that takes no value. */
static bool *option_flag(enum option_id id, struct options *o)
{
	bool *const flags[OPTION_COUNT] = {
		[OPTION_JSON] = &o->json,   [OPTION_HELP] = &o->help,
		[OPTION_TWIN] = &o->twin,   [OPTION_HERE] = &o->here,
		[OPTION_UNDO] = &o->undo,   [OPTION_RUN] = &o->run,
		[OPTION_QUIET] = &o->quiet, [OPTION_REGISTER] = &o->register_programs,
		[OPTION_WATCH] = &o->watch, [OPTION_NO_SANDBOX] = &o->no_sandbox,
	};

	return flags[id];
}

/* The same of an option that may be given again. */
static struct option_values *option_list(enum option_id id, struct options *o)
{
	struct option_values *const lists[OPTION_COUNT] = {
		[OPTION_LISTEN] = &o->listen, [OPTION_TO] = &o->to,     [OPTION_FAULT] = &o->fault,
		[OPTION_SCRIPT] = &o->script, [OPTION_PORT] = &o->port, [OPTION_TREE] = &o->tree,
		[OPTION_DIR] = &o->dir,       [OPTION_FILE] = &o->file,
	};

	return lists[id];
}

static struct err *option_apply(const struct option_row *row, const char *value,
				struct options *out)
{
	const char **text = option_text(row->id, out);
	struct option_values *list = option_list(row->id, out);
	bool *flag = option_flag(row->id, out);
	size_t choice = 0;
	struct err *err = row->choices ? option_choice(row, value, &choice) : NULL;

	if (err)
		return err;
	if (list)
		return option_add(row, value, list);
	if (text)
		*text = value;
	else if (flag)
		*flag = true;
	else if (row->id == OPTION_COLOR)
		out->color = (enum option_color)choice;
	else if (row->id == OPTION_SORT)
		out->sort = (enum option_sort)choice;
	return NULL;
}

/* Takes the option at argv[*at], and its value behind it; moves *at to the last one taken. */
static struct err *option_take(uint64_t option_set, const char **argv, size_t count, size_t *at,
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

struct err *options_parse(uint64_t option_set, const char **argv, size_t count, struct options *out)
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

void options_add_help(struct strbuf *out, uint64_t option_set)
{
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];
		size_t start = out->len;

		if (!(option_set & OPTION_BIT(row->id)))
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of all subcommands, one table: what the parser takes is what `--help` shows.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

enum option_id {
	OPTION_JSON,
	OPTION_OUTPUT,
	OPTION_COLOR,
	OPTION_SORT,
	OPTION_TZ,
	OPTION_YEAR,
	OPTION_BOOT_TIME,
	OPTION_THREADS,
	OPTION_HOST,
	OPTION_PROGRAM,
	OPTION_OP,
	OPTION_STATUS,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_UNTIL_SECONDS, /* --until of `timeouts` */
	OPTION_LISTEN,
	OPTION_TO,
	OPTION_FAULT,
	OPTION_SCRIPT,
	OPTION_CONTROL,
	OPTION_SEED,
	OPTION_SPEED,
	OPTION_FOLDER, /* --output of `reproduce` */
	OPTION_TWIN,
	OPTION_HERE,
	OPTION_UNDO,
	OPTION_RUN,
	OPTION_PORT,
	OPTION_TREE,
	OPTION_DIR,
	OPTION_FILE,
	OPTION_MEMORY,
	OPTION_LEASE,
	OPTION_GRACE,
	OPTION_COURTESY,
	OPTION_SLOTS,
	OPTION_REGISTER,
	OPTION_READY_FD,
	OPTION_QUIET,
	OPTION_WATCH,
	OPTION_WRITE_PCAPNG,
	OPTION_NO_SANDBOX,
	OPTION_HELP,
	OPTION_COUNT,
};

/* The bit of an option in a set of them; an int's shift does for those below 31. */
#define OPTION_BIT(id) (UINT64_C(1) << (id))

/* The options about the times of logs. */
enum { OPTIONS_LOG = 1u << OPTION_TZ | 1u << OPTION_YEAR | 1u << OPTION_BOOT_TIME };

/* The options that choose what is shown; see filter.h. */
enum {
	OPTIONS_FILTER = 1u << OPTION_HOST | 1u << OPTION_PROGRAM | 1u << OPTION_OP |
			 1u << OPTION_STATUS | 1u << OPTION_SINCE | 1u << OPTION_UNTIL
};

/* What goes wrong in an endpoint; see lab/fault/fault.h. */
enum {
	OPTIONS_FAULT = 1u << OPTION_FAULT | 1u << OPTION_SCRIPT | 1u << OPTION_CONTROL |
			1u << OPTION_SEED | 1u << OPTION_SPEED
};

/* How often an option that may be given again is taken. */
enum { OPTION_TIMES_MAX = 32 };

struct option_values {
	size_t len;
	const char *items[OPTION_TIMES_MAX];
};

enum option_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum option_sort { SORT_SETTLED, SORT_TIME };

/* What was given on the command line. Strings are the caller's argv. */
struct options {
	bool json;
	bool help;
	bool twin, here, undo, run; /* reproduce */
	const char *output;         /* NULL: standard output */
	enum option_color color;
	enum option_sort sort;
	const char *tz, *year, *boot_time;                        /* of logs; NULL: not given */
	const char *threads;                                      /* NULL: not given */
	const char *host, *program, *op, *status, *since, *until; /* NULL: not given */
	struct option_values listen, to, fault, script, port, tree, dir, file;
	const char *control, *seed, *speed, *memory, *ready_fd, *lease, *grace, *courtesy, *slots,
		*write_pcapng;  /* NULL: not given */
	bool register_programs; /* serve */
	bool watch;
	bool quiet;
	bool no_sandbox;
	const char *const *args; /* what is no option, in order */
	size_t arg_count;
};

/*
 * Sorts out argv[0..count) (without the program's and the command's name): options of the set
 * (OPTION_BITs) may stand anywhere before "--". Rearranges argv, which options->args
 * points into. Fails on an option that is unknown or lacks a value; the text names it.
 */
struct err *options_parse(uint64_t option_set, const char **argv, size_t count,
			  struct options *out);

/* One line for each option of the set, for `help`. */
void options_add_help(struct strbuf *out, uint64_t option_set);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a subcommand is: a row of the table in main.c. `--help`, `nfsleuth help`, the parser of
 * options and the tests of manual and completion all live on these rows.
 */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "cmd/options.h"

/* Exit statuses of the program, see EXIT STATUS in nfsleuth(1). */
enum status {
	STATUS_NOTHING = 0, /* neither cause nor symptom found; for other commands: done */
	STATUS_FOUND = 1,
	STATUS_USAGE = 2,
	STATUS_UNREAD = 3, /* some evidence could not be read at all, or the result not be written;
			    * wins over FOUND */
};

/* One choice of a command's first argument: a row of `help`. A name NULL ends the list. */
struct command_choice {
	const char *name;
	const char *summary;
};

struct command {
	const char *name;
	const char *arguments; /* "FILE..." */
	const char *summary;   /* one line */
	const char *detail;    /* a paragraph */
	const struct command_choice *choices;
	uint64_t option_set; /* OPTION_BITs of the options that it takes */
	enum status (*run)(const struct options *options);
};

extern const struct command command_diagnose;
extern const struct command command_show;
extern const struct command command_compare;
extern const struct command command_explain;
extern const struct command command_timeouts;
extern const struct command command_gather;
extern const struct command command_probe;
extern const struct command command_reproduce;
extern const struct command command_serve;
extern const struct command command_proxy;
extern const struct command command_version;

/*
 * "nfsleuth: ..." and a line break on standard error, one line whatever the text holds.
 */
void command_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Where one of the arguments is "-" and that is a terminal: says so, as nothing else would. */
void command_tell_of_terminal(const struct options *options);

/* As many open files and connections as the system lets us have. */
void command_raise_file_limit(void);

/* True when the word that should be a name names a file or directory that is there. */
bool command_is_path(const char *word);

/*
 * The name that is nearest to what was typed, among count names that `name_at` gives; NULL when
 * none is near.
 */
const char *command_nearest(const char *typed, const char *(*name_at)(size_t index), size_t count);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* The program: finds the subcommand and hands over to it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

static const struct command *const commands[] = {
	&command_diagnose, &command_show,   &command_compare,   &command_explain,
	&command_timeouts, &command_gather, &command_reproduce, &command_probe,
	&command_serve,    &command_proxy,  &command_version,
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const char *command_name_at(size_t index)
{
	return commands[index]->name;
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print(struct strbuf *text)
{
	fputs(strbuf_text(text), stdout);
	strbuf_deinit(text);
}

static enum status print_help(void)
{
	struct strbuf out;

	strbuf_init(&out);
	strbuf_add_text(&out,
			"nfsleuth tells why NFS hangs, loops or fails, from the evidence of an "
			"incident,\nand proves it frame by frame.\n\n"
			"Usage: nfsleuth COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		strbuf_add_format(&out, "  %-10s %-15s %s\n", commands[i]->name,
				  commands[i]->arguments, commands[i]->summary);
	strbuf_add_text(
		&out,
		"\nA FILE is evidence: a packet capture, a kernel log, stacks of tasks, counters "
		"or lists\nthat a host prints; plain or packed with gzip, zstd, xz; a directory or "
		"a tar archive\nof such files; or - for standard input. Its content tells what it "
		"is.\n\n"
		"  nfsleuth COMMAND --help   options of a command (so does: nfsleuth help "
		"COMMAND)\n  nfsleuth --version, -V    the version\n\n"
		"Exit status: 0 nothing found, 1 something found, 2 wrong usage, 3 some evidence "
		"could\nnot be read. Try: nfsleuth diagnose capture.pcap\n");
	print(&out);
	return STATUS_NOTHING;
}

static enum status print_command_help(const struct command *c)
{
	struct strbuf out;

	strbuf_init(&out);
	strbuf_add_format(&out, "Usage: nfsleuth %s [OPTION]... %s\n\n%s\n", c->name, c->arguments,
			  c->detail);
	if (c->choices)
		strbuf_add_char(&out, '\n');
	for (const struct command_choice *choice = c->choices; choice && choice->name; choice++)
		strbuf_add_format(&out, "  %-10s %s\n", choice->name, choice->summary);
	strbuf_add_text(&out, "\nOptions:\n");
	options_add_help(&out, c->option_set | OPTION_BIT(OPTION_HELP));
	print(&out);
	return STATUS_NOTHING;
}

static enum status complain_of_command(const char *typed)
{
	const char *nearest = command_nearest(typed, command_name_at, COMMAND_COUNT);

	if (command_is_path(typed))
		command_complain("%s: no such command; did you mean 'nfsleuth diagnose %s'?", typed,
				 typed);
	else if (nearest)
		command_complain("%s: no such command; did you mean 'nfsleuth %s'?", typed,
				 nearest);
	else
		command_complain("%s: no such command; 'nfsleuth help' lists them", typed);
	return STATUS_USAGE;
}

static enum status run_help(const char *const *args, size_t count)
{
	const struct command *c;

	if (count == 0)
		return print_help();
	c = command_find(args[0]);
	return c ? print_command_help(c) : complain_of_command(args[0]);
}

static enum status run_command(const struct command *c, const char **args, size_t count)
{
	struct options options;
	struct err *err =
		options_parse(c->option_set | OPTION_BIT(OPTION_HELP), args, count, &options);

	if (err) {
		command_complain("%s; try 'nfsleuth help %s'", err_text(err), c->name);
		err_destroy(err);
		return STATUS_USAGE;
	}
	return options.help ? print_command_help(c) : c->run(&options);
}

static enum status run_main(const char **args, size_t count)
{
	const struct command *c;

	if (count == 0) {
		command_complain("no command; try 'nfsleuth diagnose FILE', or 'nfsleuth help'");
		return STATUS_USAGE;
	}
	if (strcmp(args[0], "--help") == 0 || strcmp(args[0], "-h") == 0)
		return print_help();
	if (strcmp(args[0], "--version") == 0 || strcmp(args[0], "-V") == 0) {
		puts("nfsleuth " NFSLEUTH_VERSION);
		return STATUS_NOTHING;
	}
	if (strcmp(args[0], "help") == 0)
		return run_help(args + 1, count - 1);
	c = command_find(args[0]);
	return c ? run_command(c, args + 1, count - 1) : complain_of_command(args[0]);
}

int main(int argc, char **argv)
{
	/* A reader that has seen enough (| head) ends us quietly, whoever started us. */
	signal(SIGPIPE, SIG_DFL);
	return (int)run_main((const char **)argv + 1, argc > 0 ? (size_t)argc - 1 : 0);
}

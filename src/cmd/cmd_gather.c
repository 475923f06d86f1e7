// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth gather`: prints the script gather.sh, which the build puts into the program. */
#include "cmd/command.h"
#include "cmd/gather_script.h"
#include "cmd/output.h"

static enum status cmd_gather(const struct options *options)
{
	struct strbuf text;
	struct err *err;

	if (options->arg_count > 0) {
		command_complain("gather: it takes no arguments; the script has options: see "
				 "'nfsleuth gather | sh -s -- -h'");
		return STATUS_USAGE;
	}
	strbuf_init(&text);
	strbuf_add(&text, gather_script, gather_script_len);
	err = output_write_whole(options->output, &text);
	strbuf_deinit(&text);
	if (!err)
		return STATUS_NOTHING;
	command_complain("%s", err_text(err));
	err_destroy(err);
	return STATUS_UNREAD;
}

const struct command command_gather = {
	.name = "gather",
	.arguments = "",
	.summary = "print a shell script that collects evidence on a host",
	.detail =
		"Prints a POSIX shell script, to be copied to a host where nothing can be "
		"installed and run there\nas root: sh nfsleuth-gather.sh. It collects counters of "
		"mounts and servers, stacks of waiting tasks,\nkernel logs, connections, packet "
		"filters and, on request, a capture, without touching any mount\nof NFS, and packs "
		"them into one tar for 'nfsleuth diagnose'. Its own options: sh "
		"nfsleuth-gather.sh -h.",
	.option_set = 1u << OPTION_OUTPUT,
	.run = cmd_gather,
};

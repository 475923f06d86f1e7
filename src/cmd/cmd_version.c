// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth version`: what this program is made of, and what the kernel lets its sandbox do. */
#include <ev.h>
#include <lzma.h>
#include <seccomp.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#include "cmd/command.h"
#include "guard/guard.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* What the compiler was told that makes an error in memory harder to use. */
static void add_hardening(struct strbuf *out)
{
	strbuf_add_text(out, "hardening:");
#ifdef __PIE__
	strbuf_add_text(out, " position-independent");
#endif
#if defined(__SSP_STRONG__) || defined(__SSP_ALL__)
	strbuf_add_text(out, " stack-protector");
#endif
#ifdef _FORTIFY_SOURCE
	strbuf_add_format(out, " fortify-source=%d", _FORTIFY_SOURCE);
#endif
#ifdef __CET__
	strbuf_add_text(out, " control-flow");
#endif
#ifdef NFSLEUTH_SANITIZED
	strbuf_add_text(out, " sanitizer");
#endif
	strbuf_add_char(out, '\n');
}

static void add_libraries(struct strbuf *out)
{
	const struct scmp_version *filters = seccomp_version();

	strbuf_add_format(out, "libraries: zlib %s, zstd %s, liblzma %s, libev %d.%d",
			  zlibVersion(), ZSTD_versionString(), lzma_version_string(),
			  ev_version_major(), ev_version_minor());
	if (filters)
		strbuf_add_format(out, ", libseccomp %u.%u.%u", filters->major, filters->minor,
				  filters->micro);
	strbuf_add_char(out, '\n');
}

static void add_sandbox(struct strbuf *out)
{
	struct guard_state state;

	guard_ask(&state);
	strbuf_add_text(out, "sandbox: ");
	if (state.absent)
		strbuf_add_format(out, "none, %s", state.absent);
	else if (!state.landlock && !state.seccomp)
		strbuf_add_text(out, "none, this kernel offers neither Landlock nor seccomp");
	else
		strbuf_add_format(out, "%s%s", state.seccomp ? "seccomp" : "no seccomp",
				  state.landlock ? "" : ", no Landlock");
	if (state.landlock)
		strbuf_add_format(out, ", Landlock version %d", state.landlock);
	strbuf_add_char(out, '\n');
}

static enum status cmd_version(const struct options *options)
{
	struct strbuf out;
	bool failed;

	if (options->arg_count > 0) {
		command_complain("version: it takes no arguments");
		return STATUS_USAGE;
	}
	strbuf_init(&out);
	strbuf_add_text(&out, "nfsleuth " NFSLEUTH_VERSION "\ncompiler: " COMPILER "\n");
	add_hardening(&out);
	add_libraries(&out);
	add_sandbox(&out);
	failed = fputs(strbuf_text(&out), stdout) == EOF || fflush(stdout) != 0;
	strbuf_deinit(&out);
	return failed ? STATUS_UNREAD : STATUS_NOTHING;
}

const struct command command_version = {
	.name = "version",
	.arguments = "",
	.summary = "the version, how it was built, what its sandbox can do here",
	.detail = "Tells the version, the compiler and the libraries that it was built with, and "
		  "which\n"
		  "layers of its sandbox this kernel offers.",
	.run = cmd_version,
};

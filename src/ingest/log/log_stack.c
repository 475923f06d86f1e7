// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines behind "INFO: task NAME:PID blocked for more than N seconds": where the task waits, as
 * the kernel's stack dump tells (kernel/hung_task.c, sched_show_task). The forms of the lines are
 * the evidence reader's (evidence/line/stack_line.h, evidence/taskdump/taskdump.h), as for every
 * other stack.
 */
#include "evidence/line/stack_line.h"
#include "evidence/taskdump/taskdump.h"
#include "ingest/log/log_facts.h"

static bool begins(struct slice text, const char *words)
{
	size_t len = strlen(words);

	return text.len >= len && memcmp(text.ptr, words, len) == 0;
}

bool log_stack_goes_on(struct slice text)
{
	return taskdump_is_of_report(text);
}

/* How sleeping itself is called: who sleeps there is told by the function that calls them. */
static bool is_plain_wait(struct slice name)
{
	static const char *const exact[] = {"io_schedule", "bit_wait", "bit_wait_io", "down", "up"};
	static const char *const starts[] = {
		"__switch_to",     "__schedule",   "schedule",        "preempt_schedule",
		"rwsem_down_",     "__rwsem_down", "call_rwsem_down", "down_",
		"__down",          "mutex_lock",   "__mutex",         "wait_for_compl",
		"__wait_for_c",    "wait_on_",     "__wait_on_",      "out_of_line_wait",
		"folio_wait",      "bit_wait",     "rpc_wait_bit",    "nfs_wait_bit",
		"prepare_to_wait", "_raw_spin",    "io_schedule",     "do_wait_for_common"};

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (slice_equal(name, slice_of_string(exact[i])))
			return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (begins(name, starts[i]))
			return true;
	return false;
}

static bool is_nfs(const struct stack_line *line)
{
	static const char *const modules[] = {"nfs", "sunrpc", "lockd", "rpcsec", "auth_rpcgss"};
	static const char *const starts[] = {"nfs", "rpc_", "nlm", "xprt_", "xs_", "__nfs", "_nfs"};

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (begins(line->module, modules[i]))
			return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (begins(line->function, starts[i]))
			return true;
	return false;
}

/* One line of the stack, the innermost first. */
static void stack_take(struct log_fact *f, struct slice text)
{
	struct stack_line line;

	if (!stack_line_parse(text, &line) || line.guessed)
		return;
	if (is_plain_wait(line.function)) {
		if (f->where.len == 0 && !begins(line.function, "__s") && /* __schedule ... */
		    !begins(line.function, "schedule"))
			f->waits_in = line.function;
	} else if (f->where.len == 0) {
		f->where = line.function;
	}
	if (f->nfs_function.len == 0 && is_nfs(&line) && !is_plain_wait(line.function))
		f->nfs_function = line.function;
}

void log_stack_parse(struct log_fact *fact)
{
	struct slice rest = fact->detail;

	while (rest.len) {
		const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.ptr) : rest.len;

		/* The owner of what it waits for: a stack of another task. */
		if ((fact->where.len || fact->waits_in.len) &&
		    taskdump_begins_report(slice_make(rest.ptr, len)))
			return;
		stack_take(fact, slice_make(rest.ptr, len));
		len += end != NULL;
		rest = slice_make(rest.ptr + len, rest.len - len);
	}
}

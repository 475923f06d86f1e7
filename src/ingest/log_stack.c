// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines behind "INFO: task NAME:PID blocked for more than N seconds": where the task waits, as
 * the kernel's stack dump tells (kernel/hung_task.c, sched_show_task).
 */
#include "ingest/log_facts.h"

static bool begins(struct slice text, const char *words)
{
	size_t len = strlen(words);

	return text.len >= len && memcmp(text.ptr, words, len) == 0;
}

static bool holds(struct slice text, const char *words)
{
	return text.len && memmem(text.ptr, text.len, words, strlen(words)) != NULL;
}

static struct slice unindented(struct slice text)
{
	while (text.len && (*text.ptr == ' ' || *text.ptr == '\t'))
		text = slice_make(text.ptr + 1, text.len - 1);
	return text;
}

/* "function+0x1/0x2 [module]", with "? " before it when the unwinder guessed. */
static bool is_function_line(struct slice text)
{
	return holds(text, "+0x") && holds(text, "/0x");
}

bool log_stack_goes_on(struct slice text)
{
	static const char *const starts[] = {
		"Call Trace", "task:", "\"echo 0 >", "Not tainted", "Tainted", "<TASK>", "</TASK>",
		"RIP:",       "RSP:",  "RAX:",       "RDX:",        "RBP:",    "R10:",   "R13:",
		"Workqueue:", "Code:", "pstate:",    "pc :",        "lr :",    "sp :"};

	text = unindented(text);
	if (begins(text, "INFO: task"))
		return holds(text, "is blocked on") || holds(text, "owned by");
	if (is_function_line(text))
		return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (begins(text, starts[i]))
			return true;
	/* Before 5.11: "touch           D    0   312    300 0x00000000" */
	return holds(text, " D ") && holds(text, " 0x");
}

/* How sleeping itself is called: who sleeps there is told by the function that calls them. */
static bool is_plain_wait(struct slice name)
{
	static const char *const exact[] = {"io_schedule", "bit_wait", "bit_wait_io", "down", "up"};
	static const char *const starts[] = {"__schedule",
					     "schedule",
					     "preempt_schedule",
					     "rwsem_down_",
					     "__rwsem_down",
					     "call_rwsem_down",
					     "down_",
					     "__down",
					     "mutex_lock",
					     "__mutex",
					     "wait_for_compl",
					     "__wait_for_c",
					     "wait_on_",
					     "__wait_on_",
					     "out_of_line_wait",
					     "folio_wait",
					     "bit_wait",
					     "rpc_wait_bit",
					     "nfs_wait_bit",
					     "prepare_to_wait",
					     "_raw_spin",
					     "io_schedule",
					     "do_wait_for_common"};

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (slice_equal(name, slice_of_string(exact[i])))
			return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (begins(name, starts[i]))
			return true;
	return false;
}

static bool is_nfs(struct slice name, struct slice line)
{
	static const char *const modules[] = {"[nfs", "[sunrpc]", "[lockd]", "[rpcsec",
					      "[auth_rpcgss"};
	static const char *const starts[] = {"nfs", "rpc_", "nlm", "xprt_", "xs_", "__nfs", "_nfs"};

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (holds(line, modules[i]))
			return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (begins(name, starts[i]))
			return true;
	return false;
}

/* One line of the stack, the innermost first. */
static void stack_take(struct log_fact *f, struct slice line)
{
	struct slice text = unindented(line);
	const uint8_t *plus;
	struct slice name;

	/* Before 4.10 an address stood first: "[<ffffffff8168c169>] schedule+0x29/0x70". */
	if (begins(text, "[<") && memchr(text.ptr, ']', text.len)) {
		const uint8_t *end = memchr(text.ptr, ']', text.len);

		text = unindented(slice_make(end + 1, text.len - (size_t)(end - text.ptr) - 1));
	}
	if (begins(text, "RIP:") || begins(text, "? ") || !is_function_line(text))
		return;
	plus = memmem(text.ptr, text.len, "+0x", 3);
	name = slice_make(text.ptr, (size_t)(plus - text.ptr));
	if (name.len == 0)
		return;
	if (is_plain_wait(name)) {
		if (f->where.len == 0 && !begins(name, "__schedule") && !begins(name, "schedule"))
			f->waits_in = name;
	} else if (f->where.len == 0) {
		f->where = name;
	}
	if (f->nfs_function.len == 0 && is_nfs(name, text))
		f->nfs_function = name;
}

void log_stack_parse(struct log_fact *fact)
{
	struct slice rest = fact->detail;

	while (rest.len) {
		const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.ptr) : rest.len;

		stack_take(fact, slice_make(rest.ptr, len));
		len += end != NULL;
		rest = slice_make(rest.ptr + len, rest.len - len);
	}
}

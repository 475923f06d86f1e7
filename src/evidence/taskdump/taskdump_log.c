// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks as the kernel lists them itself: sched_show_task (sysrq-w, sysrq-t), kernel/hung_task.c,
 * and dump_stack's line about the CPU (sysrq-l, soft lockups).
 */
#include "evidence/taskdump/taskdump_private.h"

enum { STACK_ROOM_DIGITS = 5 }; /* "%5lu" of sched_show_task() */

static const char states[] = "RSDTtXZPIxKWN";

/*
 * What lies on the stack, as kernels before 4.9 print it: "ffff880c281c5b70 0000000000000046". Also
 * a frame of powerpc whose address is no function's: "[c0000000037f] [c0000000037f] 0xc0000000037f
 * (unreliable)".
 */
static bool is_words_of_stack(struct slice text)
{
	uint64_t value;
	size_t words = 0;

	while (text.len) {
		struct slice word = text_word(&text);

		if (words >= 2 && slice_equal(word, slice_of_string("(unreliable)")))
			continue;
		if (word.len > 2 && word.ptr[0] == '[' && word.ptr[word.len - 1] == ']')
			word = slice_make(word.ptr + 1, word.len - 2);
		if (stack_address_parse(word, &value) != word.len)
			return false;
		words++;
	}
	return words >= 2;
}

bool taskdump_is_log_trimming(struct slice text)
{
	static const char *const starts[] = {
		"Call Trace",
		"Call trace",
		"<TASK>",
		"</TASK>",
		"\"echo 0 >",
		"Not tainted",
		"Tainted",
		"Workqueue:",
		"Code:",
		"RIP:",
		"RSP:",
		"RAX:",
		"RBX:",
		"RCX:",
		"RDX:",
		"RSI:",
		"RDI:",
		"RBP:",
		"R08:",
		"R10:",
		"R13:",
		"pstate:",
		"pstate",
		"pc :",
		"lr :",
		"sp :",
		"x29:",
		"Stack:",
		"Sched Debug",
		"Hardware name",
		"ORIG_RAX",
		"CS:",
		"FS:",
		"CR2:",
		"Modules linked",
		"kernel_tainted",
		"NIP ",
		"LR ",
		"GPR",
		"MSR:",
		"CFAR:",
		"Krnl ",
		"CPSR:",
		"Exception stack",
		"Instruction dump:",
		"Last Breaking-Event",
	};

	text = text_trim(text);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (text_begins(text, starts[i]))
			return true;
	return (text.len > 2 && (text.ptr[0] == 'x' || text.ptr[0] == 'R') &&
		text_is_digit(text.ptr[1]) && text_holds(text, ": ")) ||
	       is_words_of_stack(text);
}

/* The number behind words, with blanks between; false: not there. */
static bool number_behind(struct slice text, const char *words, int64_t *out)
{
	struct slice rest = text_find(text, words);
	size_t len = 0;

	if (rest.len == 0)
		return false;
	rest = text_trim(text_after(rest, strlen(words)));
	while (len < rest.len && text_is_digit(rest.ptr[len]))
		len++;
	return text_number(slice_make(rest.ptr, len), out);
}

static void log_begin(struct taskdump *t, int64_t pid, struct slice name, char state)
{
	struct taskdump_open *o = &t->now;

	/* The second line of a report about a hung task: the first has named it. */
	if (o->open && o->form == TASKDUMP_LOG && o->fact.pid == pid && o->fact.hung_s &&
	    o->fact.frames_len == 0 && o->fact.state == TASK_STATE_NONE) {
		o->fact.state = state;
		t->hung_pid = t->hung_s = 0;
		return;
	}
	taskdump_begin(t, TASKDUMP_LOG, pid, name, state);
	if (t->hung_pid == pid)
		t->now.fact.hung_s = t->hung_s;
	t->now.fact.shown_as_owner = t->owner_pid == pid;
	t->hung_pid = t->hung_s = t->owner_pid = 0;
}

/* "task:ls              state:D stack:    0 pid:  247 ppid:   245 flags:0x00000002" (5.11 on) */
static bool take_new_head(struct taskdump *t, struct slice text)
{
	struct slice state, name;
	int64_t pid;

	if (!text_begins(text, "task:"))
		return false;
	state = text_find(text, " state:");
	if (state.len < 8 || !number_behind(state, " pid:", &pid))
		return false;
	name = text_trim(slice_make(text.ptr + 5, (size_t)(state.ptr - text.ptr) - 5));
	log_begin(t, pid, name, (char)state.ptr[7]);
	return true;
}

/* "rsync           D    0 3621271 152322 0x00000080", with a program counter before 4.14. */
static bool parse_old_head(struct slice text, struct slice *name, int64_t *pid, char *state)
{
	struct slice rest = text;
	struct slice word = text_last_word(&rest);
	int64_t ppid, room;
	uint64_t pc;

	if (!text_begins(word, "0x") || word.len < 6 ||
	    !text_number(text_last_word(&rest), &ppid) || !text_number(text_last_word(&rest), pid))
		return false;
	word = text_last_word(&rest);
	if (text_number(word, &room)) {
		word = text_last_word(&rest);
		if (word.len > 1 && (stack_address_parse(word, &pc) == word.len))
			word = text_last_word(&rest);
	} else if (word.len > STACK_ROOM_DIGITS && text_number(text_after(word, 1), &room)) {
		word.len = 1; /* "D11968": five digits of free stack leave no room between */
	}
	if (word.len != 1 || !memchr(states, word.ptr[0], sizeof(states) - 1) || rest.len == 0 ||
	    rest.len > TASKDUMP_NAME_BYTES_MAX)
		return false;
	*name = rest;
	*state = (char)word.ptr[0];
	return true;
}

static bool take_old_head(struct taskdump *t, struct slice text)
{
	struct slice name;
	int64_t pid;
	char state;

	if (!parse_old_head(text, &name, &pid, &state))
		return false;
	log_begin(t, pid, name, state);
	return true;
}

/* "INFO: task A:1 is blocked on a mutex likely owned by task B:2.": of the task above it. */
static bool is_about_owner(struct slice text)
{
	return text_begins(text, "INFO: task") && text_holds(text, "blocked on a");
}

bool taskdump_begins_report(struct slice text)
{
	struct slice name;
	int64_t pid;
	char state;

	text = text_trim(text);
	return text_begins(text, "INFO: task") || text_begins(text, "task:") ||
	       parse_old_head(text, &name, &pid, &state);
}

bool taskdump_is_of_report(struct slice text)
{
	struct stack_line line;

	text = text_trim(text);
	if (text_begins(text, "INFO: task"))
		return is_about_owner(text);
	return taskdump_begins_report(text) || taskdump_is_log_trimming(text) ||
	       stack_line_parse(text, &line);
}

/* "NAME:PID" up to its end, a name may hold colons: where it ends is given. */
static bool split_name(struct slice text, struct slice *name, int64_t *pid)
{
	size_t colon = text.len;

	while (colon > 0 && text.ptr[colon - 1] != ':')
		colon--;
	if (colon < 2 || !text_number(text_after(text, colon), pid))
		return false;
	*name = slice_make(text.ptr, colon - 1);
	return true;
}

/* The first word behind the name that is no part of "NAME:PID": " <writer>", ".", "(T120)". */
static struct slice name_until(struct slice text, const char *const *ends)
{
	for (; *ends; ends++) {
		struct slice end = text_find(text, *ends);

		if (end.len)
			text.len -= end.len;
	}
	return text;
}

/*
 * Who owns what the task above waits for: CONFIG_DETECT_HUNG_TASK_BLOCKER, 3cf67d61ff98 (6.15) for
 * mutexes, then semaphores and rw_semaphores:
 *	INFO: task A:1 is blocked on a mutex likely owned by task B:2.
 *	INFO: task A:1 <writer> blocked on an rw-semaphore likely owned by task B:2 <reader>
 * The stack of the owner follows, unless that is reported as hung itself.
 */
static bool take_owner(struct taskdump *t, struct slice text)
{
	static const char *const waiter_ends[] = {" is blocked on", " blocked on", " <", "(T",
						  NULL};
	static const char *const owner_ends[] = {" <", "(T", NULL};
	struct slice owner, words, name, waiter_name;
	int64_t pid, waiter;

	if (!is_about_owner(text))
		return false;
	owner = text_find(text, "owned by task ");
	words = name_until(text_after(owner, 14), owner_ends);
	if (words.len && words.ptr[words.len - 1] == '.')
		words.len--;
	if (!split_name(words, &name, &pid) ||
	    !split_name(name_until(text_after(text, 11), waiter_ends), &waiter_name, &waiter))
		return false;
	taskdump_begin(t, TASKDUMP_LOG, waiter, waiter_name, TASK_STATE_NONE);
	t->now.fact.owner_pid = pid;
	t->now.fact.owner_reads = text_holds(owner, "<reader>");
	t->now.fact.owner_name = taskdump_keep(t, name);
	taskdump_finish(t);
	t->owner_pid = pid;
	return true;
}

/*
 * "INFO: task rsync:3621271 blocked for more than 120 seconds.", since 7.1 also "blocked in I/O
 * wait for more than".
 */
static bool take_hung(struct taskdump *t, struct slice text)
{
	static const char *const ends[] = {" blocked for more than ",
					   " blocked in I/O wait for more than ", NULL};
	struct slice task = text_find(text, "task ");
	struct slice name;

	if ((!text_holds(task, ends[0]) && !text_holds(task, ends[1])) ||
	    !split_name(name_until(text_after(task, 5), ends), &name, &t->hung_pid) ||
	    !number_behind(text, "more than ", &t->hung_s))
		return false;
	taskdump_finish(t);
	taskdump_begin(t, TASKDUMP_LOG, t->hung_pid, name, TASK_STATE_NONE);
	t->now.fact.hung_s = t->hung_s;
	t->owner_pid = 0;
	return true;
}

/* "CPU: 3 PID: 1234 Comm: kworker/3:1 Not tainted 6.1.0 #1": who runs, or who reports. */
static bool take_cpu(struct taskdump *t, struct slice text)
{
	struct slice comm, end;
	int64_t pid;

	if (!text_begins(text, "CPU: "))
		return false;
	comm = text_find(text, " Comm: ");
	if (comm.len == 0 || !number_behind(text, "PID: ", &pid))
		return false;
	comm = text_after(comm, 7);
	end = text_find(comm, " Not tainted");
	if (end.len == 0)
		end = text_find(comm, " Tainted");
	if (end.len)
		comm.len -= end.len;
	taskdump_begin(t, TASKDUMP_LOG, pid, text_trim(comm), 'R');
	return true;
}

/* "sysrq: Show Blocked State", "SysRq : Show State": a listing begins. */
static bool take_listing(struct taskdump *t, struct slice text)
{
	static const struct {
		const char *words;
		enum task_scope scope;
	} listings[] = {
		{"Show Blocked State", TASK_SCOPE_BLOCKED},
		{"Show State", TASK_SCOPE_ALL},
		{"Show backtrace of all active", TASK_SCOPE_SOME},
	};

	if (!text_begins(text, "sysrq") && !text_begins(text, "SysRq"))
		return false;
	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++) {
		if (!text_holds(text, listings[i].words))
			continue;
		taskdump_finish(t);
		t->ops->sample(t->context, TASKDUMP_LOG, listings[i].scope, stamp_none());
		return true;
	}
	return false;
}

bool taskdump_take_log(struct taskdump *t, struct slice text)
{
	text = text_trim(text);
	return take_new_head(t, text) || take_old_head(t, text) || take_hung(t, text) ||
	       take_owner(t, text) || take_cpu(t, text) || take_listing(t, text);
}

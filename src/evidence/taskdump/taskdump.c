// SPDX-License-Identifier: GPL-2.0-or-later
/* See taskdump.h. This file puts tasks together; the others know the forms of the lines. */
#include "evidence/taskdump/taskdump.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "evidence/taskdump/taskdump_private.h"

enum {
	STRANGE_LINES_MAX = 3, /* of others, in the middle of a report of the kernel */
	LINE_BYTES_MAX = 4096, /* longer lines are no part of a dump */
};

struct taskdump *taskdump_create(const struct taskdump_ops *ops, void *context)
{
	struct taskdump *t = mem_alloc(1, sizeof(*t));

	t->ops = ops;
	t->context = context;
	return t;
}

void taskdump_destroy(struct taskdump *t)
{
	free(t);
}

uint64_t taskdump_lines(const struct taskdump *t)
{
	return t->lines;
}

struct slice taskdump_keep(struct taskdump *t, struct slice text)
{
	struct taskdump_open *o = &t->now;
	struct slice kept = slice_make(o->text + o->text_len, text.len);

	if (text.len == 0 || text.len > sizeof(o->text) - o->text_len)
		return slice_make(NULL, 0);
	memcpy(o->text + o->text_len, text.ptr, text.len);
	o->text_len += text.len;
	return kept;
}

/* Where it is, or would be put: half of the places are free. */
static size_t pid_place(const struct taskdump *t, int64_t pid)
{
	size_t place = hash_u64(hash_start(), (uint64_t)pid) % TASKDUMP_PIDS_PLACES;

	while (t->pids[place] && t->pids[place] != pid)
		place = (place + 1) % TASKDUMP_PIDS_PLACES;
	return place;
}

bool taskdump_knows(const struct taskdump *t, int64_t pid)
{
	return pid > 0 && t->pids_len && t->pids[pid_place(t, pid)] == pid;
}

static void taskdump_learn(struct taskdump *t, int64_t pid)
{
	if (pid <= 0 || t->pids_len == TASKDUMP_PIDS_MAX || taskdump_knows(t, pid))
		return;
	t->pids[pid_place(t, pid)] = pid;
	t->pids_len++;
}

/* A task of which nothing was told but its number is none. */
static bool taskdump_tells(const struct task_fact *f)
{
	return f->frames_len || (f->pid != TASK_PID_NONE &&
				 (f->objects_len || f->state || f->address || f->hung_s ||
				  f->waits.len || f->owner_pid != TASK_PID_NONE || f->locks_len));
}

void taskdump_finish(struct taskdump *t)
{
	struct taskdump_open *o = &t->now;

	if (!o->open)
		return;
	o->open = false;
	if (taskdump_tells(&o->fact))
		t->ops->task(t->context, o->form, o->line, &o->fact);
}

void taskdump_begin(struct taskdump *t, enum taskdump_form form, int64_t pid, struct slice name,
		    char state)
{
	struct taskdump_open *o = &t->now;

	taskdump_finish(t);
	taskdump_learn(t, pid);
	o->open = true;
	o->form = form;
	o->line = t->line;
	o->text_len = 0;
	o->strange = 0;
	o->fact = (struct task_fact){
		.pid = pid,
		.state = state,
		.switches = TASK_COUNT_NONE,
		.owner_pid = TASK_PID_NONE,
		.frames = o->frames,
		.objects = o->objects,
		.locks = o->locks,
	};
	if (name.len > TASKDUMP_NAME_BYTES_MAX)
		name.len = TASKDUMP_NAME_BYTES_MAX;
	o->fact.name = taskdump_keep(t, name);
	t->last_file = 0;
	t->type = TASKDUMP_STRUCT_OTHER;
	t->of = 0;
	if (form != TASKDUMP_PROC)
		t->header.set = false;
	t->ops->begun(t->context);
}

void taskdump_add_frame(struct taskdump *t, const struct stack_line *line)
{
	struct taskdump_open *o = &t->now;
	struct task_frame *f;

	if (line->guessed || o->fact.frames_len == TASK_FRAMES_MAX)
		return;
	f = &o->frames[o->fact.frames_len];
	f->function = taskdump_keep(t, line->function);
	if (f->function.len == 0)
		return;
	f->module = taskdump_keep(t, line->module);
	if (line->stack && (o->fact.stack_low == 0 || line->stack < o->fact.stack_low))
		o->fact.stack_low = line->stack;
	if (line->stack > o->fact.stack_high)
		o->fact.stack_high = line->stack;
	if (o->fact.frames_len == 0 && line->number > 0)
		o->fact.first_frame = line->number;
	o->fact.frames_len++;
}

/* Begins the task whose stack stands behind a line that named it. */
static void taskdump_begin_by_header(struct taskdump *t)
{
	struct taskdump_header *h = &t->header;

	taskdump_begin(t, TASKDUMP_PROC, h->set ? h->pid : TASK_PID_NONE,
		       slice_make(h->name, h->set ? h->name_len : 0), TASK_STATE_NONE);
	if (h->set)
		t->now.line = h->line;
	h->set = false;
}

/* A line of a stack belongs to the task at hand, or to the one that a line before it named. */
static bool taskdump_take_frame(struct taskdump *t, struct slice text, bool log)
{
	struct taskdump_open *o = &t->now;
	struct stack_line line;

	if (!stack_line_parse(text, &line) || line.form == STACK_FTRACE)
		return false;
	if (text_begins(text_trim(text), "RIP:"))
		return true;
	if (log && (!o->open || o->form != TASKDUMP_LOG))
		return false; /* of a warning or an oops: nobody waits there */
	if (line.form == STACK_CRASH && (!o->open || o->form != TASKDUMP_CRASH))
		return false;
	if (line.form == STACK_DRGN && o->open && o->form == TASKDUMP_PROC && line.number == 0 &&
	    o->fact.frames_len)
		taskdump_finish(t);
	if (!o->open || o->form == TASKDUMP_PS || (o->form == TASKDUMP_CRASH && line.number < 0) ||
	    (o->form == TASKDUMP_PROC && t->header.set))
		taskdump_begin_by_header(t);
	taskdump_add_frame(t, &line);
	o->strange = 0;
	return true;
}

/* A line that is not understood ends a report, but not at once where others write in between. */
static void taskdump_take_strange(struct taskdump *t, struct slice text, bool log)
{
	struct taskdump_open *o = &t->now;

	if (o->open && o->form == TASKDUMP_LOG) {
		if (taskdump_is_log_trimming(text)) {
			t->lines += !log;
			return;
		}
		if (o->fact.frames_len == 0 || o->strange++ < STRANGE_LINES_MAX) {
			if (log)
				return;
		}
		taskdump_finish(t);
	}
	if (!log && taskdump_take_header(t, text))
		t->lines++;
}

void taskdump_line(struct taskdump *t, uint64_t line, struct slice text, bool log)
{
	t->line = line;
	if (text.len == 0 || text.len > LINE_BYTES_MAX)
		return;
	if (!stack_line_may_be_frame(text) &&
	    (taskdump_take_log(t, text) || taskdump_take_locks(t, text))) {
		t->lines++;
		return;
	}
	/* Nothing else of a log counts but what is of a report that was begun: most lines end here.
	 */
	if (log && !(t->now.open && t->now.form == TASKDUMP_LOG))
		return;
	if (taskdump_take_frame(t, text, log) ||
	    (!log && (taskdump_take_crash(t, text) || taskdump_take_table(t, text) ||
		      taskdump_take_proc(t, text)))) {
		t->lines++;
		return;
	}
	taskdump_take_strange(t, text, log);
}

void taskdump_end(struct taskdump *t)
{
	taskdump_finish(t);
	t->header.set = false;
	t->table.open = false;
	t->hung_pid = t->hung_s = t->owner_pid = 0;
	t->type = TASKDUMP_STRUCT_OTHER;
	t->of = t->last_file = 0;
	t->field = TASKDUMP_FIELD_NONE;
	if (t->pids_len)
		memset(t->pids, 0, sizeof(t->pids));
	t->pids_len = 0;
	t->lines = 0;
}

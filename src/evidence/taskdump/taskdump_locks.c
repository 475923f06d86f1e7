// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The locks that lockdep lists (kernel/locking/lockdep.c, lockdep_print_held_locks, print_lock):
 * all at the end of a report of khungtaskd and of sysrq-t, or those of one task behind its stack.
 *
 *	2 locks held by rsync/3748012:
 *	 #0: ffff888004a1f2f8 (&f->f_pos_lock){+.+.}-{3:3}, at: __fdget_pos+0x9b/0xb0
 *	 #1: ffff888006e3c7a8 (&type->i_mutex_dir_key#5){++++}-{3:3}, at: iterate_dir+0x9f/0x1b0
 *
 * Kernels before 4.15 print no address, and some print none that tells: of such a lock the class is
 * known, and not which it is.
 */
#include "evidence/taskdump/taskdump_private.h"

enum { LOCKS_LISTED_MAX = 48 }; /* MAX_LOCK_DEPTH of the kernel */

/* "2 locks held by kworker/u8:2/123:" */
static bool take_head(struct taskdump *t, struct slice text)
{
	struct slice held = text_find(text, " held by ");
	struct slice count = slice_make(text.ptr, text.len - held.len);
	struct slice name = text_after(held, 9);
	size_t slash;
	int64_t number, pid;

	if (held.len == 0 || !text_number(text_word(&count), &number) ||
	    number > LOCKS_LISTED_MAX || !text_begins(text_trim(count), "lock") || name.len < 4 ||
	    name.ptr[name.len - 1] != ':')
		return false;
	name.len--;
	for (slash = name.len; slash > 0 && name.ptr[slash - 1] != '/';)
		slash--;
	if (slash < 2 || !text_number(text_after(name, slash), &pid))
		return false;
	taskdump_begin(t, TASKDUMP_LOG, pid, slice_make(name.ptr, slash - 1), TASK_STATE_NONE);
	t->now.fact.lists_locks = true;
	return true;
}

/* " #1: ffff888006e3c7a8 (&type->i_mutex_dir_key#5){++++}-{3:3}, at: iterate_dir+0x9f/0x1b0" */
static bool take_lock(struct taskdump *t, struct slice text)
{
	struct taskdump_open *o = &t->now;
	struct slice at = text_find(text, ", at: ");
	struct slice number = text_after(slice_make(text.ptr, text.len - at.len), 1);
	struct slice rest, class_name;
	struct task_lock_listed *lock;
	struct stack_line line = {0};
	int64_t ordinal;
	uint64_t address = 0;

	rest = text_find(number, ":");
	number.len -= rest.len;
	rest = text_trim(text_after(rest, 1));
	if (at.len == 0 || !text_number(number, &ordinal) || ordinal >= LOCKS_LISTED_MAX)
		return false;
	rest = text_trim(text_after(rest, stack_address_parse(rest, &address)));
	class_name = text_after(rest, 1);
	class_name.len -= text_find(class_name, "){").len;
	if (!text_begins(rest, "("))
		return true;
	stack_line_parse(text_after(at, 6), &line);
	lock = &o->locks[o->fact.locks_len < TASK_LOCKS_MAX ? o->fact.locks_len++
							    : TASK_LOCKS_MAX - 1];
	*lock = (struct task_lock_listed){
		.address = address,
		.class_name = taskdump_keep(t, class_name),
		.function = taskdump_keep(t, line.function),
	};
	return true;
}

bool taskdump_take_locks(struct taskdump *t, struct slice text)
{
	text = text_trim(text);
	if (text.len == 0)
		return false;
	if (text.ptr[0] == '#')
		return t->now.open && t->now.form == TASKDUMP_LOG && t->now.fact.lists_locks &&
		       take_lock(t, text);
	return text_begins(text, "Showing all locks held in the system") ||
	       text_begins(text, "no locks held by ") ||
	       text_begins(text, "INFO: lockdep is turned off") ||
	       (text_is_digit(text.ptr[0]) && take_head(t, text));
}

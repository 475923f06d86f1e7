// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Copies of files under /proc, in whatever loop somebody wrote to get them, and tables of ps.
 *
 * A stack has no name in it: what names the task is a line before it, which everybody writes in a
 * way of his own ("--- 247 ls", "== /proc/247/stack ==", "ls[247]:"). It is a line with one number
 * that can be a PID, and perhaps a word that can be a name.
 */
#include "evidence/klog/klog_head.h"
#include "evidence/taskdump/taskdump_private.h"

#include <strings.h>

enum { CLOCK_TEXT_BYTES = 8 }; /* 12:34:56 */

/* --- lines that name a task, or a time --- */

static bool is_separator(uint8_t c)
{
	static const bool marks[] = {
		[0] = true,    ['\t'] = true,  [' '] = true, ['"'] = true, ['#'] = true,
		['\''] = true, ['('] = true,   [')'] = true, [','] = true, ['<'] = true,
		['='] = true,  ['>'] = true,   ['['] = true, [']'] = true, ['`'] = true,
		['|'] = true,  [0x7f] = false,
	};

	return c >= 0x80 || marks[c];
}

static struct slice token(struct slice *rest)
{
	struct slice word;
	size_t len = 0;

	while (rest->len && is_separator(rest->ptr[0]))
		*rest = text_after(*rest, 1);
	while (len < rest->len && !is_separator(rest->ptr[len]))
		len++;
	word = slice_make(rest->ptr, len);
	*rest = text_after(*rest, len);
	return word;
}

static bool is_pid(struct slice word, int64_t *pid)
{
	if (word.len && word.ptr[word.len - 1] == ':')
		word.len--;
	return word.len && word.ptr[0] != '0' && text_number(word, pid) && *pid <= TASKDUMP_PID_MAX;
}

/* "/proc/247/stack", "/proc/247/task/249/stack": the last number is the thread's. */
static bool is_proc_path(struct slice word, int64_t *pid)
{
	struct slice rest = word.len > 6 ? text_find(word, "/proc/") : slice_make(NULL, 0);
	bool found = false;

	if (rest.len == 0)
		return false;
	rest = text_after(rest, 5);
	while (rest.len && rest.ptr[0] == '/') {
		size_t len = 0;

		rest = text_after(rest, 1);
		while (len < rest.len && text_is_digit(rest.ptr[len]))
			len++;
		found |= text_number(slice_make(rest.ptr, len), pid);
		while (len < rest.len && rest.ptr[len] != '/')
			len++;
		rest = text_after(rest, len);
	}
	return found;
}

/* Words that stand before numbers and names, and are neither. */
static bool is_label(struct slice word)
{
	static const char *const labels[] = {"pid",    "tid",     "process", "proc", "comm",
					     "name",   "command", "task",    "cmd",  "stack",
					     "stack:", "of",      "for",     "cat"};

	if (word.len && word.ptr[word.len - 1] == ':')
		word.len--;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (word.len && (word.ptr[0] | 0x20) == labels[i][0] &&
		    word.len == strlen(labels[i]) &&
		    strncasecmp((const char *)word.ptr, labels[i], word.len) == 0)
			return true;
	return false;
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_name(struct slice word)
{
	size_t i = 0;

	while (i < word.len && !is_letter(word.ptr[i]))
		i++;
	return i < word.len && word.len < TASKDUMP_NAME_BYTES_MAX && !is_label(word);
}

/* "ls:247", "ls/247": name and number in one word. */
static bool is_name_and_pid(struct slice word, struct slice *name, int64_t *pid)
{
	size_t at = word.len;

	while (at > 0 && text_is_digit(word.ptr[at - 1]))
		at--;
	if (at < 2 || at == word.len || (word.ptr[at - 1] != ':' && word.ptr[at - 1] != '/'))
		return false;
	*name = slice_make(word.ptr, at - 1);
	return is_name(*name) && !memchr(name->ptr, '/', name->len) &&
	       is_pid(text_after(word, at), pid);
}

/* The time of day anywhere in the line. */
static bool holds_clock(struct slice text)
{
	static const char form[] = "00:00:00";

	for (size_t i = 0; i + CLOCK_TEXT_BYTES <= text.len; i++) {
		size_t k = 0;

		while (k < CLOCK_TEXT_BYTES &&
		       (form[k] == ':' ? text.ptr[i + k] == ':' : text_is_digit(text.ptr[i + k])))
			k++;
		if (k == CLOCK_TEXT_BYTES)
			return true;
	}
	return false;
}

/* The time with date and zone that is in the line; stamp_none where there is none. */
static struct stamp stamp_in(struct slice text)
{
	struct klog_head head;

	for (;;) {
		struct slice word = token(&text);

		if (word.len == 0)
			return stamp_none();
		if (text_is_digit(word.ptr[0]) && klog_stamp_parse(word, &head) &&
		    head.wall == KLOG_WALL_UTC)
			return stamp_utc(klog_date_ns(&head.date, head.date.year) -
					 head.zone_s * STAMP_NS_PER_S);
	}
}

static void header_name(struct taskdump_header *h, struct slice name)
{
	if (name.len && name.ptr[name.len - 1] == ':')
		name.len--;
	if (name.len > sizeof(h->name))
		name.len = sizeof(h->name);
	if (name.len)
		memcpy(h->name, name.ptr, name.len);
	h->name_len = name.len;
}

static bool holds_digit(struct slice text)
{
	size_t i = 0;

	while (i < text.len && !text_is_digit(text.ptr[i]))
		i++;
	return i < text.len;
}

/* The one PID of the line; false: none, or several. A name behind it goes before one in front. */
static bool header_parse(struct slice text, struct taskdump_header *h)
{
	struct slice rest = text;
	struct slice before = {0};
	struct slice name;
	int64_t pid;
	unsigned pids = 0;
	bool named = false;

	if (!holds_digit(text))
		return false; /* at once: this is asked of each line that nobody knows */
	while (pids <= 1) {
		struct slice word = token(&rest);

		if (word.len == 0)
			break;
		if (is_proc_path(word, &pid) || is_pid(word, &pid)) {
			pids += pids == 0 || pid != h->pid;
			h->pid = pid;
		} else if (is_name_and_pid(word, &name, &pid)) {
			pids++;
			h->pid = pid;
			header_name(h, name);
			named = true;
		} else if (!named && is_name(word)) {
			named = pids != 0;
			if (named)
				header_name(h, word);
			else
				before = word;
		}
	}
	if (!named)
		header_name(h, before);
	return pids == 1;
}

bool taskdump_take_header(struct taskdump *t, struct slice text)
{
	struct taskdump_header h = {.line = t->line, .pid = TASK_PID_NONE};
	bool names = header_parse(text, &h);
	bool tells_time;

	if (t->now.open && t->now.form == TASKDUMP_CRASH) {
		/* A session is annotated: a line that names one known task turns to that one. */
		if (names && taskdump_knows(t, h.pid) && h.pid != t->now.fact.pid &&
		    !memchr(text.ptr, '/', text.len)) /* "kernel/sched/core.c: 3799" is none */
			taskdump_begin(t, TASKDUMP_CRASH, h.pid, slice_make(NULL, 0),
				       TASK_STATE_NONE);
		return names;
	}
	if (t->now.open && t->now.form == TASKDUMP_PROC)
		taskdump_finish(t);
	tells_time = !names && holds_clock(text);
	if (tells_time)
		t->ops->sample(t->context, TASKDUMP_PROC, TASK_SCOPE_SOME, stamp_in(text));
	h.set = names;
	t->header = h;
	return names || tells_time;
}

/* --- /proc/PID/status, wchan, syscall --- */

static struct taskdump_open *proc_open(struct taskdump *t)
{
	struct taskdump_header *h = &t->header;
	struct taskdump_open *o = &t->now;

	if (o->open && o->form == TASKDUMP_PROC && !h->set)
		return o;
	taskdump_begin(t, TASKDUMP_PROC, h->set ? h->pid : TASK_PID_NONE,
		       slice_make(h->name, h->set ? h->name_len : 0), TASK_STATE_NONE);
	if (h->set)
		o->line = h->line;
	h->set = false;
	return o;
}

/* "Key:<tab>value". */
static bool take_status(struct taskdump *t, struct slice text)
{
	const uint8_t *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
	struct slice key, value;
	int64_t number;

	if (!colon)
		return false;
	key = slice_make(text.ptr, (size_t)(colon - text.ptr));
	value = text_after(text, key.len + 1);
	for (size_t i = 0; i < key.len; i++)
		if (!text_is_name_byte(key.ptr[i]))
			return false;
	if (slice_equal(key, slice_of_string("State")) && text_trim(value).len >= 1) {
		value = text_trim(value);
		if (value.len > 1 && value.ptr[1] != ' ')
			return false;
		proc_open(t)->fact.state = (char)value.ptr[0];
		return true;
	}
	if (value.len == 0 || value.ptr[0] != '\t')
		return false;
	value = text_trim(value);
	if (slice_equal(key, slice_of_string("Name"))) {
		struct taskdump_open *o;

		if (t->now.open && t->now.form == TASKDUMP_PROC && t->now.fact.name.len &&
		    !t->header.set)
			taskdump_finish(t); /* one status behind the other */
		o = proc_open(t);
		o->fact.name = taskdump_keep(t, value);
	} else if (slice_equal(key, slice_of_string("Pid")) && text_number(value, &number)) {
		proc_open(t)->fact.pid = number;
	} else if (slice_equal(key, slice_of_string("voluntary_ctxt_switches")) &&
		   text_number(value, &number)) {
		proc_open(t)->fact.switches = number;
	}
	return true;
}

/* /proc/PID/syscall: "217 0x3 0x55b9cfe46a50 ..." or "running". */
static bool is_syscall(struct slice text)
{
	struct slice rest = text;
	int64_t number;

	return text_number(text_word(&rest), &number) && text_begins(text_trim(rest), "0x");
}

/* /proc/PID/wchan: the name of a function and nothing else, behind a line that names a task. */
static bool take_wchan(struct taskdump *t, struct slice text)
{
	bool underscore = false;
	struct taskdump_open *o;

	if (!t->header.set && !(t->now.open && t->now.form == TASKDUMP_PROC))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!text_is_name_byte(text.ptr[i]))
			return false;
		underscore |= text.ptr[i] == '_';
	}
	if (!underscore || text.len > TASKDUMP_NAME_BYTES_MAX)
		return false;
	o = proc_open(t);
	o->fact.waits = taskdump_keep(t, text);
	return true;
}

/* "/proc/247/stack:[<0>] ...": grep put the file's name before each line. */
static bool take_prefixed(struct taskdump *t, struct slice text)
{
	const uint8_t *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
	struct stack_line line;
	struct slice rest;
	int64_t pid;

	if (!colon || !text_begins(text, "/") ||
	    !is_proc_path(slice_make(text.ptr, (size_t)(colon - text.ptr)), &pid))
		return false;
	rest = text_after(text, (size_t)(colon - text.ptr) + 1);
	if (!t->now.open || t->now.form != TASKDUMP_PROC || t->now.fact.pid != pid)
		taskdump_begin(t, TASKDUMP_PROC, pid, slice_make(NULL, 0), TASK_STATE_NONE);
	t->header.set = false;
	if (stack_line_parse(rest, &line) && line.form == STACK_OFFSET)
		taskdump_add_frame(t, &line);
	else
		take_status(t, rest);
	return true;
}

bool taskdump_take_proc(struct taskdump *t, struct slice text)
{
	struct slice whole = text;

	text = text_trim(text);
	if (t->now.open && t->now.form == TASKDUMP_CRASH)
		return false;
	return is_syscall(text) || take_status(t, whole) || take_wchan(t, text) ||
	       take_prefixed(t, text);
}

/* --- ps --- */

static int column_of(const struct slice *words, int count, const char *const *names)
{
	for (; *names; names++)
		for (int i = 0; i < count; i++)
			if (slice_equal(words[i], slice_of_string(*names)))
				return i;
	return -1;
}

static int split(struct slice text, struct slice words[TASKDUMP_COLUMNS_MAX])
{
	int count = 0;

	while (count < TASKDUMP_COLUMNS_MAX) {
		words[count] = text_word(&text);
		if (words[count].len == 0)
			break;
		count++;
	}
	return count;
}

static bool take_table_head(struct taskdump *t, const struct slice *words, int count)
{
	static const char *const pids[] = {"PID", "TID", "LWP", NULL};
	static const char *const states[] = {"STAT", "ST", "S", "STATE", NULL};
	static const char *const names[] = {"COMM", "COMMAND", "CMD", NULL};
	static const char *const waits[] = {"WCHAN", NULL};
	static const char *const tasks[] = {"TASK", NULL};
	struct taskdump_table table = {
		.open = true,
		.pid = column_of(words, count, pids),
		.state = column_of(words, count, states),
		.name = column_of(words, count, names),
		.waits = column_of(words, count, waits),
		.address = column_of(words, count, tasks),
	};

	if (table.pid < 0 || table.state < 0 || table.name < 0)
		return false;
	t->table = table;
	taskdump_finish(t);
	return true;
}

/* The letter of a state as ps writes it ("Ds+") or crash ("UN"); TASK_STATE_NONE: it is none. */
static char state_of(struct slice word)
{
	static const struct {
		const char *word;
		char state;
	} of_crash[] = {
		{"UN", 'D'}, {"IN", 'S'}, {"RU", 'R'}, {"ID", 'I'}, {"ZO", 'Z'}, {"ST", 'T'},
		{"TR", 't'}, {"DE", 'X'}, {"SW", 'S'}, {"WA", 'W'}, {"PA", 'P'}, {"NE", 'N'},
	};

	for (size_t i = 0; i < sizeof(of_crash) / sizeof(of_crash[0]); i++)
		if (slice_equal(word, slice_of_string(of_crash[i].word)))
			return of_crash[i].state;
	if (word.len == 0 || !strchr("DRSTtZIXWP", word.ptr[0]))
		return TASK_STATE_NONE;
	for (size_t i = 1; i < word.len; i++)
		if (!strchr("<NLsl+", word.ptr[i]))
			return TASK_STATE_NONE;
	return (char)word.ptr[0];
}

/* "/usr/bin/rsync" and "[kthreadd]" without what is around the name. */
static struct slice name_of_command(struct slice word)
{
	if (word.len > 2 && word.ptr[0] == '[' && word.ptr[word.len - 1] == ']')
		return slice_make(word.ptr + 1, word.len - 2);
	for (size_t i = word.len; i > 0; i--)
		if (word.ptr[i - 1] == '/' && word.ptr[0] == '/')
			return text_after(word, i);
	return word;
}

/* Only who waits uninterruptibly is of interest; the others are read and left. */
static bool take_row(struct taskdump *t, const struct slice *words, int count)
{
	const struct taskdump_table *table = &t->table;
	struct slice name;
	uint64_t address;
	int64_t pid;
	char state;

	if (count <= table->pid || count <= table->state || count <= table->name ||
	    !text_number(words[table->pid], &pid))
		return false;
	state = state_of(words[table->state]);
	if (state == TASK_STATE_NONE)
		return false;
	if (state != 'D')
		return true;
	name = name_of_command(words[table->name]);
	taskdump_begin(t, table->address >= 0 ? TASKDUMP_CRASH : TASKDUMP_PS, pid, name, state);
	if (table->address >= 0 && stack_address_parse(words[table->address], &address))
		t->now.fact.address = address;
	if (table->waits >= 0 && words[table->waits].len > 1)
		t->now.fact.waits = taskdump_keep(t, words[table->waits]);
	taskdump_finish(t);
	return true;
}

/* "root 247 0.0 0.1 2360 900 ? D 01:47 0:00 ls -l": a row of `ps aux` that grep left alone. */
static bool take_lone_row(struct taskdump *t, const struct slice *words, int count)
{
	enum { AUX_PID = 1, AUX_CPU = 2, AUX_MEM = 3, AUX_STATE = 7, AUX_COMMAND = 10 };
	const struct taskdump_table aux = {.pid = AUX_PID,
					   .state = AUX_STATE,
					   .name = AUX_COMMAND,
					   .waits = -1,
					   .address = -1};
	int64_t pid;

	if (count <= AUX_COMMAND || !text_number(words[AUX_PID], &pid) ||
	    !memchr(words[AUX_CPU].ptr, '.', words[AUX_CPU].len) ||
	    !memchr(words[AUX_MEM].ptr, '.', words[AUX_MEM].len))
		return false;
	t->table = aux;
	return take_row(t, words, count);
}

/* What take_table_head() or take_lone_row() cannot do without: each line of a text is looked at. */
static bool may_begin_table(struct slice text)
{
	struct slice rest = text;
	int64_t pid;

	text_word(&rest);
	return text_number(text_word(&rest), &pid) || text_holds(text, "PID") ||
	       text_holds(text, "TID") || text_holds(text, "LWP");
}

bool taskdump_take_table(struct taskdump *t, struct slice text)
{
	struct slice words[TASKDUMP_COLUMNS_MAX];
	int count;

	if (!t->table.open && !may_begin_table(text))
		return false;
	count = split(text, words);
	if (count >= 3 && take_table_head(t, words, count))
		return true;
	if (t->table.open && count && words[0].len == 1 && words[0].ptr[0] == '>') {
		/* crash marks the active tasks. */
		count--;
		memmove(words, words + 1, (size_t)count * sizeof(words[0]));
	}
	if (t->table.open && take_row(t, words, count))
		return true;
	t->table.open = false;
	return take_lone_row(t, words, count);
}

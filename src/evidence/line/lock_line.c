// SPDX-License-Identifier: GPL-2.0-or-later
/* See lock_line.h. Linux fs/locks.c, lock_get_status. */
#include "evidence/line/lock_line.h"

#include "evidence/text_scan.h"

static bool is_word(struct slice word, const char *text)
{
	return slice_equal(word, slice_of_string(text));
}

/* "fd:00:2531452": the device's major and minor number, and the inode. */
static bool is_inode(struct slice word)
{
	size_t colons = 0;

	for (size_t i = 0; i < word.len; i++) {
		colons += word.ptr[i] == ':';
		if (word.ptr[i] != ':' && !text_is_digit(word.ptr[i]) &&
		    (word.ptr[i] < 'a' || word.ptr[i] > 'f'))
			return false;
	}
	return colons == 2;
}

/* "12:" */
static bool take_number(struct slice *line, uint64_t *out)
{
	struct slice word = text_word(line);
	int64_t number;

	if (word.len < 2 || word.ptr[word.len - 1] != ':' ||
	    !text_number(slice_make(word.ptr, word.len - 1), &number))
		return false;
	*out = (uint64_t)number;
	return true;
}

static bool is_kind(struct slice word)
{
	static const char *const kinds[] = {"POSIX", "FLOCK", "OFDLCK", "LEASE", "DELEG", "ACCESS"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (is_word(word, kinds[i]))
			return true;
	return false;
}

/* "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF", "1: -> POSIX ..." of one that waits. */
bool lock_line_parse(struct slice line, struct file_lock_fact *out)
{
	struct file_lock_fact f = {0};
	struct slice word;
	uint64_t pid;

	line = text_trim(line);
	if (line.len == 0 || !text_is_digit(line.ptr[0]) || !take_number(&line, &f.number))
		return false;
	word = text_word(&line);
	f.waits = is_word(word, "->");
	if (f.waits)
		word = text_word(&line);
	if (!is_kind(word))
		return false;
	f.kind = word;
	f.breaking = is_word(text_word(&line), "BREAKING");
	word = text_word(&line);
	f.write = is_word(word, "WRITE");
	if (!f.write && !is_word(word, "READ") && !is_word(word, "UNLCK"))
		return false;
	/* Locks of other hosts have a negative one. */
	if (!text_c_number(text_word(&line), &pid))
		return false;
	f.pid = (int64_t)pid;
	f.inode = text_word(&line);
	f.range = text_trim(line);
	if (!is_inode(f.inode) || f.range.len == 0)
		return false;
	*out = f;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See rpc_task_line.h. */
#include "evidence/line/rpc_task_line.h"

#include "evidence/text_scan.h"

enum {
	TASK_SENT = 0x0800, /* RPC_TASK_SENT of include/linux/sunrpc/sched.h, since 2.6.32 */
	NAME_BYTES_MAX = 64,
	HEX_DIGITS_MAX = 16,
};

bool rpc_task_head(struct slice text)
{
	return text_begins(text_trim(text), "-pid- flgs status -client-");
}

/* All of the word in hexadecimal, with 0x or without. */
static bool word_hex(struct slice word, uint64_t *out)
{
	uint64_t value = 0;

	if (text_begins(word, "0x"))
		word = text_after(word, 2);
	if (word.len == 0 || word.len > HEX_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.ptr[i] | 0x20;

		if (text_is_digit(c))
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

static bool word_signed(struct slice word, int64_t *out)
{
	bool minus = text_begins(word, "-");

	if (!text_number(minus ? text_after(word, 1) : word, out))
		return false;
	if (minus)
		*out = -*out;
	return true;
}

/* "nfsv4": a name with a version. */
static bool is_program(struct slice word)
{
	size_t at = word.len;

	while (at > 0 && text_is_digit(word.ptr[at - 1]))
		at--;
	return at > 1 && at < word.len && word.ptr[at - 1] == 'v' && word.len <= NAME_BYTES_MAX;
}

/* The numbers before the names. */
static bool take_numbers(struct slice rest, struct rpc_task_line *out)
{
	struct slice word = text_word(&rest);
	bool debugfs;
	int64_t task, timeout;
	uint64_t flags, rqst;

	if (!text_number(word, &task) || !word_hex(text_word(&rest), &flags) ||
	    !word_signed(text_word(&rest), &out->status))
		return false;
	out->task = (uint64_t)task;
	out->sent = flags & TASK_SENT;
	word = text_word(&rest);
	debugfs = text_begins(word, "0x");
	if (!word_hex(word, &out->client))
		return false;
	word = text_word(&rest);
	if (word_hex(word, &rqst) && debugfs && text_begins(word, "0x") && rqst <= UINT32_MAX) {
		out->has_xid = rqst != 0;
		out->xid = (uint32_t)rqst;
	}
	return word_signed(text_word(&rest), &timeout);
}

bool rpc_task_line_parse(struct slice text, struct rpc_task_line *out)
{
	struct rpc_task_line line = {0};
	struct slice action, queue, head;

	text = text_trim(text);
	if (text.len == 0 || !text_is_digit(text.ptr[0]))
		return false; /* at once: each line of a log is looked at */
	action = text_find(text, " a:");
	queue = text_find(action, " q:");
	if (queue.len == 0)
		return false;
	head = text_trim(slice_make(text.ptr, (size_t)(action.ptr - text.ptr)));
	line.procedure = text_last_word(&head);
	line.program = text_last_word(&head);
	if (line.procedure.len == 0 || line.procedure.len > NAME_BYTES_MAX ||
	    !is_program(line.program) || !take_numbers(head, &line))
		return false;
	action = text_after(slice_make(action.ptr, (size_t)(queue.ptr - action.ptr)), 3);
	line.action = text_word(&action);
	line.queue = text_trim(text_after(queue, 3));
	if (line.queue.len > NAME_BYTES_MAX || slice_equal(line.queue, slice_of_string("none")))
		line.queue.len = 0;
	*out = line;
	return true;
}

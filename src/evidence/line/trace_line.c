// SPDX-License-Identifier: GPL-2.0-or-later
/* See trace_line.h. */
#include "evidence/line/trace_line.h"

#include "base/stamp.h"
#include "evidence/text_scan.h"

enum {
	TASK_BYTES_MAX = 64,
	EVENT_BYTES_MAX = 96,
	CPU_DIGITS_MAX = 5,
	FLAGS_BYTES_MAX = 12,
	SECONDS_DIGITS_MAX = 10,
	DECIMALS_MAX = 9,
};

/* "[000]", the one thing that all forms have; the offset of its bracket, or text.len. */
static size_t find_cpu(struct slice text, size_t *len)
{
	for (size_t i = 1; i < text.len && i < 2 * TASK_BYTES_MAX; i++) {
		size_t digits = 0;

		if (text.ptr[i] != '[' || text.ptr[i - 1] != ' ')
			continue;
		while (i + 1 + digits < text.len && text_is_digit(text.ptr[i + 1 + digits]))
			digits++;
		if (digits == 0 || digits > CPU_DIGITS_MAX || i + 1 + digits >= text.len ||
		    text.ptr[i + 1 + digits] != ']')
			continue;
		*len = digits + 2;
		return i;
	}
	return text.len;
}

/* "nfsd-172", "kworker/u2:0-9" or "nfsd   172"; "(  172)" of the thread group may follow. */
static bool take_task(struct slice head, struct trace_line *out)
{
	const uint8_t *paren;
	size_t at;

	head = text_trim(head);
	paren = head.len ? memchr(head.ptr, '(', head.len) : NULL;
	/* "(sd-pam)-172" is a name. */
	if (paren && paren > head.ptr && head.ptr[head.len - 1] == ')')
		head = text_trim(slice_make(head.ptr, (size_t)(paren - head.ptr)));
	at = head.len;
	while (at > 0 && text_is_digit(head.ptr[at - 1]))
		at--;
	if (at == 0 || !text_number(text_after(head, at), &out->pid) ||
	    (head.ptr[at - 1] != '-' && head.ptr[at - 1] != ' '))
		return false;
	out->task = text_trim(slice_make(head.ptr, at - 1));
	return out->task.len && out->task.len <= TASK_BYTES_MAX;
}

/* "15.558473:" */
static bool take_time(struct slice word, int64_t *ns)
{
	int64_t seconds;
	int64_t fraction = 0;
	size_t len = 0;
	int64_t unit = STAMP_NS_PER_S;

	while (len < word.len && text_is_digit(word.ptr[len]))
		len++;
	if (len > SECONDS_DIGITS_MAX || !text_number(slice_make(word.ptr, len), &seconds) ||
	    len >= word.len || word.ptr[len] != '.')
		return false;
	for (len++; len < word.len && text_is_digit(word.ptr[len]) && unit > 1; len++) {
		fraction = fraction * 10 + (word.ptr[len] - '0');
		unit /= 10;
	}
	if (len + 1 != word.len || word.ptr[len] != ':')
		return false;
	*ns = seconds * STAMP_NS_PER_S + fraction * unit;
	return true;
}

bool trace_line_parse(struct slice text, struct trace_line *out)
{
	struct trace_line line;
	size_t cpu_len;
	size_t cpu = find_cpu(text, &cpu_len);
	struct slice rest, word;
	const uint8_t *colon;

	if (cpu == text.len || !take_task(slice_make(text.ptr, cpu), &line))
		return false;
	rest = text_after(text, cpu + cpu_len);
	word = text_word(&rest);
	/* ftrace: flags before the time. */
	if (word.len && word.len <= FLAGS_BYTES_MAX && !take_time(word, &line.boot_ns))
		word = text_word(&rest);
	if (!take_time(word, &line.boot_ns))
		return false;
	if (text_begins(text_trim(rest), "<stack trace>")) {
		line.event = slice_of_string(TRACE_EVENT_STACK);
		line.rest = slice_make(NULL, 0);
		*out = line;
		return true;
	}
	word = text_word(&rest);
	if (word.len < 2 || word.len > EVENT_BYTES_MAX || word.ptr[word.len - 1] != ':')
		return false;
	word.len--;
	colon = memchr(word.ptr, ':', word.len);
	if (colon)
		word = text_after(word, (size_t)(colon - word.ptr) + 1);
	line.event = word;
	line.rest = text_trim(rest);
	*out = line;
	return true;
}

struct slice trace_value(struct slice rest, const char *key)
{
	size_t len = strlen(key);

	for (struct slice at = text_find(rest, key); at.len;
	     at = text_find(text_after(at, 1), key)) {
		struct slice value = text_after(at, len);
		const uint8_t *end;

		if ((at.ptr != rest.ptr && at.ptr[-1] != ' ') || value.len == 0 ||
		    value.ptr[0] != '=')
			continue;
		value = text_after(value, 1);
		if (value.len && value.ptr[0] == '\'') {
			value = text_after(value, 1);
			end = value.len ? memchr(value.ptr, '\'', value.len) : NULL;
			return slice_make(value.ptr, end ? (size_t)(end - value.ptr) : value.len);
		}
		len = 0;
		while (len < value.len && value.ptr[len] != ' ' && value.ptr[len] != ',')
			len++;
		return slice_make(value.ptr, len);
	}
	return slice_make(NULL, 0);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See stack_line.h. */
#include "evidence/line/stack_line.h"

#include "evidence/text_scan.h"

enum {
	FUNCTION_BYTES_MAX = 128,
	MODULE_BYTES_MAX = 56, /* MODULE_NAME_LEN of the kernel */
	FRAME_NUMBER_MAX = 999,
	ADDRESS_DIGITS_MIN = 8,
	ADDRESS_DIGITS_MAX = 16,
};

static bool is_hex(uint8_t c)
{
	return text_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

size_t stack_address_parse(struct slice text, uint64_t *out)
{
	size_t prefix = text_begins(text, "0x") ? 2 : 0;
	size_t digits = 0;
	uint64_t value = 0;

	text = text_after(text, prefix);
	while (digits < text.len && is_hex(text.ptr[digits]))
		digits++;
	if (digits < ADDRESS_DIGITS_MIN || digits > ADDRESS_DIGITS_MAX)
		return 0;
	for (size_t i = 0; i < digits; i++) {
		uint8_t c = text.ptr[i];

		value = value << 4 | (uint64_t)(text_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	*out = value;
	return prefix + digits;
}

/*
 * A function's name at the beginning; empty: none. An address is no name. What compilers append
 * (".isra.0", ".part.3", ".cold") is left out.
 */
static struct slice name_take(struct slice *rest)
{
	size_t len = 0;
	const uint8_t *dot;
	struct slice name;

	while (len < rest->len && text_is_name_byte(rest->ptr[len]))
		len++;
	if (len == 0 || len > FUNCTION_BYTES_MAX || text_is_digit(rest->ptr[0]) ||
	    rest->ptr[0] == '.')
		return slice_make(NULL, 0);
	name = slice_make(rest->ptr, len);
	*rest = text_after(*rest, len);
	dot = memchr(name.ptr, '.', name.len);
	if (dot)
		name.len = (size_t)(dot - name.ptr);
	return name;
}

/* " [sunrpc]" somewhere in what is left; newer kernels add a build id behind the name. */
static void module_take(struct slice rest, struct stack_line *out)
{
	struct slice open = text_find(rest, "[");
	size_t len = 0;

	open = text_after(open, 1);
	while (len < open.len && (text_is_name_byte(open.ptr[len]) || open.ptr[len] == '-'))
		len++;
	if (len && len <= MODULE_BYTES_MAX && len < open.len &&
	    (open.ptr[len] == ']' || open.ptr[len] == ' '))
		out->module = slice_make(open.ptr, len);
}

/* "+0x1e/0xb0" behind the name. */
static bool offset_take(struct slice *rest)
{
	size_t len = 3;

	if (!text_begins(*rest, "+0x"))
		return false;
	while (len < rest->len && is_hex(rest->ptr[len]))
		len++;
	if (len + 3 > rest->len || memcmp(rest->ptr + len, "/0x", 3) != 0)
		return false;
	len += 3;
	while (len < rest->len && is_hex(rest->ptr[len]))
		len++;
	*rest = text_after(*rest, len);
	return true;
}

/* "+0x3b0 ([nfsd])" as perf script has it: no size, and the object in parentheses. */
static bool perf_offset_take(struct slice *rest)
{
	size_t len = 3;

	if (!text_begins(*rest, "+0x"))
		return false;
	while (len < rest->len && is_hex(rest->ptr[len]))
		len++;
	*rest = text_after(*rest, len);
	return text_begins(*rest, " (");
}

/*
 * Addresses before the name: "[<ffffffff8168c169>] ", "([<0000000000abcdef>] " of s390,
 * "[c000001b9ab07730] [c000000000b31f24] " of powerpc (stack, then code), or a bare one as sysrq-t
 * of some vendors has it. True where there was one; false with `*text` empty: it is no stack.
 */
static bool addresses_take(struct slice *text)
{
	uint64_t address;
	bool some = false;

	if (text_begins(*text, "([<"))
		*text = text_after(*text, 1);
	while (text_begins(*text, "[")) {
		const uint8_t *end = memchr(text->ptr, ']', text->len);

		if (!end ||
		    (text->ptr[1] != '<' && !stack_address_parse(text_after(*text, 1), &address))) {
			*text = slice_make(NULL, 0);
			return false;
		}
		some |= stack_address_parse(text_after(*text, text->ptr[1] == '<' ? 2 : 1),
					    &address) != 0;
		*text = text_trim(text_after(*text, (size_t)(end - text->ptr) + 1));
	}
	if (!some && stack_address_parse(*text, &address)) {
		some = true;
		*text = text_trim(text_after(*text, stack_address_parse(*text, &address)));
	}
	return some;
}

/*
 * 32-bit ARM tells a pair, of which the caller comes again in the next line:
 * "(__schedule) from [<80a88018>] (schedule+0x3c/0xa0)", "__schedule from schedule+0x58/0xf8".
 * `rest` is what stands behind the first name. True when it is such a pair.
 */
static bool arm_take(struct slice rest, struct stack_line *out)
{
	struct slice caller = text_find(rest, " from ");

	module_take(slice_make(rest.ptr, rest.len - caller.len), out);
	caller = text_trim(text_after(caller, 6));
	addresses_take(&caller);
	if (text_begins(caller, "("))
		caller = text_after(caller, 1);
	return name_take(&caller).len && offset_take(&caller);
}

static bool form_offset(struct slice text, struct stack_line *out)
{
	bool has_address = addresses_take(&text);

	out->form = STACK_OFFSET;
	if (text_begins(text, "? ")) {
		out->guessed = true;
		text = text_trim(text_after(text, 2));
	} else if (text_begins(text, "(")) {
		text = text_after(text, 1);
	}
	out->function = name_take(&text);
	if (out->function.len == 0)
		return false;
	if (!offset_take(&text)) {
		if (text.len && (text.ptr[0] == ' ' || text.ptr[0] == ')') && arm_take(text, out))
			return true;
		out->module = slice_make(NULL, 0);
		out->form = STACK_FTRACE;
		return has_address && perf_offset_take(&text);
	}
	out->guessed |= text_holds(text, "(unreliable)");
	module_take(text, out);
	return true;
}

/* "=> name", with an offset or "<address>" behind it. */
static bool form_ftrace(struct slice text, struct stack_line *out)
{
	out->form = STACK_FTRACE;
	text = text_trim(text_after(text, 2));
	out->function = name_take(&text);
	if (out->function.len == 0)
		return false;
	module_take(text, out);
	return true;
}

static bool number_take(struct slice *text, struct stack_line *out)
{
	struct slice word;
	int64_t number;

	*text = text_after(*text, 1); /* # */
	word = text_word(text);
	if (!text_number(word, &number) || number > FRAME_NUMBER_MAX)
		return false;
	out->number = (int32_t)number;
	*text = text_trim(*text);
	return true;
}

/* crash: "#2 [stack address] name at text address [module]". */
static bool form_crash(struct slice text, struct stack_line *out)
{
	uint64_t address = 0;
	struct slice rest = text_after(text, 1);
	size_t len = stack_address_parse(rest, &address);

	out->form = STACK_CRASH;
	out->stack = len ? address : 0;
	rest = text_after(rest, len);
	if (len == 0 || !text_begins(rest, "]"))
		return false;
	rest = text_trim(text_after(rest, 1));
	out->function = name_take(&rest);
	if (out->function.len == 0)
		return false;
	rest = text_find(rest, " at ");
	module_take(rest, out);
	return true;
}

/* drgn: "#1  __schedule (kernel/sched/core.c:5382:2)" or "#1  __schedule+0x2a3/0x6c0". */
static bool form_drgn(struct slice text, struct stack_line *out)
{
	out->form = STACK_DRGN;
	out->function = name_take(&text);
	if (out->function.len == 0)
		return false;
	if (!text_begins(text, "+0x") && !text_begins(text, " ("))
		return false;
	return true;
}

bool stack_line_parse(struct slice text, struct stack_line *out)
{
	struct stack_line line = {.number = -1};
	bool ok;

	text = text_trim(text);
	if (text.len < 3)
		return false;
	if (text_begins(text, "=> ")) {
		ok = form_ftrace(text, &line);
	} else if (text.ptr[0] == '#') {
		ok = number_take(&text, &line) &&
		     (text_begins(text, "[") ? form_crash(text, &line) : form_drgn(text, &line));
	} else {
		ok = form_offset(text, &line);
	}
	if (ok)
		*out = line;
	return ok;
}

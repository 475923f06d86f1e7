// SPDX-License-Identifier: GPL-2.0-or-later
/* See strace.h; strace(1), "OUTPUT FORMAT". */
#include "evidence/strace.h"

#include "base/stamp.h"

enum { NAME_BYTES_MAX = 32, DAY_S = 86400 };

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static struct slice behind(struct slice s, size_t bytes)
{
	return slice_make(s.ptr + bytes, s.len - bytes);
}

static struct slice skip_blanks(struct slice s)
{
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = behind(s, 1);
	return s;
}

/* Up to 18 digits at the start, which are taken; false: there are none. */
static bool take_number(struct slice *s, int64_t *out)
{
	int64_t n = 0;
	size_t at = 0;

	for (; at < s->len && is_digit(s->ptr[at]); at++) {
		if (at == 18)
			return false;
		n = n * 10 + (s->ptr[at] - '0');
	}
	*s = behind(*s, at);
	*out = n;
	return at > 0;
}

static bool take_text(struct slice *s, const char *text)
{
	size_t len = strlen(text);

	if (s->len < len || memcmp(s->ptr, text, len) != 0)
		return false;
	*s = behind(*s, len);
	return true;
}

/* ".123456", which is taken; 0 where there is none. */
static int64_t take_fraction_ns(struct slice *s)
{
	int64_t ns = 0, scale = STAMP_NS_PER_S / 10;

	if (s->len == 0 || s->ptr[0] != '.')
		return 0;
	*s = behind(*s, 1);
	for (; s->len && is_digit(s->ptr[0]); *s = behind(*s, 1), scale /= 10)
		ns += (s->ptr[0] - '0') * scale;
	return ns;
}

/* "1712802314.374988", "02:14:17.925301", "     0.000123"; false and untouched: none of them. */
static bool take_time(struct slice *s, struct strace_line *out)
{
	struct slice at = skip_blanks(*s);
	int64_t a, b, c;

	if (!take_number(&at, &a))
		return false;
	if (take_text(&at, ":")) {
		if (!take_number(&at, &b) || !take_text(&at, ":") || !take_number(&at, &c) ||
		    a > 23 || b > 59 || c > 60)
			return false;
		out->clock = STRACE_DAY;
		out->ns = ((a * 60 + b) * 60 + c) * STAMP_NS_PER_S + take_fraction_ns(&at);
	} else {
		if (at.len == 0 || at.ptr[0] != '.' || a > INT64_MAX / STAMP_NS_PER_S - 1)
			return false;
		/* So many seconds since the line before would be thirty years. */
		out->clock = a > INT64_C(1000000000) ? STRACE_EPOCH : STRACE_RELATIVE;
		out->ns = a * STAMP_NS_PER_S + take_fraction_ns(&at);
	}
	if (at.len == 0 || (at.ptr[0] != ' ' && at.ptr[0] != '\t'))
		return false;
	*s = skip_blanks(at);
	return true;
}

/* "[pid 123] " on a terminal, "123 " in a file. */
static void take_pid(struct slice *s, struct strace_line *out)
{
	struct slice at = *s;
	int64_t pid;

	if (take_text(&at, "[pid")) {
		at = skip_blanks(at);
		if (take_number(&at, &pid) && take_text(&at, "]")) {
			out->pid = (uint64_t)pid;
			*s = skip_blanks(at);
		}
		return;
	}
	if (take_number(&at, &pid) && at.len && at.ptr[0] == ' ') {
		out->pid = (uint64_t)pid;
		*s = skip_blanks(at);
	}
}

static bool take_name(struct slice *s, struct slice *name)
{
	size_t at = 0;

	while (at < s->len && at <= NAME_BYTES_MAX &&
	       ((s->ptr[at] >= 'a' && s->ptr[at] <= 'z') || is_digit(s->ptr[at]) ||
		s->ptr[at] == '_'))
		at++;
	if (at == 0 || at > NAME_BYTES_MAX)
		return false;
	*name = slice_make(s->ptr, at);
	*s = behind(*s, at);
	return true;
}

/* " <0.001234>" at the end, which is taken off. */
static void take_duration(struct slice *s, struct strace_line *out)
{
	size_t at = s->len;
	struct slice text;
	int64_t seconds;

	if (at < 3 || s->ptr[at - 1] != '>')
		return;
	while (at > 0 && s->ptr[at - 1] != '<')
		at--;
	if (at < 2)
		return;
	text = behind(*s, at);
	if (!take_number(&text, &seconds) || text.len == 0 || text.ptr[0] != '.')
		return;
	if (seconds > DAY_S * 365)
		return;
	out->duration_ns = seconds * STAMP_NS_PER_S + take_fraction_ns(&text);
	s->len = at - 1;
	while (s->len && s->ptr[s->len - 1] == ' ')
		s->len--;
}

/* "ARGS) = 3", "ARGS)     = -1 ENOENT (No such file)": what is behind the last ") = ". */
static bool take_result(struct slice *s, struct strace_line *out)
{
	struct slice text;
	bool minus;
	size_t at = s->len, close;

	while (at > 0 && s->ptr[at - 1] != '=')
		at--;
	if (at < 2)
		return false;
	close = at - 1;
	while (close > 0 && s->ptr[close - 1] == ' ')
		close--;
	if (close == 0 || s->ptr[close - 1] != ')')
		return false;
	text = skip_blanks(behind(*s, at));
	minus = take_text(&text, "-");
	out->has_result = take_number(&text, &out->result);
	out->result = minus ? -out->result : out->result;
	text = skip_blanks(text);
	while (minus && out->error.len < text.len && out->error.len < NAME_BYTES_MAX &&
	       text.ptr[out->error.len] >= '0' && text.ptr[out->error.len] <= 'Z')
		out->error = slice_make(text.ptr, out->error.len + 1);
	s->len = close - 1;
	return true;
}

static void parse_resumed(struct slice s, struct strace_line *out)
{
	s = skip_blanks(s);
	if (!take_name(&s, &out->name))
		return;
	s = skip_blanks(s);
	if (!take_text(&s, "resumed>"))
		return;
	take_duration(&s, out);
	if (!take_result(&s, out))
		return;
	out->args = s;
	out->kind = STRACE_RESUMED;
}

static void parse_call(struct slice s, struct strace_line *out)
{
	static const char mark[] = "<unfinished ...>";
	size_t len = strlen(mark);

	if (!take_name(&s, &out->name) || !take_text(&s, "("))
		return;
	while (s.len && s.ptr[s.len - 1] == ' ')
		s.len--;
	if (s.len >= len && memcmp(s.ptr + s.len - len, mark, len) == 0) {
		out->args = slice_make(s.ptr, s.len - len);
		out->kind = STRACE_UNFINISHED;
		return;
	}
	take_duration(&s, out);
	if (!take_result(&s, out))
		return;
	out->args = s;
	out->kind = STRACE_CALL;
}

void strace_parse(struct slice line, struct strace_line *out)
{
	struct slice s = skip_blanks(line);

	*out = (struct strace_line){.duration_ns = -1};
	if (s.len && s.ptr[s.len - 1] == '\r')
		s.len--;
	if (!take_time(&s, out)) {
		take_pid(&s, out);
		take_time(&s, out);
	}
	if (out->pid == 0)
		take_pid(&s, out); /* "[pid 7]" may stand behind the time */
	if (take_text(&s, "<..."))
		parse_resumed(s, out);
	else
		parse_call(s, out);
}

bool strace_next_entry(struct slice *args, struct slice *name)
{
	static const char mark[] = "d_name=\"";
	const uint8_t *at = args->len ? memmem(args->ptr, args->len, mark, strlen(mark)) : NULL;
	size_t end = 0;

	if (!at)
		return false;
	*args = behind(*args, (size_t)(at - args->ptr) + strlen(mark));
	while (end < args->len && args->ptr[end] != '"')
		end += args->ptr[end] == '\\' ? 2 : 1;
	if (end >= args->len)
		return false;
	*name = slice_make(args->ptr, end);
	*args = behind(*args, end + 1);
	return true;
}

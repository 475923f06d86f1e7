// SPDX-License-Identifier: GPL-2.0-or-later
/* See words.h. */
#include "lab/fault/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

enum { DURATION_S_MAX = 864000 };

void fault_words_init(struct fault_words *w, struct slice text)
{
	w->rest = text;
	w->has_word = w->was_quoted = w->is_broken = false;
	w->word[0] = '\0';
}

static void advance(struct fault_words *w, size_t count)
{
	w->rest.ptr += count;
	w->rest.len -= count;
}

static bool is_mark(uint8_t c)
{
	return c == ',' || c == ';';
}

/* Bytes of the plain word at the start of the rest, without regard to the limit. */
static size_t plain_bytes(struct slice rest)
{
	size_t len = 0;

	if (is_mark(rest.ptr[0]))
		return 1;
	while (len < rest.len && !isspace(rest.ptr[len]) && !is_mark(rest.ptr[len]) &&
	       rest.ptr[len] != '"' && rest.ptr[len] != '#')
		len++;
	return len;
}

static bool read_word(struct fault_words *w)
{
	const uint8_t *start;
	size_t len;

	while (w->rest.len && isspace(w->rest.ptr[0]))
		advance(w, 1);
	if (w->is_broken || !w->rest.len || w->rest.ptr[0] == '#')
		return false;
	w->was_quoted = w->rest.ptr[0] == '"';
	if (w->was_quoted)
		advance(w, 1);
	start = w->rest.ptr;
	if (w->was_quoted) {
		const uint8_t *end = memchr(start, '"', w->rest.len);

		len = end ? (size_t)(end - start) : 0;
		w->is_broken = !end;
	} else {
		len = plain_bytes(w->rest);
	}
	w->is_broken = w->is_broken || len > FAULT_WORD_BYTES_MAX || memchr(start, 0, len);
	if (w->is_broken)
		return false;
	memcpy(w->word, start, len);
	w->word[len] = '\0';
	advance(w, len + w->was_quoted);
	return true;
}

const char *fault_words_peek(struct fault_words *w)
{
	if (!w->has_word)
		w->has_word = read_word(w);
	return w->has_word ? w->word : NULL;
}

const char *fault_words_take(struct fault_words *w)
{
	const char *word = fault_words_peek(w);

	w->has_word = false;
	return word;
}

bool fault_words_take_if(struct fault_words *w, const char *keyword)
{
	const char *word = fault_words_peek(w);

	if (!word || w->was_quoted || strcasecmp(word, keyword) != 0)
		return false;
	w->has_word = false;
	return true;
}

bool fault_words_at_end(struct fault_words *w)
{
	const char *word = fault_words_peek(w);

	return !word || (!w->was_quoted && is_mark((uint8_t)word[0]));
}

/* The next word for an argument, or an error that says what is missing. */
static struct err *take_argument(struct fault_words *w, const char *what, const char **out)
{
	if (fault_words_at_end(w))
		return err_new("%s is missing", what);
	*out = fault_words_take(w);
	return NULL;
}

struct err *fault_words_duration(struct fault_words *w, const char *what, int64_t *out_ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},  {"s", 1e9},
		     {"m", 6e10}, {"min", 6e10}, {"h", 3.6e12}};
	const char *word = NULL;
	struct err *err = take_argument(w, what, &word);
	char *end;
	double value;

	if (err)
		return err;
	value = strtod(word, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == word || strcasecmp(end, units[i].unit) != 0)
			continue;
		if (!(value >= 0 && value * units[i].ns <= DURATION_S_MAX * 1e9))
			return err_new("%s: %s is not between 0 and %d s", what, word,
				       DURATION_S_MAX);
		*out_ns = (int64_t)(value * units[i].ns);
		return NULL;
	}
	return err_new("%s: \"%s\" is no duration; write 250ms, 2s or 5min", what, word);
}

struct err *fault_words_number(struct fault_words *w, const char *what, uint64_t min, uint64_t max,
			       uint64_t *out)
{
	const char *word = NULL;
	struct err *err = take_argument(w, what, &word);
	unsigned long long value;
	char *end;

	if (err)
		return err;
	errno = 0;
	value = strtoull(word, &end, strncasecmp(word, "0x", 2) == 0 ? 16 : 10);
	if (!isdigit((unsigned char)word[0]) || *end || errno)
		return err_new("%s: \"%s\" is no number", what, word);
	if (value < min || value > max)
		return err_new("%s: %s is not between %llu and %llu", what, word,
			       (unsigned long long)min, (unsigned long long)max);
	*out = value;
	return NULL;
}

static unsigned digit_of(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

struct err *fault_words_hex(struct fault_words *w, const char *what, size_t max, uint8_t *out,
			    size_t *out_len)
{
	const char *word = NULL;
	struct err *err = take_argument(w, what, &word);
	size_t digits;

	if (err)
		return err;
	if (strncasecmp(word, "0x", 2) == 0)
		word += 2;
	digits = strspn(word, "0123456789abcdefABCDEF");
	if (word[digits] || digits == 0 || digits % 2)
		return err_new("%s: \"%s\" is no even number of hexadecimal digits", what, word);
	if (digits / 2 > max)
		return err_new("%s: more than %zu bytes", what, max);
	for (size_t i = 0; i < digits / 2; i++)
		out[i] = (uint8_t)(digit_of(word[2 * i]) << 4 | digit_of(word[2 * i + 1]));
	*out_len = digits / 2;
	return NULL;
}

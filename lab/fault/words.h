/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a fault script: blanks part them, "quotes" hold one together, # begins a comment,
 * and a comma or semicolon outside of quotes is a word of its own. Nothing here knows what a word
 * means, but for the shapes that several faults share: numbers, durations, hexadecimal bytes.
 */
#ifndef FAULT_WORDS_H
#define FAULT_WORDS_H

#include "base/err.h"
#include "base/slice.h"

enum { FAULT_WORD_BYTES_MAX = 1024 };

struct fault_words {
	struct slice rest; /* borrowed: what was not read yet */
	bool has_word;     /* `word` is the next one, not taken yet */
	bool was_quoted;   /* it stood in quotes: never a keyword */
	bool is_broken;    /* too long, or a quote without its end; the words end there */
	char word[FAULT_WORD_BYTES_MAX + 1];
};

/* Over a text without line breaks; borrows it. */
void fault_words_init(struct fault_words *w, struct slice text);

/* The next word, which stays the next; NULL at the end. Valid until it is taken. */
const char *fault_words_peek(struct fault_words *w);

/* Takes the next word; NULL at the end. Valid until the next call. */
const char *fault_words_take(struct fault_words *w);

/* Takes the next word when it is this one (in any case, outside of quotes). */
bool fault_words_take_if(struct fault_words *w, const char *keyword);

/* True where a list of actions or a statement ends: at the end, a comma or a semicolon. */
bool fault_words_at_end(struct fault_words *w);

/* "250ms", "2s", "1.5min", "1h"; `what` names it in the error. From 0 to ten days. */
struct err *fault_words_duration(struct fault_words *w, const char *what, int64_t *out_ns);

/* A decimal or 0x number from min to max. */
struct err *fault_words_number(struct fault_words *w, const char *what, uint64_t min, uint64_t max,
			       uint64_t *out);

/* An even number of hexadecimal digits: at most max bytes to `out`, their count to *out_len. */
struct err *fault_words_hex(struct fault_words *w, const char *what, size_t max, uint8_t *out,
			    size_t *out_len);

#endif

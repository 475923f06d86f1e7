// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Logs and listings by grammar: the input chooses forms, hosts, times, messages and what damage is
 * done to them, and the program reads what comes of it. Any bytes are a valid choice.
 */
#include "fuzz.h"
#include "log_lines.h"
#include "tape.h"
#include "whole.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"

enum {
	FILES_MAX = 3,
	BLOCKS_MAX = 40,        /* in a file */
	FILE_BYTES_MAX = 32768, /* and no block behind that */
	REPEAT_MAX = 200,
};

/* How a line of a log begins. */
enum form {
	FORM_DMESG,
	FORM_DMESG_RAW,   /* dmesg -r: <6>[ 1.0] */
	FORM_DMESG_DATED, /* dmesg -T */
	FORM_DMESG_ISO,
	FORM_DMESG_SHORT, /* dmesg -H */
	FORM_KMSG,
	FORM_QUOTED, /* dmesg in a mail */
	FORM_SYSLOG,
	FORM_SYSLOG_BOTH, /* with the time since boot behind the tag */
	FORM_SYSLOG_ISO,
	FORM_RFC5424,
	FORM_JOURNAL_FULL,
	FORM_JOURNAL_JSON,
	FORM_JOURNAL_EXPORT,
	FORM_NONE,
	FORM_COUNT,
};

struct writer {
	struct tape *tape;
	struct strbuf out;
	enum form form;
	const char *host;
	int64_t us; /* since boot */
};

static const char *const hosts[] = {"node7",    "nfs-a",    "srv.example.org",
				    "\x1b[2Jx", "\xff\xfe", "\xe2\x80\xae",
				    "a:b",      "",         "localhost"};
static const char *const servers[] = {"192.0.2.10",   "2001:db8::1",  "nfs-a",   "srv.example.org",
				      "fe80::1%eth0", "\x1b]0;x\x07", "0.0.0.0", "",
				      "nfs a",        "\302\23331m"};
static const char *const addresses[] = {"192.0.2.10",  "192.0.2.22",   "2001:db8::1",
					"::",          "198.51.100.7", "255.255.255.255",
					"192.0.2.999", "fe80::1"};
static const char *const tasks[] = {
	"ls",    "tar",   "rsync",    "kworker/u8:2", "nfsd", "a b", "(sd-pam)", "192.0.2.10-man",
	"lockd", "x:y:z", "\x1b[31m", "[kthread]",    ""};
static const char *const numbers[] = {"0",
				      "1",
				      "2",
				      "120",
				      "-11",
				      "2049",
				      "65535",
				      "65536",
				      "4294967295",
				      "4294967296",
				      "18446744073709551615",
				      "18446744073709551616",
				      "-9223372036854775808",
				      "9999999999999",
				      "1e9",
				      "0x10",
				      "10021"};

#define CHOOSE(tape, list) ((list)[tape_below(tape, sizeof(list) / sizeof((list)[0]))])

static void put_number(struct writer *w)
{
	if (tape_once_in(w->tape, 2))
		strbuf_add_text(&w->out, CHOOSE(w->tape, numbers));
	else
		strbuf_add_format(&w->out, "%u", tape_u16(w->tape));
}

static void put_mark(struct writer *w, char mark)
{
	switch (mark) {
	case 'N':
		put_number(w);
		break;
	case 'S':
		strbuf_add_text(&w->out, CHOOSE(w->tape, servers));
		break;
	case 'T':
		strbuf_add_text(&w->out, CHOOSE(w->tape, tasks));
		break;
	case 'X':
		strbuf_add_format(&w->out, "ffff%04x%08x", tape_u8(w->tape) & 3,
				  tape_u8(w->tape) * 64);
		break;
	case 'A':
		strbuf_add_format(&w->out, "%s:%u", CHOOSE(w->tape, addresses), tape_u16(w->tape));
		break;
	case 'I':
		strbuf_add_text(&w->out, CHOOSE(w->tape, addresses));
		break;
	case 'F':
		strbuf_add_text(&w->out, log_functions[tape_below(w->tape, log_function_count)]);
		break;
	default:
		strbuf_add_text(&w->out, w->host);
	}
}

static void put_date(struct writer *w, const char *between, const char *fraction, const char *zone)
{
	int64_t s = w->us / 1000000;

	strbuf_add_format(&w->out, "2026-11-%02d%s%02d:%02d:%02d%s%06d%s",
			  (int)(s / 86400 % 30 + 1), between, (int)(s / 3600 % 24),
			  (int)(s / 60 % 60), (int)(s % 60), fraction, (int)(w->us % 1000000),
			  zone);
}

static void put_syslog_date(struct writer *w)
{
	int64_t s = w->us / 1000000;

	strbuf_add_format(&w->out, "Nov %2d %02d:%02d:%02d", (int)(s / 86400 % 30 + 1),
			  (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

static void put_boot(struct writer *w)
{
	strbuf_add_format(&w->out, "[%5" PRId64 ".%06d] ", w->us / 1000000, (int)(w->us % 1000000));
}

static void put_field(struct writer *w, const char *name, const char *value)
{
	if (w->form == FORM_JOURNAL_JSON)
		strbuf_add_format(&w->out, "\"%s\": \"%s\", ", name, value);
	else
		strbuf_add_format(&w->out, "%s=%s\n", name, value);
}

static void put_journal_fields(struct writer *w)
{
	char us[24];

	snprintf(us, sizeof(us), "%" PRId64, w->us + INT64_C(1795305600000000));
	put_field(w, "__REALTIME_TIMESTAMP", us);
	snprintf(us, sizeof(us), "%" PRId64, w->us);
	if (!tape_once_in(w->tape, 8))
		put_field(w, "__MONOTONIC_TIMESTAMP", us);
	if (!tape_once_in(w->tape, 8))
		put_field(w, "_HOSTNAME", w->host);
	if (tape_once_in(w->tape, 4))
		put_field(w, "_BOOT_ID", "00112233445566778899aabbccddeeff");
	put_field(w, "_TRANSPORT", tape_once_in(w->tape, 8) ? "syslog" : "kernel");
	put_field(w, "SYSLOG_IDENTIFIER", "kernel");
}

/* The forms of dmesg. */
static void put_dmesg_head(struct writer *w)
{
	switch (w->form) {
	case FORM_DMESG_DATED:
		strbuf_add_text(&w->out, "[Sun ");
		put_syslog_date(w);
		strbuf_add_text(&w->out, " 2026] ");
		break;
	case FORM_DMESG_ISO:
		put_date(w, "T", ",", "+00:00 ");
		break;
	case FORM_DMESG_SHORT:
		strbuf_add_format(
			&w->out, tape_once_in(w->tape, 4) ? "[Nov22 01:%02d] " : "[  +0.0000%02d] ",
			(int)(w->us % 60));
		break;
	case FORM_KMSG:
		strbuf_add_format(&w->out, "6,%u,%" PRId64 ",-;", tape_u8(w->tape), w->us);
		break;
	case FORM_DMESG_RAW:
	case FORM_QUOTED:
		strbuf_add_text(&w->out, w->form == FORM_QUOTED ? "> " : "<6>");
		put_boot(w);
		break;
	default:
		put_boot(w);
	}
}

/* The forms of syslog and the journal. */
static void put_syslog_head(struct writer *w)
{
	switch (w->form) {
	case FORM_SYSLOG_ISO:
		put_date(w, "T", ".", tape_once_in(w->tape, 4) ? "Z" : "+01:00");
		break;
	case FORM_RFC5424:
		strbuf_add_text(&w->out, "<6>1 ");
		put_date(w, "T", ".", "Z");
		strbuf_add_format(&w->out, " %s kernel - - - ", w->host);
		return;
	case FORM_JOURNAL_FULL:
		strbuf_add_text(&w->out, "Sun ");
		put_date(w, " ", ".", " UTC");
		break;
	default:
		put_syslog_date(w);
	}
	strbuf_add_format(&w->out, " %s kernel: ", w->host);
	if (w->form == FORM_SYSLOG_BOTH)
		put_boot(w);
}

static void put_head(struct writer *w)
{
	if (w->form == FORM_JOURNAL_JSON) {
		strbuf_add_char(&w->out, '{');
		put_journal_fields(w);
		strbuf_add_text(&w->out, "\"MESSAGE\": \"");
	} else if (w->form == FORM_JOURNAL_EXPORT) {
		put_journal_fields(w);
		strbuf_add_text(&w->out, "MESSAGE=");
	} else if (w->form <= FORM_QUOTED) {
		put_dmesg_head(w);
	} else {
		put_syslog_head(w);
	}
}

static void put_tail(struct writer *w, bool headed)
{
	if (headed && w->form == FORM_JOURNAL_JSON)
		strbuf_add_text(&w->out, "\"}");
	if (headed && w->form == FORM_JOURNAL_EXPORT)
		strbuf_add_char(&w->out, '\n');
	strbuf_add_char(&w->out, '\n');
}

/* Some harm to what was written from `start` on. */
static void damage(struct writer *w, size_t start)
{
	static const char *const hostile[] = {
		"\x1b[2J", "\r",      "\t", "\xe2\x80\xae", "\xff",     "\x08\x08", "\"",
		"\\",      "\\u001b", "{",  "%n%s",         "\xc2\x9b", "\n",       ": "};
	size_t len = w->out.len - start;
	size_t at = start + (len ? tape_u16(w->tape) % len : 0);

	switch (tape_below(w->tape, 5)) {
	case 0: /* cut */
		w->out.len = at;
		break;
	case 1: /* overwritten */
		for (const char *p = CHOOSE(w->tape, hostile); *p && at < w->out.len; p++)
			w->out.data[at++] = *p;
		break;
	case 2: /* a byte of any kind */
		if (at < w->out.len)
			w->out.data[at] = (char)tape_u8(w->tape);
		break;
	case 3: /* two parts change places */
		for (size_t i = start, k = at; i < at && k < w->out.len; i++, k++) {
			char c = w->out.data[i];

			w->out.data[i] = w->out.data[k];
			w->out.data[k] = c;
		}
		break;
	default: /* long */
		for (unsigned n = tape_u8(w->tape) * 16u; n; n--)
			strbuf_add_char(&w->out, 'A');
	}
}

static const char *put_line(struct writer *w, const char *text, bool headed)
{
	size_t start = w->out.len;

	if (headed)
		put_head(w);
	for (; *text && *text != '\n'; text++) {
		if (*text == '$' && text[1])
			put_mark(w, *++text);
		else if (*text == '"' && headed && w->form == FORM_JOURNAL_JSON)
			strbuf_add_text(&w->out, "\\\"");
		else
			strbuf_add_char(&w->out, *text);
	}
	if (tape_once_in(w->tape, 24))
		damage(w, start);
	put_tail(w, headed);
	return *text ? text + 1 : text;
}

static void pass_time(struct writer *w)
{
	static const int64_t steps[] = {10, 1000000,  17000000,    120000000, 3600000000,
					0,  -5000000, 86400000000, 180000000};

	w->us += CHOOSE(w->tape, steps);
	if (w->us < 0)
		w->us = 0;
}

static void put_block(struct writer *w)
{
	const struct log_block *block = &log_blocks[tape_below(w->tape, log_block_count)];
	const char *text = block->text;

	pass_time(w);
	while (*text)
		text = put_line(w, text, block->message && w->form != FORM_NONE);
}

/* What was written from `start` on, again and again. */
static void repeat(struct writer *w, size_t start)
{
	size_t len = w->out.len - start;
	size_t times = tape_below(w->tape, REPEAT_MAX);
	char *copy = strbuf_take(&w->out);

	strbuf_init(&w->out);
	strbuf_add(&w->out, copy, start + len);
	for (; times && w->out.len < FILE_BYTES_MAX; times--)
		strbuf_add(&w->out, copy + start, len);
	free(copy);
}

static void make_file(struct tape *tape, struct strbuf *out)
{
	struct writer w = {.tape = tape, .form = (enum form)tape_below(tape, FORM_COUNT)};

	strbuf_init(&w.out);
	w.host = CHOOSE(tape, hosts);
	w.us = (int64_t)tape_u16(tape) * 1000000;
	for (unsigned i = 0; i < BLOCKS_MAX && w.out.len < FILE_BYTES_MAX; i++) {
		size_t start = w.out.len;

		put_block(&w);
		if (tape_once_in(tape, 32))
			repeat(&w, start);
		if (tape_once_in(tape, 16))
			w.form = (enum form)tape_below(tape, FORM_COUNT);
		if (tape_ended(tape) || tape_once_in(tape, 20))
			break;
	}
	*out = w.out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tape tape = {.bytes = data, .len = size};
	struct strbuf texts[FILES_MAX];
	struct slice files[FILES_MAX];
	size_t count = 0;

	do {
		make_file(&tape, &texts[count]);
		files[count] = slice_make(strbuf_text(&texts[count]), texts[count].len);
		count++;
	} while (count < FILES_MAX && !tape_ended(&tape));
	whole_check(files, count);
	for (size_t i = 0; i < count; i++)
		strbuf_deinit(&texts[i]);
	return 0;
}

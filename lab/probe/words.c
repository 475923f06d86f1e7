// SPDX-License-Identifier: GPL-2.0-or-later
/* See words.h. */
#include "lab/probe/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stamp.h"

enum { SECONDS_MAX = 1000000, PAGE_BYTES = 32768, PROCESSES = 8 };

static struct err *number_of(const char *name, const char *value, double max, double *out)
{
	char *end;
	double number = strtod(value, &end);

	if (end == value || *end != '\0' || !(number >= 0 && number <= max))
		return err_new("%s=%s: it must be a number up to %g", name, value, max);
	*out = number;
	return NULL;
}

enum word_kind { WORD_TEXT, WORD_SECONDS, WORD_U32, WORD_U16 };

struct word_row {
	const char *name;
	enum word_kind kind;
	size_t offset; /* in struct probe_words */
};

#define ROW(name, kind, field)                                  \
	{                                                       \
		name, kind, offsetof(struct probe_words, field) \
	}

static const struct word_row rows[] = {
	ROW("file", WORD_TEXT, file),       ROW("dir", WORD_TEXT, dir),
	ROW("mix", WORD_TEXT, mix),         ROW("owner", WORD_TEXT, owner),
	ROW("access", WORD_TEXT, access),   ROW("callbacks", WORD_TEXT, callbacks),
	ROW("for", WORD_SECONDS, for_ns),   ROW("every", WORD_SECONDS, every_ns),
	ROW("hold", WORD_SECONDS, hold_ns), ROW("shut", WORD_SECONDS, shut_ns),
	ROW("uid", WORD_U32, uid),          ROW("verifier", WORD_U32, verifier),
	ROW("page", WORD_U32, page_bytes),  ROW("port", WORD_U16, port),
	ROW("portmap", WORD_U16, portmap),  ROW("processes", WORD_U32, processes),
	ROW("plus", WORD_U32, plus),
};

static struct err *word_set(const struct word_row *row, const char *value, struct probe_words *out)
{
	void *field = (char *)out + row->offset;
	double number = 0;
	struct err *err = NULL;

	switch (row->kind) {
	case WORD_TEXT:
		*(const char **)field = value;
		break;
	case WORD_SECONDS:
		err = number_of(row->name, value, SECONDS_MAX, &number);
		*(int64_t *)field = (int64_t)(number * (double)STAMP_NS_PER_S);
		break;
	case WORD_U32:
		err = number_of(row->name, value, UINT32_MAX, &number);
		*(uint32_t *)field = (uint32_t)number;
		break;
	case WORD_U16:
		err = number_of(row->name, value, UINT16_MAX, &number);
		*(uint16_t *)field = (uint16_t)number;
		break;
	}
	return err;
}

/* True when the word is one of ours; *err is what is wrong with it. */
static bool word_take(const char *word, struct probe_words *out, struct err **err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].name);

		if (strncmp(rows[i].name, word, len) != 0 || word[len] != '=')
			continue;
		*err = word_set(&rows[i], word + len + 1, out);
		return true;
	}
	return false;
}

static struct err *take_server(const char *word, struct probe_words *out)
{
	const char *colon = strchr(word, '/');
	size_t len = colon ? (size_t)(colon - word) : strlen(word);

	if (colon)
		out->export = colon;
	if (colon && len > 0 && word[len - 1] == ':')
		len--;
	if (len == 0 || len >= sizeof(out->server))
		return err_new("'%s' names no server: SERVER or SERVER:/EXPORT", word);
	memcpy(out->server, word, len);
	out->server[len] = '\0';
	return NULL;
}

/* What is none of ours goes to the reader of mount options, which passes over what it ignores. */
static struct err *take_mount_option(const char *word, struct probe_words *out)
{
	struct timing_options before = out->timing;
	struct timing_options now;
	struct err *err = timing_options_parse(slice_of_string(word), &now);

	if (err)
		return err;
	if (now.known == 0)
		return err_new("'%s' is no word of the probe; 'nfsleuth help probe' lists them",
			       word);
	out->timing = now;
	if (!now.has_vers && before.has_vers) {
		out->timing.has_vers = true;
		out->timing.vers = before.vers;
		out->timing.minor = before.minor;
	}
	if (!now.has_timeo && before.has_timeo) {
		out->timing.has_timeo = true;
		out->timing.timeo_ds = before.timeo_ds;
	}
	if (!now.has_retrans && before.has_retrans) {
		out->timing.has_retrans = true;
		out->timing.retrans = before.retrans;
	}
	return NULL;
}

struct err *probe_words_parse(const char *const *words, size_t count, struct probe_words *out)
{
	struct probe_words w = {.export = "/",
				.file = "probe-file",
				.for_ns = INT64_MAX,
				.every_ns = STAMP_NS_PER_S,
				.hold_ns = STAMP_NS_PER_S,
				.page_bytes = PAGE_BYTES,
				.processes = PROCESSES};
	struct err *err;

	if (count == 0)
		return err_new("no SERVER given");
	err = timing_options_parse(slice_of_string("proto=tcp"), &w.timing);
	if (words[0][0] == '/')
		w.path = words[0];
	else if (!err)
		err = take_server(words[0], &w);
	for (size_t i = 1; i < count && !err; i++)
		if (!word_take(words[i], &w, &err))
			err = take_mount_option(words[i], &w);
	if (err)
		return err;
	w.is_v4 = w.timing.has_vers && w.timing.vers == 4;
	w.has_minor = w.is_v4 && w.timing.minor != UINT32_MAX;
	w.minor = w.has_minor ? w.timing.minor : 1;
	*out = w;
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See tree_text.h. */
#include "lab/serve/tree/tree_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

enum { WORDS_MAX = 12, LINE_MAX_BYTES = 8192 };

/* A line, as its words. */
struct line {
	char *words[WORDS_MAX];
	size_t count;
	struct tree_new what;
	const char *prefix, *text;
	uint64_t entries, size;
	bool has_entries, has_size, has_mode;
};

static const struct {
	const char *name;
	enum tree_kind kind;
	uint32_t mode;
} kinds[] = {
	{"dir", TREE_DIR, 0755},   {"file", TREE_FILE, 0644},     {"link", TREE_LINK, 0777},
	{"fifo", TREE_FIFO, 0644}, {"socket", TREE_SOCKET, 0755}, {"block", TREE_BLOCK, 0600},
	{"char", TREE_CHAR, 0600},
};

/* \ooo of /proc/mounts. */
static void unescape(char *word)
{
	char *out = word;

	while (*word) {
		if (word[0] == '\\' && word[1] >= '0' && word[1] <= '3' && word[2] >= '0' &&
		    word[2] <= '7' && word[3] >= '0' && word[3] <= '7') {
			*out++ = (char)((word[1] - '0') << 6 | (word[2] - '0') << 3 |
					(word[3] - '0'));
			word += 4;
		} else {
			*out++ = *word++;
		}
	}
	*out = '\0';
}

static struct err *take_number(const char *key, const char *text, int base, uint64_t max,
			       uint64_t *out)
{
	static const char units[] = "kMGT";
	const char *unit;
	unsigned shift = 0;
	char *end;
	uint64_t value = *text >= '0' && *text <= '9' ? strtoull(text, &end, base) : UINT64_MAX;

	if (value == UINT64_MAX)
		return err_new("%s=%s: no number", key, text);
	unit = base == 10 && *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (*end || value > max >> shift)
		return err_new("%s=%s: no number up to %llu", key, text, (unsigned long long)max);
	*out = value << shift;
	return NULL;
}

static struct err *take_u32(const char *key, const char *text, int base, uint32_t max,
			    uint32_t *out)
{
	uint64_t value;
	struct err *err = take_number(key, text, base, max, &value);

	if (!err)
		*out = (uint32_t)value;
	return err;
}

static struct err *take_pair(struct line *l, const char *key, const char *value)
{
	if (strcmp(key, "mode") == 0) {
		l->has_mode = true;
		return take_u32(key, value, 8, 07777, &l->what.mode);
	}
	if (strcmp(key, "uid") == 0)
		return take_u32(key, value, 10, UINT32_MAX - 1, &l->what.uid);
	if (strcmp(key, "gid") == 0)
		return take_u32(key, value, 10, UINT32_MAX - 1, &l->what.gid);
	if (strcmp(key, "major") == 0)
		return take_u32(key, value, 10, UINT32_MAX - 1, &l->what.major);
	if (strcmp(key, "minor") == 0)
		return take_u32(key, value, 10, UINT32_MAX - 1, &l->what.minor);
	if (strcmp(key, "size") == 0) {
		l->has_size = true;
		return take_number(key, value, 10, INT64_MAX, &l->size);
	}
	if (strcmp(key, "entries") == 0 && l->what.kind == TREE_DIR) {
		l->has_entries = true;
		return take_number(key, value, 10, INT64_MAX, &l->entries);
	}
	if (strcmp(key, "prefix") == 0 && l->what.kind == TREE_DIR) {
		l->prefix = value;
		return NULL;
	}
	if (strcmp(key, "text") == 0 && l->what.kind == TREE_FILE) {
		l->text = value;
		return NULL;
	}
	if (strcmp(key, "target") == 0 && l->what.kind == TREE_LINK) {
		l->what.target = slice_of_string(value);
		return NULL;
	}
	return err_new("%s: a %s has no such property", key, l->words[0]);
}

static struct err *take_words(struct line *l)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(l->words[0], kinds[i].name) == 0) {
			l->what.kind = kinds[i].kind;
			l->what.mode = kinds[i].mode;
		}
	if (l->what.kind == TREE_NONE)
		return err_new("%s: no kind of node (dir, file, link, fifo, socket, block, char)",
			       l->words[0]);
	if (l->count < 2)
		return err_new("%s: a path is missing", l->words[0]);
	unescape(l->words[1]);
	for (size_t i = 2; i < l->count; i++) {
		char *equals = strchr(l->words[i], '=');
		struct err *err;

		if (!equals)
			return err_new("%s: a property is written NAME=VALUE", l->words[i]);
		*equals = '\0';
		unescape(equals + 1);
		err = take_pair(l, l->words[i], equals + 1);
		if (err)
			return err;
	}
	if (l->what.kind == TREE_LINK && !l->what.target.len)
		return err_new("%s: target= is missing", l->words[1]);
	if ((l->has_size && l->what.kind != TREE_FILE && !l->has_entries) ||
	    (l->prefix && !l->has_entries) || (l->text && l->has_size))
		return err_new("%s: properties that do not go together", l->words[1]);
	return NULL;
}

static struct err *line_make(struct tree *t, const struct line *l, int64_t now_ns)
{
	const char *path = l->words[1];
	struct tree_set set = {.what = TREE_SET_UID | TREE_SET_GID,
			       .uid = l->what.uid,
			       .gid = l->what.gid,
			       .mode = l->what.mode};
	uint64_t fileid;
	struct err *err = NULL;

	if (l->has_entries)
		err = tree_add_made_up(t, path, l->prefix ? l->prefix : "file", l->entries, l->size,
				       now_ns, &fileid);
	else if (l->has_size)
		err = tree_add_pattern(t, path, l->size, now_ns, &fileid);
	else if (strcmp(path, "/") == 0 && l->what.kind == TREE_DIR)
		fileid = tree_root(t);
	else
		err = tree_add_path(t, path, &l->what, now_ns, &fileid);
	if (err)
		return err;
	if (l->has_mode)
		set.what |= TREE_SET_MODE;
	if (l->text && tree_write(t, fileid, 0, slice_of_string(l->text), now_ns))
		return err_new("%s: no space for its text", path);
	tree_setattr(t, fileid, &set, now_ns);
	return NULL;
}

struct err *tree_text_add_line(struct tree *t, struct slice line, int64_t now_ns)
{
	char text[LINE_MAX_BYTES];
	struct line l = {0};
	char *save = NULL;
	struct err *err;

	if (line.len >= sizeof(text) || memchr(line.ptr, '\0', line.len))
		return err_new("the line is too long, or no text");
	memcpy(text, line.ptr, line.len);
	text[line.len] = '\0';
	for (char *word = strtok_r(text, " \t\r\n", &save); word;
	     word = strtok_r(NULL, " \t\r\n", &save)) {
		if (word[0] == '#')
			break;
		if (l.count == WORDS_MAX)
			return err_new("the line has too many words");
		l.words[l.count++] = word;
	}
	if (!l.count)
		return NULL;
	err = take_words(&l);
	return err ? err : line_make(t, &l, now_ns);
}

struct err *tree_text_add(struct tree *t, struct slice text, int64_t now_ns)
{
	size_t number = 0;

	while (text.len) {
		const uint8_t *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) : text.len;
		struct err *err = tree_text_add_line(t, slice_make(text.ptr, len), now_ns);

		number++;
		if (err) {
			struct err *all = err_new("line %zu: %s", number, err_text(err));

			err_destroy(err);
			return all;
		}
		len += end != NULL;
		text = slice_make(text.ptr + len, text.len - len);
	}
	return NULL;
}

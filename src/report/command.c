// SPDX-License-Identifier: GPL-2.0-or-later
/* See command.h. */
#include "report/command.h"

#include <ctype.h>
#include <inttypes.h>

static bool word_is_plain(const char *word)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				   "_-./:,+@%=";

	/* zsh puts the path of a command for "=command". */
	return *word && *word != '=' && word[strspn(word, safe)] == '\0';
}

/* True when strbuf_add_safe would change more of it than backslashes. */
static bool word_is_printable(const char *word)
{
	struct strbuf safe;
	size_t backslashes = 0;
	bool same;

	for (const char *p = word; *p; p++)
		backslashes += *p == '\\';
	strbuf_init(&safe);
	strbuf_add_safe(&safe, slice_of_string(word));
	same = safe.len == strlen(word) + backslashes;
	strbuf_deinit(&safe);
	return same;
}

static void add_single_quoted(struct strbuf *out, const char *word)
{
	strbuf_add_char(out, '\'');
	for (const char *p = word; *p; p++) {
		if (*p == '\'')
			strbuf_add_text(out, "'\\''");
		else
			strbuf_add_char(out, *p);
	}
	strbuf_add_char(out, '\'');
}

/* Octal, three digits: the only form whose end does not depend on what follows. */
static void add_ansi_quoted(struct strbuf *out, const char *word)
{
	strbuf_add_text(out, "$'");
	for (const char *p = word; *p; p++) {
		uint8_t byte = (uint8_t)*p;

		if (byte < 0x20 || byte >= 0x7f || byte == '\'' || byte == '\\')
			strbuf_add_format(out, "\\%03o", byte);
		else
			strbuf_add_char(out, *p);
	}
	strbuf_add_char(out, '\'');
}

void command_add_word(struct strbuf *out, const char *word)
{
	if (word_is_plain(word))
		strbuf_add_text(out, word);
	else if (word_is_printable(word))
		add_single_quoted(out, word);
	else
		add_ansi_quoted(out, word);
}

/* A path as an argument: never taken for an option. "-" alone is standard input. */
static void add_path(struct strbuf *out, const char *path)
{
	struct strbuf full;

	strbuf_init(&full);
	if (path[0] == '-' && path[1] != '\0')
		strbuf_add_text(&full, "./");
	strbuf_add_text(&full, path);
	command_add_word(out, strbuf_text(&full));
	strbuf_deinit(&full);
}

static bool path_ends_with(const char *path, const char *suffix)
{
	size_t path_len = strlen(path);
	size_t len = strlen(suffix);

	return path_len >= len && strcmp(path + path_len - len, suffix) == 0;
}

/* The program that unpacks what sed cannot read, by the end of the name. */
static const char *unpacker(const char *path)
{
	static const struct {
		const char *suffix, *program;
	} rows[] = {{".gz", "gzip -dc "}, {".zst", "zstd -dc "}, {".xz", "xz -dc "}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (path_ends_with(path, rows[i].suffix))
			return rows[i].program;
	return NULL;
}

/*
 * What brings the file's bytes to a pipe, unpacked where `unpack` is not NULL: nothing, where it
 * can be named to the program itself.
 */
static bool add_pipe(struct strbuf *out, const struct evidence *e, const char *unpack)
{
	if (e->archive) {
		strbuf_add_text(out, "tar -xOf ");
		add_path(out, e->archive);
		strbuf_add_text(out, " -- ");
		command_add_word(out, e->path + strlen(e->archive) + 1);
		strbuf_add_text(out, " | ");
		if (unpack)
			strbuf_add_format(out, "%s| ", unpack);
		return true;
	}
	if (!unpack)
		return false;
	strbuf_add_text(out, unpack);
	add_path(out, e->path);
	strbuf_add_text(out, " | ");
	return true;
}

static void add_line_cite(struct strbuf *out, const struct evidence *e, const struct cite *c)
{
	bool piped = add_pipe(out, e, unpacker(e->path));

	strbuf_add_format(out, "sed -n %" PRIu64 "p", c->at.frame);
	if (!piped) {
		strbuf_add_char(out, ' ');
		add_path(out, e->path);
	}
}

void command_add_cite(struct strbuf *out, const struct evidence *e, const struct cite *c)
{
	if (evidence_has_lines(e->kind)) {
		add_line_cite(out, e, c);
		return;
	}
	/* Wireshark unpacks .gz and .zst itself, but not .xz, and none from a pipe. */
	if (add_pipe(out, e,
		     e->archive || path_ends_with(e->path, ".xz") ? unpacker(e->path) : NULL)) {
		strbuf_add_text(out, "tshark -r -");
	} else {
		strbuf_add_text(out, "tshark -r ");
		add_path(out, e->path);
	}
	if (c->decode_port)
		strbuf_add_format(out, " -d %s.port==%u,rpc",
				  c->transport == TRANSPORT_UDP ? "udp" : "tcp", c->decode_port);
	if (c->transport == TRANSPORT_TCP)
		strbuf_add_text(out, " -o tcp.reassemble_out_of_order:TRUE");
	if (c->at.frame != FRAME_NONE)
		strbuf_add_format(out, " -Y 'frame.number==%" PRIu64 "' -V", c->at.frame);
	else if (c->decode_port)
		strbuf_add_format(out, " -Y '%s.port==%u'",
				  c->transport == TRANSPORT_UDP ? "udp" : "tcp", c->decode_port);
}

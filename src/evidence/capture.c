// SPDX-License-Identifier: GPL-2.0-or-later
/* The evidence reader for captures, see capture.h. */
#include "evidence/capture.h"

#include <stdlib.h>

#include "base/mem.h"
#include "evidence/sniff.h"

struct capture {
	struct capfile *file;
	/* of a list of packets in a text; else NULL and 0 */
	const char *path;
	char *bytes;
	uint64_t *lines;
	size_t lines_len;
};

struct err *capture_open_source(struct source *source, struct capture **out)
{
	enum sniff_kind kind = sniff_source(source);
	struct capfile *file = NULL;
	struct err *err;

	if (kind == SNIFF_EMPTY)
		return err_new("%s: is empty, not a packet capture%s%s", source_path(source),
			       source_fault(source) ? ": " : "",
			       source_fault(source) ? source_fault(source) : "");
	if (!sniff_is_capture(kind))
		return err_new("%s: is not a packet capture (%s)", source_path(source),
			       sniff_kind_name(kind));
	err = capfile_open(source, &file);
	if (err)
		return err;
	*out = mem_alloc(1, sizeof(**out));
	(*out)->file = file;
	return NULL;
}

struct err *capture_open(const char *path, struct capture **out)
{
	struct source *source = NULL;
	struct err *err = source_open(path, &source);

	if (err)
		return err;
	err = capture_open_source(source, out);
	if (err)
		source_destroy(source);
	return err;
}

struct err *capture_open_lines(struct strbuf *pcap, const char *path, uint64_t *lines, size_t len,
			       struct capture **out)
{
	struct capture *c = mem_alloc(1, sizeof(*c));
	size_t bytes = pcap->len;
	struct source *source;
	struct err *err;

	c->bytes = strbuf_take(pcap);
	c->path = path;
	c->lines = lines;
	c->lines_len = len;
	source = source_create_memory(slice_make(c->bytes, bytes));
	err = capfile_open(source, &c->file);
	if (err) {
		source_destroy(source);
		capture_destroy(c);
		return err;
	}
	*out = c;
	return NULL;
}

void capture_destroy(struct capture *c)
{
	if (!c)
		return;
	capfile_destroy(c->file);
	free(c->bytes);
	free(c->lines);
	free(c);
}

enum capfile_result capture_next(struct capture *c, struct capfile_packet *out)
{
	enum capfile_result result = capfile_next(c->file, out);

	if (result == CAPFILE_PACKET && out->frame - 1 < c->lines_len)
		out->frame = c->lines[out->frame - 1];
	return result;
}

void capture_rest(struct capture *c)
{
	capfile_rest(c->file);
}

void capture_set_journal(struct capture *c, capfile_journal_fn *fn, void *arg)
{
	capfile_set_journal(c->file, fn, arg);
}

void capture_get_stats(const struct capture *c, struct capfile_stats *out)
{
	capfile_get_stats(c->file, out);
}

const char *capture_path(const struct capture *c)
{
	return c->path ? c->path : source_path(capfile_source(c->file));
}

bool capture_seekable(const struct capture *c)
{
	return source_seekable(capfile_source(c->file));
}

uint64_t capture_offset(const struct capture *c)
{
	return source_offset(capfile_source(c->file));
}

void capture_get_progress(const struct capture *c, uint64_t *done_bytes, uint64_t *total_bytes)
{
	*done_bytes = source_raw_offset(capfile_source(c->file));
	*total_bytes = source_raw_bytes(capfile_source(c->file));
}

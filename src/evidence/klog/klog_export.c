// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The journal's export format (systemd, docs/JOURNAL_EXPORT_FORMATS.md): fields as NAME=VALUE, one
 * a line, a blank line behind each entry; a value with control characters is written as NAME, its
 * length in eight bytes (little endian), and the bytes.
 */
#include "evidence/klog/klog_private.h"

#include "evidence/text_scan.h"

enum { EXPORT_LENGTH_BYTES = 8 };

static int64_t export_number(struct slice value)
{
	int64_t number = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9' || number > INT64_MAX / 10000)
			return -1;
		number = number * 10 + (value.ptr[i] - '0');
	}
	return value.len ? number : -1;
}

static size_t export_keep(void *to, size_t size, struct slice value)
{
	size_t len = value.len < size ? value.len : size;

	memcpy(to, value.ptr, len);
	return len;
}

void klog_entry_field(struct klog *k, struct slice name, struct slice value)
{
	struct klog_entry *e = &k->entry;

	if (slice_equal(name, slice_of_string("MESSAGE"))) {
		e->message_len = export_keep(e->message, sizeof(e->message), value);
		e->line = k->line;
	} else if (slice_equal(name, slice_of_string("_HOSTNAME"))) {
		e->host_len = export_keep(e->host, sizeof(e->host), value);
	} else if (slice_equal(name, slice_of_string("SYSLOG_IDENTIFIER"))) {
		e->tag_len = export_keep(e->tag, sizeof(e->tag), value);
	} else if (slice_equal(name, slice_of_string("_TRANSPORT"))) {
		if (slice_equal(value, slice_of_string("kernel")))
			e->tag_len = export_keep(e->tag, sizeof(e->tag), value);
	} else if (slice_equal(name, slice_of_string("__REALTIME_TIMESTAMP"))) {
		e->realtime_us = export_number(value);
	} else if (slice_equal(name, slice_of_string("_SOURCE_MONOTONIC_TIMESTAMP"))) {
		e->boot_us = export_number(value);
	} else if (slice_equal(name, slice_of_string("__MONOTONIC_TIMESTAMP")) && e->boot_us < 0) {
		e->boot_us = export_number(value);
	}
}

/* NAME without "=": the value follows with its length. */
static void export_binary(struct klog *k, struct slice name)
{
	char kept[KLOG_NAME_BYTES_MAX];
	size_t name_len = export_keep(kept, sizeof(kept), name);
	struct slice head = source_take(k->source, EXPORT_LENGTH_BYTES);
	uint64_t len = 0;
	struct slice value;

	if (head.len < EXPORT_LENGTH_BYTES)
		return;
	for (size_t i = EXPORT_LENGTH_BYTES; i > 0; i--)
		len = len << 8 | head.ptr[i - 1];
	value = source_take(k->source, len < KLOG_MESSAGE_BYTES_MAX ? len : KLOG_MESSAGE_BYTES_MAX);
	for (size_t i = 0; i < head.len; i++)
		k->stats.lines += head.ptr[i] == '\n';
	for (size_t i = 0; i < value.len; i++)
		k->stats.lines += value.ptr[i] == '\n';
	klog_entry_field(k, slice_make(kept, name_len), value);
	if (len > value.len)
		source_skip(k->source, len - value.len);
	source_skip(k->source, 1); /* the line's end */
	k->stats.lines++;
}

static bool export_name_byte(uint8_t c)
{
	return c == '_' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A field's name at the beginning of the line; 0: none. */
static size_t export_name_bytes(struct slice line)
{
	size_t len = 0;

	while (len < line.len && export_name_byte(line.ptr[len]))
		len++;
	return len;
}

bool klog_entry_finish(struct klog *k, struct klog_line *out)
{
	struct klog_entry *e = &k->done;
	const uint8_t *end;

	/* The texts are copied below: most of the room for them is empty. */
	memcpy(e, &k->entry, offsetof(struct klog_entry, host));
	memcpy(e->host, k->entry.host, k->entry.host_len);
	memcpy(e->tag, k->entry.tag, k->entry.tag_len);
	memcpy(e->message, k->entry.message, k->entry.message_len);
	e->host_len = k->entry.host_len;
	e->tag_len = k->entry.tag_len;
	e->message_len = k->entry.message_len;
	k->entry_form = KLOG_ENTRY_NONE;
	if (e->line == 0 ||
	    (!e->head_told && (e->realtime_us < 0 || e->realtime_us > INT64_MAX / 2000)))
		return false;
	*out = (struct klog_line){.line = e->line};
	out->text = slice_make(e->message, e->message_len);
	end = e->message_len ? memchr(e->message, '\n', e->message_len) : NULL;
	if (end)
		out->text.len = (size_t)(end - e->message);
	out->head.host = slice_make(e->host, e->host_len);
	out->head.tag = slice_make(e->tag, e->tag_len);
	out->head.kernel = slice_equal(out->head.tag, slice_of_string("kernel"));
	if (e->head_told) {
		out->head.wall = e->head.wall;
		out->head.date = e->head.date;
	} else {
		out->head.wall = KLOG_WALL_UTC;
		out->head.date = (struct klog_date){.year = 1970, .month = 1, .day = 1};
		out->head.date.ns_of_day = e->realtime_us * 1000;
	}
	out->head.has_boot = out->head.kernel && e->boot_us >= 0 && e->boot_us < INT64_MAX / 2000;
	out->head.boot_ns = out->head.has_boot ? e->boot_us * 1000 : 0;
	k->stats.journal = true;
	if (out->head.kernel)
		k->stats.kernel_lines++;
	else
		k->stats.other_lines++;
	return true;
}

void klog_entry_begin(struct klog *k, enum klog_entry_form form)
{
	k->entry_form = form;
	k->entry.line = 0;
	k->entry.head_told = false;
	k->entry.realtime_us = k->entry.boot_us = -1;
	k->entry.host_len = k->entry.tag_len = k->entry.message_len = 0;
}

bool klog_export_take(struct klog *k, struct slice line, struct klog_line *out)
{
	size_t len;

	if (k->entry_form == KLOG_ENTRY_NONE &&
	    (text_begins(line, "__CURSOR=") || text_begins(line, "__REALTIME_TIMESTAMP=")))
		klog_entry_begin(k, KLOG_ENTRY_EXPORT);
	if (k->entry_form != KLOG_ENTRY_EXPORT)
		return false;
	if (line.len == 0)
		return klog_entry_finish(k, out);
	len = export_name_bytes(line);
	if (len > 0 && len < line.len && line.ptr[len] == '=')
		klog_entry_field(k, slice_make(line.ptr, len),
				 slice_make(line.ptr + len + 1, line.len - len - 1));
	else if (len > 0 && len == line.len)
		export_binary(k, line);
	return false;
}

/*
 * "Sun 2026-11-22 01:26:00.123456 UTC [s=...;i=...]" begins an entry at full length. The time is
 * that of the zone in which it was printed.
 */
static bool verbose_begins(struct slice line, struct slice *stamp)
{
	struct slice cursor, rest;

	if (line.len == 0 || line.ptr[line.len - 1] != ']')
		return false; /* each line of a log is looked at */
	cursor = text_find(line, " [s=");
	rest = slice_make(line.ptr, line.len - cursor.len);
	if (cursor.len == 0 || !text_holds(cursor, ";i="))
		return false;
	text_word(&rest);
	*stamp = text_trim(rest);
	return true;
}

/* "2026-11-22 01:26:00.123456 UTC", without the blank before the zone that nothing else reads. */
static bool verbose_stamp(struct slice stamp, struct klog_head *head)
{
	struct slice zone = stamp;
	struct slice date = text_word(&zone);
	struct slice time = text_word(&zone);
	size_t len = time.len ? (size_t)(time.ptr + time.len - date.ptr) : 0;

	if (len == 0 || !klog_stamp_parse(slice_make(date.ptr, len), head))
		return false;
	if (slice_equal(text_trim(zone), slice_of_string("UTC")))
		head->wall = KLOG_WALL_UTC;
	return true;
}

bool klog_verbose_take(struct klog *k, struct slice line, struct klog_line *out)
{
	struct slice stamp, field;
	size_t len;
	bool done = false;

	if (verbose_begins(line, &stamp)) {
		done = k->entry_form == KLOG_ENTRY_VERBOSE && klog_entry_finish(k, out);
		klog_entry_begin(k, KLOG_ENTRY_VERBOSE);
		k->entry.head_told = verbose_stamp(stamp, &k->entry.head);
		if (!k->entry.head_told)
			k->entry_form = KLOG_ENTRY_NONE;
		return done;
	}
	if (k->entry_form != KLOG_ENTRY_VERBOSE)
		return false;
	if (line.len && line.ptr[0] != ' ')
		return klog_entry_finish(k, out);
	field = text_trim(line);
	len = export_name_bytes(field);
	if (len > 0 && len < field.len && field.ptr[len] == '=')
		klog_entry_field(k, slice_make(field.ptr, len),
				 slice_make(field.ptr + len + 1, field.len - len - 1));
	return false;
}

bool klog_entry_end(struct klog *k, struct klog_line *out)
{
	return k->entry_form != KLOG_ENTRY_NONE && klog_entry_finish(k, out);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See mount_line.h. Formats: nfsstat(8), mount(8), proc(5); fs/nfs/super.c, nfs_show_stats. */
#include "evidence/line/mount_line.h"

#include "evidence/text_scan.h"

enum { FIELDS_MAX = 6, FIELD_DEVICE = 0, FIELD_POINT = 1, FIELD_TYPE = 2, FIELD_OPTIONS = 3 };

static struct slice skip(struct slice s, size_t bytes)
{
	return slice_make(s.ptr + bytes, s.len - bytes);
}

/* Without blanks, and the marks of a quoting mail, before it. */
static struct slice trim(struct slice s)
{
	while (s.len && (text_is_blank(s.ptr[0]) || s.ptr[0] == '>'))
		s = skip(s, 1);
	while (s.len && text_is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* Splits at the first `text`; false: it is not there, or nothing is before it. */
static bool split(struct slice s, const char *text, struct slice *before, struct slice *behind)
{
	struct slice found = text_find(s, text);

	if (found.len == 0 || found.len == s.len)
		return false;
	*before = slice_make(s.ptr, s.len - found.len);
	*behind = skip(found, strlen(text));
	return true;
}

static bool is_nfs(struct slice fstype)
{
	return slice_equal(fstype, slice_of_string("nfs")) ||
	       slice_equal(fstype, slice_of_string("nfs4"));
}

/* "server:/export"; IPv6 addresses with or without brackets. */
static bool take_device(struct slice device, struct mount_fact *out)
{
	struct slice server;
	struct slice export;
	const uint8_t *colon;

	if (text_begins(device, "[") && split(skip(device, 1), "]:", &server, &export)) {
		out->server = server;
		out->export = export;
		return true;
	}
	if (split(device, ":/", &server, &export)) {
		out->server = server;
		out->export = skip(device, server.len + 1);
		return true;
	}
	colon = device.len ? memrchr(device.ptr, ':', device.len) : NULL;
	if (!colon || colon == device.ptr)
		return false;
	out->server = slice_make(device.ptr, (size_t)(colon - device.ptr));
	out->export = skip(device, out->server.len + 1);
	return true;
}

/* The first word, which is taken from *rest. */
static struct slice take_word(struct slice *rest)
{
	struct slice word = trim(*rest);
	size_t len = 0;

	while (len < word.len && !text_is_blank(word.ptr[len]))
		len++;
	*rest = skip(word, len);
	word.len = len;
	return word;
}

/* "srv:/data on /mnt type nfs4 (rw,...)". */
static bool parse_mount(struct slice line, struct mount_fact *out)
{
	struct slice device;
	struct slice rest;

	if (!split(line, " on ", &device, &rest) ||
	    !split(rest, " type nfs", &out->mount_point, &rest) ||
	    !text_begins(out->mount_point, "/") || !take_device(device, out))
		return false;
	out->fstype = text_begins(rest, "4") ? slice_of_string("nfs4") : slice_of_string("nfs");
	if (text_begins(rest, "4"))
		rest = skip(rest, 1);
	if (!text_begins(rest, " ("))
		return false;
	out->options = skip(rest, 2);
	if (out->options.len && out->options.ptr[out->options.len - 1] == ')')
		out->options.len--;
	return true;
}

/* "device srv:/data mounted on /mnt with fstype nfs statvers=1.1". */
static bool parse_mountstats(struct slice line, struct mount_fact *out)
{
	struct slice device;
	struct slice rest;

	if (!text_begins(line, "device ") ||
	    !split(skip(line, strlen("device ")), " mounted on ", &device, &rest) ||
	    !split(rest, " with fstype ", &out->mount_point, &rest))
		return false;
	out->fstype = take_word(&rest);
	return is_nfs(out->fstype) && take_device(device, out);
}

/* "/mnt from srv:/data" of nfsstat. */
static bool parse_nfsstat(struct slice line, struct mount_fact *out)
{
	struct slice rest;

	return text_begins(line, "/") && split(line, " from ", &out->mount_point, &rest) &&
	       !memchr(rest.ptr, ' ', rest.len) && take_device(rest, out);
}

/* "srv:/data /mnt nfs4 rw,... 0 0" of /proc/mounts and fstab. */
static bool parse_fields(struct slice line, struct mount_fact *out)
{
	struct slice fields[FIELDS_MAX + 1];
	size_t count = 0;

	if (text_begins(line, "#"))
		return false;
	for (struct slice rest = line; count <= FIELDS_MAX; count++) {
		fields[count] = take_word(&rest);
		if (fields[count].len == 0)
			break;
	}
	if (count <= FIELD_OPTIONS || count > FIELDS_MAX || !is_nfs(fields[FIELD_TYPE]) ||
	    !text_begins(fields[FIELD_POINT], "/"))
		return false;
	out->mount_point = fields[FIELD_POINT];
	out->fstype = fields[FIELD_TYPE];
	out->options = fields[FIELD_OPTIONS];
	return take_device(fields[FIELD_DEVICE], out);
}

/* "36 35 0:40 / /mnt rw,relatime shared:1 - nfs4 srv:/data rw,vers=4.2,..." of mountinfo. */
static bool parse_mountinfo(struct slice line, struct mount_fact *out)
{
	enum { FIELDS_BEFORE_POINT = 4 };
	struct slice rest;
	struct slice left;

	if (!split(line, " - nfs", &left, &rest))
		return false;
	rest = skip(line, left.len + strlen(" - "));
	out->fstype = take_word(&rest);
	if (!is_nfs(out->fstype) || !take_device(take_word(&rest), out))
		return false;
	out->options = take_word(&rest);
	for (size_t i = 0; i <= FIELDS_BEFORE_POINT; i++)
		out->mount_point = take_word(&left);
	return text_begins(out->mount_point, "/") && out->options.len;
}

static bool is_word(struct slice word, const char *name)
{
	return slice_equal(word, slice_of_string(name));
}

static bool tells_version(struct slice options)
{
	return mount_option_value(options, "vers").len ||
	       mount_option_value(options, "nfsvers").len;
}

/* "mount -t nfs -o vers=3,hard srv:/data /mnt", at a prompt or without, perhaps with a remark. */
static bool parse_command(struct slice line, struct mount_fact *out)
{
	struct slice word = take_word(&line);

	while (is_word(word, "#") || is_word(word, "$") || is_word(word, "sudo"))
		word = take_word(&line);
	if (!is_word(word, "mount") && !is_word(word, "mount.nfs") && !is_word(word, "mount.nfs4"))
		return false;
	for (word = take_word(&line); word.len && !out->server.len; word = take_word(&line)) {
		if (is_word(word, "-t") || is_word(word, "--types")) {
			out->fstype = take_word(&line);
			if (!is_nfs(out->fstype))
				return false;
		} else if (is_word(word, "-o") || is_word(word, "--options")) {
			out->options = take_word(&line);
		} else if (!text_begins(word, "-") && !take_device(word, out)) {
			return false;
		}
	}
	out->mount_point = word;
	return out->options.len && text_begins(out->mount_point, "/") &&
	       (out->fstype.len || tells_version(out->options));
}

/*
 * "(rw,relatime,vers=4.2,...,addr=...)", with or without the brackets: what a ticket quotes of a
 * mount, without saying of which. What no other file system has must be in it.
 */
static bool parse_bare(struct slice line, struct mount_fact *out)
{
	static const char *const own[] = {"rsize", "wsize",      "timeo",
					  "proto", "clientaddr", "local_lock"};
	size_t found = 0;

	if (text_begins(line, "(") && line.ptr[line.len - 1] == ')')
		line = slice_make(line.ptr + 1, line.len - 2);
	if ((!text_begins(line, "rw,") && !text_begins(line, "ro,")) ||
	    memchr(line.ptr, ' ', line.len) != NULL || !tells_version(line))
		return false;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		found += mount_option_value(line, own[i]).len != 0;
	out->options = line;
	return found >= 2;
}

/*
 * All but these name the file system's type: commands at a prompt, options alone, and the head of a
 * mount that nfsstat writes. Each line of a text is looked at.
 */
static bool may_tell_mount(struct slice line)
{
	return (line.len && memchr("#$sm(r/", line.ptr[0], 7)) || text_holds(line, "nfs");
}

enum mount_line_kind mount_line_parse(struct slice line, struct mount_fact *out)
{
	static bool (*const whole[])(struct slice, struct mount_fact *) = {
		parse_mount, parse_fields, parse_mountinfo, parse_command, parse_bare};
	static bool (*const device[])(struct slice, struct mount_fact *) = {parse_mountstats,
									    parse_nfsstat};
	static const char *const options[] = {"Flags:", "opts:"};

	line = trim(line);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (text_begins(line, options[i])) {
			*out = (struct mount_fact){.options = trim(skip(line, strlen(options[i])))};
			return out->options.len ? MOUNT_LINE_OPTIONS : MOUNT_LINE_OTHER;
		}
	}
	if (!may_tell_mount(line)) {
		*out = (struct mount_fact){.options = slice_make(NULL, 0)};
		return MOUNT_LINE_OTHER;
	}
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		*out = (struct mount_fact){.options = slice_make(NULL, 0)};
		if (whole[i](line, out))
			return MOUNT_LINE_WHOLE;
	}
	for (size_t i = 0; i < sizeof(device) / sizeof(device[0]); i++) {
		*out = (struct mount_fact){.options = slice_make(NULL, 0)};
		if (device[i](line, out))
			return MOUNT_LINE_DEVICE;
	}
	return MOUNT_LINE_OTHER;
}

struct slice mount_option_value(struct slice options, const char *name)
{
	size_t len = strlen(name);

	while (options.len) {
		const uint8_t *comma = memchr(options.ptr, ',', options.len);
		size_t item = comma ? (size_t)(comma - options.ptr) : options.len;

		if (item > len && options.ptr[len] == '=' && memcmp(options.ptr, name, len) == 0)
			return slice_make(options.ptr + len + 1, item - len - 1);
		options = skip(options, item + (comma != NULL));
	}
	return slice_make(NULL, 0);
}

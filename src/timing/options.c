// SPDX-License-Identifier: GPL-2.0-or-later
/* See options.h. Names and values as in nfs(5) and fs/nfs/super.c, nfs_show_mount_options. */
#include "timing/options.h"

#include <string.h>

#define MINOR_UNKNOWN UINT32_MAX /* the options do not tell it */

enum { VERS_MIN = 2, VERS_MAX = 4, NUMBER_MAX = 1000000 };

static bool slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

/* A whole number of at most six digits; false when it is none. */
static bool number_parse(struct slice s, uint32_t *out)
{
	uint32_t value = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		value = value * 10 + (uint32_t)(s.ptr[i] - '0');
		if (value > NUMBER_MAX)
			return false;
	}
	*out = value;
	return true;
}

/* "3", "4", "4.2". */
static bool version_parse(struct slice s, struct timing_options *o)
{
	const uint8_t *dot = s.len ? memchr(s.ptr, '.', s.len) : NULL;
	size_t len = dot ? (size_t)(dot - s.ptr) : s.len;
	uint32_t vers;
	uint32_t minor = MINOR_UNKNOWN;

	if (!number_parse(slice_make(s.ptr, len), &vers) || vers < VERS_MIN || vers > VERS_MAX)
		return false;
	if (dot && !number_parse(slice_make(dot + 1, s.len - len - 1), &minor))
		return false;
	o->vers = vers;
	o->minor = minor;
	o->has_vers = true;
	return true;
}

static bool transport_parse(struct slice s, struct timing_options *o)
{
	static const struct {
		const char *name;
		enum timing_transport transport;
	} rows[] = {
		{"tcp", TIMING_TCP},  {"tcp6", TIMING_TCP},  {"udp", TIMING_UDP},
		{"udp6", TIMING_UDP}, {"rdma", TIMING_RDMA}, {"rdma6", TIMING_RDMA},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (slice_is(s, rows[i].name)) {
			o->proto = rows[i].transport;
			o->has_proto = true;
			return true;
		}
	}
	return false;
}

/* A word without a value; true when it is one of ours. */
static bool flag_take(struct slice word, struct timing_options *o)
{
	static const struct {
		const char *name;
		enum timing_failure failure;
	} failures[] = {{"hard", TIMING_HARD}, {"soft", TIMING_SOFT}, {"softerr", TIMING_SOFTERR}};

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (slice_is(word, failures[i].name)) {
			o->failure = failures[i].failure;
			o->has_failure = true;
			return true;
		}
	}
	if (slice_is(word, "nfs4"))
		return version_parse(slice_of_string("4"), o);
	if (slice_is(word, "tcp") || slice_is(word, "udp") || slice_is(word, "rdma"))
		return transport_parse(word, o);
	/* mount.nfs takes "v3", "v4.1" for "vers=". */
	if (word.len > 1 && word.ptr[0] == 'v')
		return version_parse(slice_make(word.ptr + 1, word.len - 1), o);
	return false;
}

static struct err *value_wrong(struct slice name, struct slice value, const char *want)
{
	return err_new("%.*s=%.*s: it must be %s", (int)name.len, (const char *)name.ptr,
		       (int)value.len, (const char *)value.ptr, want);
}

static struct err *value_take(struct slice name, struct slice value, struct timing_options *o)
{
	if (slice_is(name, "vers") || slice_is(name, "nfsvers")) {
		if (!version_parse(value, o))
			return value_wrong(name, value, "2, 3, 4 or 4.N");
	} else if (slice_is(name, "proto")) {
		if (!transport_parse(value, o))
			return value_wrong(name, value, "tcp, udp or rdma");
	} else if (slice_is(name, "timeo")) {
		if (!number_parse(value, &o->timeo_ds))
			return value_wrong(name, value, "tenths of a second");
		o->has_timeo = true;
	} else if (slice_is(name, "retrans")) {
		if (!number_parse(value, &o->retrans))
			return value_wrong(name, value, "a number");
		o->has_retrans = true;
	} else if (slice_is(name, "nlm_timeout")) {
		/* fs/lockd/svc.c, nlm_timeout_min and nlm_timeout_max. */
		if (!number_parse(value, &o->nlm_timeout_s) || o->nlm_timeout_s < 3 ||
		    o->nlm_timeout_s > 20)
			return value_wrong(name, value, "3 to 20 seconds");
		o->has_nlm_timeout = true;
	} else {
		return NULL;
	}
	o->known++;
	return NULL;
}

static struct err *word_take(struct slice word, struct timing_options *o)
{
	const uint8_t *equals = memchr(word.ptr, '=', word.len);
	size_t len;

	if (!equals) {
		o->known += flag_take(word, o);
		return NULL;
	}
	len = (size_t)(equals - word.ptr);
	return value_take(slice_make(word.ptr, len), slice_make(equals + 1, word.len - len - 1), o);
}

static bool is_separator(uint8_t c)
{
	return c <= ' ' || c == ',' || c == ';' || c == '(' || c == ')' || c == '"' || c == '\'' ||
	       c == '[' || c == ']';
}

struct err *timing_options_parse(struct slice text, struct timing_options *out)
{
	struct timing_options o = {.vers = VERS_MAX, .minor = MINOR_UNKNOWN};
	size_t len = text.len < TIMING_OPTIONS_BYTES_MAX ? text.len : TIMING_OPTIONS_BYTES_MAX;

	for (size_t at = 0; at < len;) {
		size_t start = at;
		struct err *err;

		while (at < len && !is_separator(text.ptr[at]))
			at++;
		err = at > start ? word_take(slice_make(text.ptr + start, at - start), &o) : NULL;
		if (err)
			return err;
		at += at == start;
	}
	*out = o;
	return NULL;
}

const char *timing_transport_name(enum timing_transport transport)
{
	static const char *const names[] = {
		[TIMING_TCP] = "tcp", [TIMING_UDP] = "udp", [TIMING_RDMA] = "rdma"};

	return names[transport];
}

const char *timing_failure_name(enum timing_failure failure)
{
	static const char *const names[] = {
		[TIMING_HARD] = "hard", [TIMING_SOFT] = "soft", [TIMING_SOFTERR] = "softerr"};

	return names[failure];
}

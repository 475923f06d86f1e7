// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of a log, each in an object of JSON with the time at which it was taken down: docker's
 * json-file ("log", "time"), Loki's logcli -o jsonl ("line", "timestamp"), fluentd, fluent-bit and
 * the like ("message", "@timestamp", "date"). A line that has a head of its own keeps it. One that
 * has none is the kernel's if the object says so, or if it begins as only the kernel's begin.
 */
#include "evidence/klog/klog_private.h"
#include "evidence/text_scan.h"

enum {
	WRAPPED_PEEK_BYTES = 16 << 10,
	WRAPPED_NAME_BYTES = 128,
	UNIX_SECONDS_DIGITS = 10,
	UNIX_DIGITS_MAX = 19,
};

/* What is kept of one object. */
struct wrapped {
	struct klog_value text;
	bool has_text, has_time, kernel;
	struct klog_head time;
	uint8_t host[WRAPPED_NAME_BYTES];
	size_t host_len;
};

static const char *const text_names[] = {"log", "message", "MESSAGE", "line", "msg", NULL};
static const char *const time_names[] = {"time", "ts", "timestamp", "@timestamp", "date", NULL};
static const char *const host_names[] = {"host", "hostname", "node_name", "_HOSTNAME", NULL};
static const char *const ident_names[] = {
	"ident",    "program",    "appname", "syslog_identifier", "transport", "SYSLOG_IDENTIFIER",
	"facility", "_TRANSPORT", NULL};

static bool is_of(struct slice name, const char *const *names)
{
	for (; *names; names++)
		if (slice_equal(name, slice_of_string(*names)))
			return true;
	return false;
}

/* Seconds since 1970 with decimals, or milli-, micro- or nanoseconds, by how many digits there are.
 */
static bool unix_time(struct slice text, struct klog_head *out)
{
	int64_t ns = 0;
	unsigned digits = 0;
	bool dot = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (c == '.' && !dot && digits == UNIX_SECONDS_DIGITS) {
			dot = true;
			continue;
		}
		if (!text_is_digit(c))
			return false;
		if (digits < UNIX_DIGITS_MAX - 1) /* the last would not always fit */
			ns = ns * 10 + (c - '0');
		digits++;
	}
	if (!dot && digits != 10 && digits != 13 && digits != 16 && digits != 19)
		return false;
	if (digits < UNIX_SECONDS_DIGITS || text.ptr[0] == '9') /* beyond 64 bits of nanoseconds */
		return false;
	if (digits >= UNIX_DIGITS_MAX)
		ns *= 10;
	for (unsigned i = digits; i < UNIX_DIGITS_MAX; i++)
		ns *= 10;
	*out = (struct klog_head){.wall = KLOG_WALL_UTC, .whole_seconds = digits == 10};
	out->date = (struct klog_date){.year = 1970, .month = 1, .day = 1, .ns_of_day = ns};
	return true;
}

static void take_time(struct wrapped *w, struct slice value)
{
	struct klog_head head;

	if (!w->has_time && (unix_time(value, &head) || klog_stamp_parse(value, &head))) {
		w->time = head;
		w->has_time = true;
	}
}

/* What stands at the top of the object is its own; labels may stand deeper. */
static void take_member(struct wrapped *w, struct slice name, const struct klog_value *v,
			unsigned depth)
{
	struct slice value = slice_make(v->bytes, v->len);

	if (depth == 1 && !w->has_text && is_of(name, text_names)) {
		w->text.len = v->len;
		memcpy(w->text.bytes, v->bytes, v->len);
		w->has_text = true;
	} else if (depth == 1 && is_of(name, time_names)) {
		take_time(w, value);
	} else if (is_of(name, ident_names)) {
		w->kernel |= slice_equal(value, slice_of_string("kernel")) ||
			     slice_equal(value, slice_of_string("kern"));
	} else if (v->len && v->len <= sizeof(w->host) && is_of(name, host_names)) {
		w->host_len = v->len;
		memcpy(w->host, v->bytes, v->len);
	}
}

/* A number as its text. */
static void take_number(struct slice *rest, struct klog_value *v)
{
	v->len = 0;
	while (rest->len && (text_is_digit(rest->ptr[0]) || rest->ptr[0] == '.')) {
		if (v->len < sizeof(v->bytes))
			v->bytes[v->len++] = rest->ptr[0];
		*rest = text_after(*rest, 1);
	}
}

static void take_object(struct wrapped *w, struct slice line)
{
	struct klog_value name, value; /* of 8 KB, of which only what is there is touched */
	unsigned depth = 0;

	w->text.len = w->host_len = 0;
	w->has_text = w->has_time = w->kernel = false;
	while (line.len) {
		uint8_t c = line.ptr[0];

		line = text_after(line, 1);
		depth += c == '{' || c == '[';
		if ((c == '}' || c == ']') && depth)
			depth--;
		if (c != '"')
			continue;
		klog_json_text(&line, &name);
		line = text_trim(line);
		if (!text_begins(line, ":"))
			continue;
		line = text_trim(text_after(line, 1));
		if (text_begins(line, "\"")) {
			line = text_after(line, 1);
			klog_json_text(&line, &value);
		} else if (line.len && text_is_digit(line.ptr[0])) {
			take_number(&line, &value);
		} else {
			continue;
		}
		take_member(w, slice_make(name.bytes, name.len), &value, depth);
	}
}

bool klog_wrapped_may_hold(struct source *source)
{
	struct slice head = source_peek(source, WRAPPED_PEEK_BYTES);
	struct wrapped w;
	const uint8_t *end;

	if (head.len > WRAPPED_PEEK_BYTES)
		head.len = WRAPPED_PEEK_BYTES;
	head = text_trim(head);
	end = head.len ? memchr(head.ptr, '\n', head.len) : NULL;
	if (end)
		head.len = (size_t)(end - head.ptr);
	while (head.len && head.ptr[head.len - 1] == '\r')
		head.len--;
	if (!text_begins(head, "{") || head.ptr[head.len - 1] != '}')
		return false;
	take_object(&w, head);
	return w.has_text && w.has_time;
}

/* Words with which messages of NFS and what it needs begin, and hardly a program's. */
static bool begins_as_kernel(struct slice text)
{
	static const char *const words[] = {
		"nfs: ",   "NFS: ",   "nfs4: ", "NFSv4: ", "NFSD: ",     "nfsd: ",
		"lockd: ", "statd: ", "RPC: ",  "svc: ",   "INFO: task "};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_begins(text, words[i]))
			return true;
	return false;
}

struct slice klog_wrapped_take(struct klog *k, struct slice line, struct klog_head *head,
			       bool *timed)
{
	struct wrapped w;
	const uint8_t *end;

	take_object(&w, line);
	*timed = false;
	if (!w.has_text || w.text.len == 0)
		return slice_make(NULL, 0);
	end = memchr(w.text.bytes, '\n', w.text.len); /* of several lines the first */
	if (end)
		w.text.len = (size_t)(end - w.text.bytes);
	memcpy(k->bytes, w.text.bytes, w.text.len);
	line = klog_text_clean(k->bytes, w.text.len);
	if (w.has_time) {
		*timed = true;
		*head = w.time;
		head->kernel = w.kernel || begins_as_kernel(line);
		memcpy(k->bytes + KLOG_MESSAGE_BYTES_MAX, w.host, w.host_len);
		head->host = slice_make(k->bytes + KLOG_MESSAGE_BYTES_MAX, w.host_len);
	}
	return line;
}

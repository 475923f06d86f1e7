// SPDX-License-Identifier: GPL-2.0-or-later
/* See hostclock.h. */
#include "evidence/hostclock.h"

#include <string.h>

#include "evidence/klog/klog_head.h"

enum {
	READ_BYTES_MAX = 16 << 10, /* of a text that is looked at */
	LINE_BYTES_MAX = 256,
	LINES_APART_MAX = 8,      /* between a date and an uptime that were taken together */
	SECONDS_MAX = 2000000000, /* of an uptime, or since 1970 */
	MINUTE_S = 60,
	HOUR_S = 3600,
	DAY_S = 86400,
};

/* The two commands ran one after the other, and a date may be told in whole seconds. */
#define TAKEN_APART_NS STAMP_NS_PER_S

/*
 * The clock of a kernel log (sched_clock) is not disciplined as the system's clock is: a part in
 * ten thousand is what a counter that was measured at boot may be off.
 */
enum { DRIFT_PARTS = 10000 };

/* A reader of one line: all functions leave it where it was when they fail. */
struct line_cursor {
	const char *at;
};

static bool skip_word(struct line_cursor *c, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

static void skip_blanks(struct line_cursor *c)
{
	while (*c->at == ' ' || *c->at == '\t')
		c->at++;
}

/* Up to 10 digits. */
static bool take_number(struct line_cursor *c, int64_t *out)
{
	int64_t n = 0;
	int digits = 0;

	for (; c->at[digits] >= '0' && c->at[digits] <= '9'; digits++) {
		if (digits == 10)
			return false;
		n = n * 10 + (c->at[digits] - '0');
	}
	c->at += digits;
	*out = n;
	return digits > 0;
}

/* "12.34": seconds with a fraction, or whole ones. */
static bool take_seconds(struct line_cursor *c, int64_t *ns)
{
	int64_t scale = STAMP_NS_PER_S / 10;

	if (!take_number(c, ns) || *ns > SECONDS_MAX)
		return false;
	*ns *= STAMP_NS_PER_S;
	if (*c->at != '.')
		return true;
	for (c->at++; *c->at >= '0' && *c->at <= '9'; c->at++, scale /= 10)
		*ns += (*c->at - '0') * scale;
	return true;
}

/* "02:10:31", "02:10" */
static bool take_clock(struct line_cursor *c, int64_t *seconds, bool *has_seconds)
{
	struct line_cursor at = *c;
	int64_t hour, minute, second = 0;

	if (!take_number(&at, &hour) || !skip_word(&at, ":") || !take_number(&at, &minute))
		return false;
	*has_seconds = skip_word(&at, ":");
	if ((*has_seconds && !take_number(&at, &second)) || minute > 59 || second > 60)
		return false;
	*seconds = hour * HOUR_S + minute * MINUTE_S + second;
	*c = at;
	return true;
}

/* "45.45 33.82" and nothing else: /proc/uptime. */
static bool is_proc_uptime(const char *line, int64_t *uptime_ns)
{
	struct line_cursor c = {line};
	int64_t up_ns, idle_ns;

	if (!take_seconds(&c, &up_ns) || c.at - line < 4 || c.at[-3] != '.' ||
	    !skip_word(&c, " ") || !take_seconds(&c, &idle_ns) || c.at[-3] != '.' || *c.at != '\0')
		return false;
	*uptime_ns = up_ns;
	return true;
}

/* " 02:10:31 up 1 day,  2:03,  2 users,  load average: ...": whole minutes. */
static bool is_uptime_command(const char *line, int64_t *uptime_ns)
{
	const char *up = strstr(line, " up ");
	struct line_cursor c = {up ? up + 4 : line};
	int64_t n, part, seconds = 0;
	bool has_seconds;

	if (!up || !strstr(up, "load average"))
		return false;
	skip_blanks(&c);
	if (take_number(&c, &n) && skip_word(&c, " day")) {
		seconds = n * DAY_S;
		skip_word(&c, "s");
		if (!skip_word(&c, ","))
			return false;
	} else {
		c.at = up + 4;
	}
	skip_blanks(&c);
	if (take_clock(&c, &part, &has_seconds))
		seconds += part;
	else if (take_number(&c, &part) && skip_word(&c, " min"))
		seconds += part * MINUTE_S;
	else
		return false;
	*uptime_ns = seconds * STAMP_NS_PER_S;
	return true;
}

static bool take_month(struct line_cursor *c, int32_t *month)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (strncmp(c->at, months + 3 * i, 3) == 0) {
			c->at += 3;
			*month = i + 1;
			return true;
		}
	return false;
}

static bool skip_weekday(struct line_cursor *c)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
		if (skip_word(c, days[i]))
			return true;
	return false;
}

/* A zone that says what it is; names of places' zones do not. */
static bool take_zone(struct line_cursor *c, int64_t *zone_s)
{
	struct slice rest = slice_make(c->at, strlen(c->at));
	size_t len;

	*zone_s = 0;
	if (skip_word(c, "GMT"))
		return true;
	len = klog_zone_parse(rest, zone_s);
	c->at += len;
	return len > 0;
}

/* The time of a day, with AM and PM if they are there. */
static bool take_time_of_day(struct line_cursor *c, struct klog_date *date)
{
	int64_t seconds;
	bool has_seconds;

	if (!take_clock(c, &seconds, &has_seconds) || !has_seconds || seconds > DAY_S)
		return false;
	skip_blanks(c);
	if (skip_word(c, "AM"))
		seconds %= DAY_S / 2;
	else if (skip_word(c, "PM"))
		seconds = seconds % (DAY_S / 2) + DAY_S / 2;
	skip_blanks(c);
	date->ns_of_day = seconds * STAMP_NS_PER_S;
	return true;
}

static bool date_make(const struct klog_date *date, int64_t day, int64_t year, int64_t zone_s,
		      const struct line_cursor *end, int64_t *ns)
{
	struct klog_date d = *date;

	if (*end->at != '\0' || day < 1 || day > 31 || year < 1970 || year > 2199)
		return false;
	d.day = (int32_t)day;
	*ns = klog_date_ns(&d, (int32_t)year) - zone_s * STAMP_NS_PER_S;
	return true;
}

/* "Sun Nov 22 02:10:31 UTC 2026", "Sun Nov 22 02:10:31 AM UTC 2026" */
static bool is_date_classic(const char *line, int64_t *ns)
{
	struct line_cursor c = {line};
	struct klog_date date = {0};
	int64_t day, year, zone_s;

	if (!skip_weekday(&c))
		return false;
	skip_blanks(&c);
	if (!take_month(&c, &date.month))
		return false;
	skip_blanks(&c);
	if (!take_number(&c, &day))
		return false;
	skip_blanks(&c);
	if (!take_time_of_day(&c, &date) || !take_zone(&c, &zone_s))
		return false;
	skip_blanks(&c);
	return take_number(&c, &year) && date_make(&date, day, year, zone_s, &c, ns);
}

/* "Sun, 22 Nov 2026 02:10:31 +0000", "Sun 22 Nov 2026 02:10:31 AM UTC" */
static bool is_date_of_day_first(const char *line, int64_t *ns)
{
	struct line_cursor c = {line};
	struct klog_date date = {0};
	int64_t day, year, zone_s;

	if (!skip_weekday(&c))
		return false;
	skip_word(&c, ",");
	skip_blanks(&c);
	if (!take_number(&c, &day))
		return false;
	skip_blanks(&c);
	if (!take_month(&c, &date.month))
		return false;
	skip_blanks(&c);
	if (!take_number(&c, &year))
		return false;
	skip_blanks(&c);
	return take_time_of_day(&c, &date) && take_zone(&c, &zone_s) &&
	       date_make(&date, day, year, zone_s, &c, ns);
}

/* "2026-11-22T02:10:31.096373606Z", "1795313431" */
static bool is_date_of_numbers(const char *line, int64_t *ns)
{
	struct klog_head h;
	struct line_cursor c = {line};

	if (strlen(line) >= 10 && line[4] == '-' && klog_stamp_parse(slice_of_string(line), &h)) {
		*ns = klog_date_ns(&h.date, h.date.year) - h.zone_s * STAMP_NS_PER_S;
		return h.wall == KLOG_WALL_UTC;
	}
	return take_seconds(&c, ns) && *c.at == '\0' && *ns > 1000000000 * STAMP_NS_PER_S;
}

static bool is_date(const char *line, int64_t *ns)
{
	return is_date_classic(line, ns) || is_date_of_day_first(line, ns) ||
	       is_date_of_numbers(line, ns);
}

/* What was found in the lines so far. */
struct found {
	unsigned dates, uptimes;
	uint64_t date_line, uptime_line;
	int64_t date_ns, uptime_ns, step_ns;
};

static void line_take(void *context, uint64_t number, const char *line)
{
	struct found *f = context;
	bool exact;
	int64_t ns;

	exact = is_proc_uptime(line, &ns);
	if (exact || is_uptime_command(line, &ns)) {
		f->step_ns = exact ? 0 : MINUTE_S * STAMP_NS_PER_S;
		f->uptimes++;
		f->uptime_line = number;
		f->uptime_ns = ns;
	} else if (is_date(line, &ns)) {
		f->dates++;
		f->date_line = number;
		f->date_ns = ns;
	}
}

/* Hands on each line that is no longer than one of these is, terminated, without what ends it. */
static void each_line(struct source *source,
		      void (*take)(void *context, uint64_t number, const char *line), void *context)
{
	struct slice text = source_peek(source, READ_BYTES_MAX);
	char line[LINE_BYTES_MAX];
	uint64_t number = 0;

	if (text.len > READ_BYTES_MAX)
		text.len = READ_BYTES_MAX;
	while (text.len) {
		const uint8_t *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) : text.len;
		size_t kept = len;

		number++;
		while (kept > 0 && (text.ptr[kept - 1] == '\r' || text.ptr[kept - 1] == ' '))
			kept--;
		if (kept > 0 && kept < sizeof(line)) {
			memcpy(line, text.ptr, kept);
			line[kept] = '\0';
			take(context, number, line);
		}
		text = slice_make(text.ptr + len, text.len - len);
		if (end)
			text = slice_make(text.ptr + 1, text.len - 1);
	}
}

bool hostclock_read(struct source *source, struct hostclock *out)
{
	struct found f = {0};
	uint64_t apart;

	each_line(source, line_take, &f);
	if (f.dates != 1 || f.uptimes != 1)
		return false;
	apart = f.date_line > f.uptime_line ? f.date_line - f.uptime_line
					    : f.uptime_line - f.date_line;
	if (apart > LINES_APART_MAX)
		return false;
	*out = (struct hostclock){
		.at = stamp_utc(f.date_ns),
		.line = f.date_line,
		.uptime_ns = f.uptime_ns + f.step_ns / 2,
		.error_ns = TAKEN_APART_NS + f.step_ns / 2 + f.uptime_ns / DRIFT_PARTS,
	};
	out->boot_ns = f.date_ns - out->uptime_ns;
	return true;
}

/* What was found of names. */
struct names {
	char name[HOSTCLOCK_NAME_BYTES];
	unsigned different;
	uint64_t uptime_line; /* 0: none yet */
};

/* Bytes of a host's name at the beginning of the text; 0: there is none. */
static size_t name_bytes(const char *text)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	size_t no_letters = strspn(text, "0123456789._-");

	return len < HOSTCLOCK_NAME_BYTES && len > no_letters && text[0] != '-' && text[0] != '.'
		       ? len
		       : 0;
}

static void name_found(struct names *n, const char *name, size_t len)
{
	if (n->different && strlen(n->name) == len && memcmp(n->name, name, len) == 0)
		return;
	n->different++;
	memcpy(n->name, name, len);
	n->name[len] = '\0';
}

static void name_take(void *context, uint64_t number, const char *line)
{
	struct names *n = context;
	struct line_cursor c = {line};
	int64_t ns, release;
	size_t len;

	if (is_proc_uptime(line, &ns)) {
		n->uptime_line = number;
		return;
	}
	len = name_bytes(line);
	if (len && line[len] == '\0' && n->uptime_line && number == n->uptime_line + 1)
		name_found(n, line, len);
	if (!skip_word(&c, "Linux "))
		return;
	len = name_bytes(c.at);
	line = c.at;
	c.at += len;
	/* /proc/version has "version" in its place. */
	if (len && !(len == 7 && strncmp(line, "version", len) == 0) && skip_word(&c, " ") &&
	    take_number(&c, &release) && skip_word(&c, ".") && strstr(c.at, " #"))
		name_found(n, line, len);
}

bool hostclock_read_name(struct source *source, char name[HOSTCLOCK_NAME_BYTES])
{
	struct names n = {0};

	each_line(source, name_take, &n);
	if (n.different != 1)
		return false;
	memcpy(name, n.name, HOSTCLOCK_NAME_BYTES);
	return true;
}

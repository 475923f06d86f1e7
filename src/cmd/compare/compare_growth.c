// SPDX-License-Identifier: GPL-2.0-or-later
/* See compare_growth.h. Least squares over logarithms: log s = c + p1 log x + p2 log y. */
#include "cmd/compare/compare_growth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { UNKNOWNS = GROWTH_SIZES_MAX + 1, TABLE_BYTES_MAX = 1 << 20, FIELDS_MAX = 3 };

#define POWER_NONE_MAX 0.25 /* hardly grows */

/* Sums for the normal equations. */
struct sums {
	double a[UNKNOWNS][UNKNOWNS], b[UNKNOWNS];
	double s, ss;
	size_t rows;
};

/* Takes the next field off a line: up to blanks, tabs, commas and semicolons; false: none. */
static bool next_field(struct slice *line, char field[GROWTH_NAME_BYTES])
{
	size_t at = 0, len = 0;

	while (at < line->len && strchr(" \t,;|\r", line->ptr[at]))
		at++;
	while (at + len < line->len && line->ptr[at + len] &&
	       !strchr(" \t,;|\r", line->ptr[at + len]))
		len++;
	if (len == 0)
		return false;
	snprintf(field, GROWTH_NAME_BYTES, "%.*s", (int)len, (const char *)line->ptr + at);
	*line = slice_make(line->ptr + at + len, line->len - at - len);
	return true;
}

/* Words that stand beside numbers and say nothing new. */
static bool is_unit(const char *field)
{
	static const char *const units[] = {"real", "s", "sec", "secs", "seconds"};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(field, units[i]) == 0)
			return true;
	return false;
}

/* Splits a line; the number of fields, without units where the line begins with a number. */
static size_t split(struct slice line, char fields[FIELDS_MAX + 1][GROWTH_NAME_BYTES])
{
	size_t count = 0;

	while (count <= FIELDS_MAX && next_field(&line, fields[count]))
		count += count == 0 || !strchr("0123456789.", fields[0][0]) ||
			 !is_unit(fields[count]);
	return count;
}

/*
 * "12.345", "850ms", "1m2.345s", "62.3s" and "1:02.345" as programs write a time, in seconds;
 * false: it is none, or is not above 0.
 */
static bool seconds_of(const char *text, double *out)
{
	double value = 0, part;
	char *end;

	for (unsigned colons = 0;; colons++, text = end + 1) {
		part = strtod(text, &end);
		if (end == text || part < 0 || !isfinite(part) || colons > 2)
			return false;
		value = value * 60 + part;
		if (*end != ':')
			break;
	}
	if (strcmp(end, "ms") == 0) {
		*out = value / 1000;
		return value > 0;
	}
	if (*end == 'm') {
		text = end + 1;
		part = strtod(text, &end);
		if (end == text || part < 0 || !isfinite(part))
			return false;
		value = value * 60 + part;
	}
	*out = value;
	return (strcmp(end, "s") == 0 || strcmp(end, "elapsed") == 0 || *end == '\0') && value > 0;
}

/* Sizes, which are numbers above 0, and behind them the time; false: one is none. */
static bool numbers(char fields[FIELDS_MAX + 1][GROWTH_NAME_BYTES], size_t count, double *out)
{
	for (size_t i = 0; i + 1 < count; i++) {
		char *end;

		out[i] = strtod(fields[i], &end);
		if (end == fields[i] || *end != '\0' || !(out[i] > 0) || !isfinite(out[i]))
			return false;
	}
	return count && seconds_of(fields[count - 1], &out[count - 1]);
}

static void take_row(struct growth *g, struct sums *sums, const double *row)
{
	double x[UNKNOWNS] = {1};
	double s = log(row[g->sizes]);

	for (size_t i = 0; i < g->sizes; i++) {
		x[i + 1] = log(row[i]);
		if (g->rows && row[i] != g->from[i])
			g->varies[i] = true;
		if (g->rows == 0 || row[i] < g->from[i])
			g->from[i] = row[i];
		if (g->rows == 0 || row[i] > g->to[i])
			g->to[i] = row[i];
	}
	for (size_t i = 0; i < UNKNOWNS; i++) {
		for (size_t k = 0; k < UNKNOWNS; k++)
			sums->a[i][k] += x[i] * x[k];
		sums->b[i] += x[i] * s;
	}
	sums->s += s;
	sums->ss += s * s;
	g->rows++;
}

static void swap_rows(double *a, double *b)
{
	for (size_t i = 0; i <= UNKNOWNS; i++) {
		double t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

/* Gauss; what does not vary is left at 0. False: the rest cannot be told apart. */
static bool solve(const struct growth *g, const struct sums *sums, double *out)
{
	double m[UNKNOWNS][UNKNOWNS + 1] = {0};

	for (size_t i = 0; i < UNKNOWNS; i++) {
		bool used = i == 0 || (i <= g->sizes && g->varies[i - 1]);

		for (size_t k = 0; used && k < UNKNOWNS; k++)
			if (k == 0 || (k <= g->sizes && g->varies[k - 1]))
				m[i][k] = sums->a[i][k];
		m[i][UNKNOWNS] = used ? sums->b[i] : 0;
		if (!used)
			m[i][i] = 1;
	}
	for (size_t i = 0; i < UNKNOWNS; i++) {
		for (size_t k = i + 1; k < UNKNOWNS; k++)
			if (fabs(m[k][i]) > fabs(m[i][i]))
				swap_rows(m[i], m[k]);
		if (fabs(m[i][i]) < 1e-9)
			return false;
		for (size_t k = 0; k < UNKNOWNS; k++) {
			double f = m[k][i] / m[i][i];

			for (size_t n = i; k != i && n <= UNKNOWNS; n++)
				m[k][n] -= f * m[i][n];
		}
	}
	for (size_t i = 0; i < UNKNOWNS; i++)
		out[i] = m[i][UNKNOWNS] / m[i][i];
	return true;
}

static bool fit(struct growth *g, const struct sums *sums)
{
	double solution[UNKNOWNS], explained = 0, mean, total;

	if (!solve(g, sums, solution))
		return false;
	g->factor = exp(solution[0]);
	for (size_t i = 0; i < g->sizes; i++)
		g->power[i] = solution[i + 1];
	mean = sums->s / (double)g->rows;
	total = sums->ss - mean * sums->s;
	for (size_t i = 0; i < UNKNOWNS; i++)
		explained += solution[i] * sums->b[i];
	explained -= mean * sums->s;
	g->fit = total > 1e-12 ? explained / total : 1;
	return true;
}

static bool take_line(struct growth *g, struct sums *sums, struct slice line)
{
	char fields[FIELDS_MAX + 1][GROWTH_NAME_BYTES];
	double row[FIELDS_MAX + 1];
	size_t count;

	if (line.len == 0 || line.ptr[0] == '#')
		return true;
	count = split(line, fields);
	if (count == 0)
		return true;
	if (count < 2 || count > FIELDS_MAX || (g->sizes && count != g->sizes + 1))
		return false;
	if (!numbers(fields, count, row)) {
		/* Names of the columns may stand above them. */
		if (g->sizes)
			return false;
		for (size_t i = 0; i + 1 < count; i++)
			memcpy(g->names[i], fields[i], sizeof(g->names[i]));
		g->sizes = count - 1;
		return true;
	}
	g->sizes = count - 1;
	if (g->rows < GROWTH_ROWS_MAX)
		take_row(g, sums, row);
	return true;
}

/* What the lines above a time told. */
struct log_row {
	size_t sizes;
	double row[FIELDS_MAX];
	bool broken; /* rows with other numbers of sizes */
};

/* The numbers of a line that has one or two: "1000", "files=1000 processes=4", "1000 files". */
static void log_take_sizes(struct growth *g, struct log_row *now, struct slice line)
{
	double row[FIELDS_MAX];
	char names[FIELDS_MAX][GROWTH_NAME_BYTES] = {"x", "y"};
	char word[GROWTH_NAME_BYTES];
	size_t count = 0;

	while (count < FIELDS_MAX && next_field(&line, word)) {
		char *value = strchr(word, '=');
		char *end;

		value = value ? value + 1 : word;
		row[count] = strtod(value, &end);
		if (end == value || *end != '\0' || !(row[count] > 0) || !isfinite(row[count]))
			continue;
		if (value != word && count < GROWTH_SIZES_MAX)
			snprintf(names[count], GROWTH_NAME_BYTES, "%.*s", (int)(value - word - 1),
				 word);
		count++;
	}
	if (count == 0 || count > GROWTH_SIZES_MAX)
		return;
	memcpy(now->row, row, sizeof(row));
	now->sizes = count;
	if (g->rows == 0)
		memcpy(g->names, names, sizeof(g->names));
}

/*
 * The time of a line of `time`: "real 0m1.2s" of bash and POSIX, "0.00user 0.01system
 * 0:02.30elapsed 87%CPU" of GNU, "Elapsed (wall clock) time (h:mm:ss or m:ss): 0:02.30" of its -v,
 * "ls  0.00s user 0.01s system 96% cpu 2.300 total" of zsh. False: it is none.
 */
static bool time_of(struct slice line, double *out)
{
	char word[GROWTH_NAME_BYTES], before[GROWTH_NAME_BYTES] = "", first[GROWTH_NAME_BYTES] = "";
	size_t count = 0;

	for (; next_field(&line, word); count++) {
		size_t len = strlen(word);

		if (count == 0)
			memcpy(first, word, sizeof(first));
		if (count && strcmp(word, "total") == 0)
			return seconds_of(before, out);
		if (len > strlen("elapsed") &&
		    strcmp(word + len - strlen("elapsed"), "elapsed") == 0)
			return seconds_of(word, out);
		memcpy(before, word, sizeof(before));
	}
	if ((count == 2 && strcmp(first, "real") == 0) || strcmp(first, "Elapsed") == 0)
		return seconds_of(before, out);
	return false;
}

static bool is_other_time(struct slice line)
{
	char word[GROWTH_NAME_BYTES];

	return next_field(&line, word) && (strcmp(word, "user") == 0 || strcmp(word, "sys") == 0);
}

static void log_take_line(struct growth *g, struct sums *sums, struct log_row *now,
			  struct slice line)
{
	double seconds;

	if (is_other_time(line))
		return;
	if (!time_of(line, &seconds)) {
		log_take_sizes(g, now, line);
		return;
	}
	if (now->sizes == 0 || g->rows >= GROWTH_ROWS_MAX)
		return;
	now->broken |= g->rows && g->sizes != now->sizes;
	g->sizes = now->sizes;
	now->row[now->sizes] = seconds;
	if (!now->broken)
		take_row(g, sums, now->row);
	now->sizes = 0;
}

static bool growth_read_as(struct growth *g, struct slice text, bool log)
{
	struct log_row now = {0};
	struct sums sums = {0};
	size_t at = 0, varies = 0;

	*g = (struct growth){.names = {"x", "y"}};
	while (at < text.len) {
		const uint8_t *end = memchr(text.ptr + at, '\n', text.len - at);
		size_t len = end ? (size_t)(end - text.ptr) - at : text.len - at;
		struct slice line = slice_make(text.ptr + at, len);

		if (log)
			log_take_line(g, &sums, &now, line);
		else if (!take_line(g, &sums, line))
			return false;
		at += len + 1;
	}
	for (size_t i = 0; i < g->sizes; i++)
		varies += g->varies[i];
	return !now.broken && varies && g->rows >= varies + 2 && fit(g, &sums);
}

bool growth_read(struct growth *g, struct source *source)
{
	struct slice text = source_peek(source, TABLE_BYTES_MAX);

	if (text.len > TABLE_BYTES_MAX)
		text.len = TABLE_BYTES_MAX;
	return growth_read_as(g, text, false) || growth_read_as(g, text, true);
}

static const char *power_text(double power)
{
	if (power <= -POWER_NONE_MAX)
		return "falls";
	if (power < POWER_NONE_MAX)
		return "hardly depends on it";
	if (power < 0.75)
		return "grows more slowly than it";
	if (power <= 1.25)
		return "grows in proportion to it: each one costs the same";
	if (power < 1.75)
		return "grows faster than it";
	if (power <= 2.25)
		return "grows with its square: each one costs more, the more there are";
	return "grows much faster than it";
}

void growth_add_text(struct strbuf *out, const struct growth *g)
{
	strbuf_add_format(out, "%zu measurements. Time goes with", g->rows);
	for (size_t i = 0; i < g->sizes; i++) {
		strbuf_add_text(out, i ? " times " : " ");
		strbuf_add_safe(out, slice_of_string(g->names[i]));
		if (g->varies[i])
			strbuf_add_format(out, "^%.2f", g->power[i]);
		else
			strbuf_add_text(out, "^?");
	}
	strbuf_add_format(out, "; this explains %.0f %% of how it varies.\n\n",
			  100 * (g->fit < 0 ? 0 : g->fit));
	for (size_t i = 0; i < g->sizes; i++) {
		strbuf_add_text(out, "  ");
		strbuf_add_safe(out, slice_of_string(g->names[i]));
		strbuf_add_format(out, " (%g to %g): ", g->from[i], g->to[i]);
		if (!g->varies[i])
			strbuf_add_text(out, "it was the same in all measurements\n");
		else
			strbuf_add_format(out, "time %s\n", power_text(g->power[i]));
	}
	if (g->fit < 0.9)
		strbuf_add_text(out,
				"\nThe measurements scatter too much for more than a hint: take "
				"several of each size.\n");
}

void growth_add_json(struct json *j, const struct growth *g)
{
	char text[40];

	json_member_u64(j, "measurements", g->rows);
	json_key(j, "sizes");
	json_array_begin(j);
	for (size_t i = 0; i < g->sizes; i++) {
		json_object_begin(j);
		json_member_text(j, "name", g->names[i]);
		snprintf(text, sizeof(text), "%.3f", g->power[i]);
		json_member_text(j, "power", g->varies[i] ? text : NULL);
		json_object_end(j);
	}
	json_array_end(j);
	snprintf(text, sizeof(text), "%.3f", g->fit);
	json_member_text(j, "r_squared", text);
}

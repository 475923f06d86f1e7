// SPDX-License-Identifier: GPL-2.0-or-later
/* What `probe list` measured, as a table and as JSON, and how it grows. */
#include "lab/probe/listing.h"

#include <math.h>

#include "base/json.h"

static const char *const lock_names[] = {
	[LISTING_SHARED] = "shared", [LISTING_EXCLUSIVE] = "exclusive"};

bool listing_fit(const struct listing_report *report, enum listing_lock lock, double *exponent)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0, n = 0, divisor;

	for (size_t i = 0; i < report->len; i++) {
		const struct listing_row *r = &report->rows[i];
		double x = log(r->processes);
		double y = log((double)(r->took_ns > 0 ? r->took_ns : 1));

		if (r->lock != lock)
			continue;
		n += 1;
		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
	}
	divisor = n * sxx - sx * sx;
	if (n < 2 || divisor <= 0)
		return false;
	*exponent = (n * sxy - sx * sy) / divisor;
	return true;
}

void listing_report_add_text(const struct listing_report *report, struct strbuf *out)
{
	strbuf_add_format(out, "%s, pages of %u bytes\n\n%-9s  %9s  %9s  %9s  %11s\n",
			  report->plus ? "READDIRPLUS" : "READDIR", report->page_bytes, "lock",
			  "processes", "seconds", "calls", "entries");
	for (size_t i = 0; i < report->len; i++) {
		const struct listing_row *r = &report->rows[i];

		strbuf_add_format(out, "%-9s  %9u  %9.3f  %9llu  %11llu\n", lock_names[r->lock],
				  r->processes, (double)r->took_ns / 1e9,
				  (unsigned long long)r->calls, (unsigned long long)r->entries);
	}
	strbuf_add_char(out, '\n');
	for (int lock = LISTING_SHARED; lock <= LISTING_EXCLUSIVE; lock++) {
		double exponent;

		if (listing_fit(report, (enum listing_lock)lock, &exponent))
			strbuf_add_format(out,
					  "%-9s  time grows as the number of processes to the "
					  "power of %.2f\n",
					  lock_names[lock], exponent);
	}
}

static void add_fit(struct json *j, const struct listing_report *report, enum listing_lock lock)
{
	double exponent;

	if (listing_fit(report, lock, &exponent))
		json_member_seconds(j, lock_names[lock], (int64_t)(exponent * 1e9));
	else
		json_member_null(j, lock_names[lock]);
}

void listing_report_add_json(const struct listing_report *report, struct strbuf *out)
{
	struct json j;

	json_init(&j, out, false);
	json_object_begin(&j);
	json_member_text(&j, "schema", "nfsleuth.probe-list/1");
	json_member_text(&j, "procedure", report->plus ? "READDIRPLUS" : "READDIR");
	json_member_u64(&j, "page_bytes", report->page_bytes);
	json_key(&j, "runs");
	json_array_begin(&j);
	for (size_t i = 0; i < report->len; i++) {
		const struct listing_row *r = &report->rows[i];

		json_object_begin(&j);
		json_member_text(&j, "lock", lock_names[r->lock]);
		json_member_u64(&j, "processes", r->processes);
		json_member_i64(&j, "took_us", r->took_ns / 1000);
		json_member_u64(&j, "calls", r->calls);
		json_member_u64(&j, "entries", r->entries);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_key(&j, "exponent");
	json_object_begin(&j);
	add_fit(&j, report, LISTING_SHARED);
	add_fit(&j, report, LISTING_EXCLUSIVE);
	json_object_end(&j);
	json_object_end(&j);
	strbuf_add_char(out, '\n');
}

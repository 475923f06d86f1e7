// SPDX-License-Identifier: GPL-2.0-or-later
/* What `probe check` found, as a table and as JSON. */
#include "lab/probe/check.h"

#include "base/json.h"

static const char *const outcomes[] = {[CHECK_OK] = "ok",
				       [CHECK_ABSENT] = "absent",
				       [CHECK_SKIPPED] = "-",
				       [CHECK_FAILED] = "FAILED"};

const struct check_row *check_report_stop(const struct check_report *report)
{
	for (size_t i = 0; i < report->len; i++)
		if (report->rows[i].outcome == CHECK_FAILED)
			return &report->rows[i];
	return NULL;
}

void check_report_add_text(const struct check_report *report, const char *server,
			   struct strbuf *out)
{
	const struct check_row *stop = check_report_stop(report);

	for (size_t i = 0; i < report->len; i++) {
		const struct check_row *r = &report->rows[i];
		size_t end;

		strbuf_add_format(out, "%-8s %-20s ", r->layer, r->step);
		if (r->port)
			strbuf_add_format(out, "%5u ", r->port);
		else
			strbuf_add_text(out, "    - ");
		strbuf_add_format(out, "%9.1f ms  %-6s  ", (double)r->took_ns / 1e6,
				  outcomes[r->outcome]);
		strbuf_add_safe(out, slice_of_string(r->detail));
		for (end = out->len; end && out->data[end - 1] == ' '; end--)
			;
		out->len = end;
		strbuf_add_char(out, '\n');
	}
	strbuf_add_safe(out, slice_of_string(server));
	if (stop) {
		strbuf_add_format(out, ": stops at %s %s: ", stop->layer, stop->step);
		strbuf_add_safe(out, slice_of_string(stop->detail));
		strbuf_add_char(out, '\n');
	} else {
		strbuf_add_text(out, ": all that it offers answers\n");
	}
}

void check_report_add_json(const struct check_report *report, const char *server,
			   struct strbuf *out)
{
	static const char *const names[] = {[CHECK_OK] = "ok",
					    [CHECK_ABSENT] = "absent",
					    [CHECK_SKIPPED] = "skipped",
					    [CHECK_FAILED] = "failed"};
	const struct check_row *stop = check_report_stop(report);
	struct json j;

	json_init(&j, out, false);
	json_object_begin(&j);
	json_member_text(&j, "schema", "nfsleuth.probe-check/1");
	json_member_text(&j, "server", server);
	json_member_text(&j, "stops_at", stop ? stop->layer : NULL);
	json_key(&j, "steps");
	json_array_begin(&j);
	for (size_t i = 0; i < report->len; i++) {
		const struct check_row *r = &report->rows[i];

		json_object_begin(&j);
		json_member_text(&j, "layer", r->layer);
		json_member_text(&j, "step", r->step);
		if (r->port)
			json_member_u64(&j, "port", r->port);
		else
			json_member_null(&j, "port");
		json_member_text(&j, "outcome", names[r->outcome]);
		json_member_i64(&j, "took_us", r->took_ns / 1000);
		json_member_text(&j, "detail", r->detail);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	strbuf_add_char(out, '\n');
}

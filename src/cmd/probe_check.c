// SPDX-License-Identifier: GPL-2.0-or-later
/* See probe_check.h. */
#include "cmd/probe_check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/stamp.h"
#include "lab/probe/check.h"

/* What was seen in the last round, and since when the server stops where it does. */
struct watch {
	struct check_report before, now;
	bool has_before;
	int64_t changed_ns; /* CLOCK_MONOTONIC */
};

static void print(struct strbuf *text)
{
	fwrite(strbuf_text(text), 1, text->len, stdout);
	fflush(stdout);
	strbuf_reset(text);
}

static int64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * STAMP_NS_PER_S + t.tv_nsec;
}

static void add_time(struct strbuf *out)
{
	struct timespec t;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	strbuf_add_format(out, "%s.%03ldZ", text, t.tv_nsec / 1000000);
}

/* Two rounds are alike when they stop at the same place for the same reason. */
static bool is_same_stop(const struct check_report *a, const struct check_report *b)
{
	const struct check_row *x = check_report_stop(a);
	const struct check_row *y = check_report_stop(b);

	if (!x || !y)
		return !x && !y;
	return strcmp(x->layer, y->layer) == 0 && strcmp(x->step, y->step) == 0 &&
	       strcmp(x->detail, y->detail) == 0;
}

static void add_change(const struct watch *w, struct strbuf *out)
{
	const struct check_row *stop = check_report_stop(&w->now);

	add_time(out);
	if (stop) {
		strbuf_add_format(out, " stops at %s %s (port %u): ", stop->layer, stop->step,
				  stop->port);
		strbuf_add_safe(out, slice_of_string(stop->detail));
	} else {
		strbuf_add_text(out, " answers again");
	}
	strbuf_add_text(out, check_report_stop(&w->before) ? "; behind a failure of "
							   : "; it had answered for ");
	strbuf_add_seconds(out, monotonic_ns() - w->changed_ns);
	strbuf_add_text(out, " s\n");
}

static void add_round(const struct options *options, const char *server, struct watch *w,
		      struct strbuf *out)
{
	bool is_same = w->has_before && is_same_stop(&w->before, &w->now);

	if (is_same)
		return;
	if (options->json)
		check_report_add_json(&w->now, server, out);
	else if (w->has_before)
		add_change(w, out);
	else
		check_report_add_text(&w->now, server, out);
	w->changed_ns = monotonic_ns();
}

static void pause_for(int64_t ns, double speed)
{
	int64_t real_ns = (int64_t)((double)ns / speed);
	struct timespec t = {.tv_sec = real_ns / STAMP_NS_PER_S,
			     .tv_nsec = (long)(real_ns % STAMP_NS_PER_S)};

	nanosleep(&t, NULL);
}

enum status probe_check_run(const struct options *options, const struct probe_words *words,
			    double speed)
{
	int64_t end_ns = words->for_ns == INT64_MAX ? INT64_MAX : monotonic_ns() + words->for_ns;
	struct watch w = {.has_before = false};
	struct err *err = NULL;
	struct strbuf out;

	strbuf_init(&out);
	for (;;) {
		err = probe_check(words, speed, &w.now);
		if (err)
			break;
		add_round(options, words->server, &w, &out);
		print(&out);
		if (!options->watch || monotonic_ns() >= end_ns)
			break;
		w.before = w.now;
		w.has_before = true;
		pause_for(words->every_ns, speed);
	}
	strbuf_deinit(&out);
	if (err) {
		command_complain("probe check: %s", err_text(err));
		err_destroy(err);
		return STATUS_USAGE;
	}
	return check_report_stop(&w.now) ? STATUS_FOUND : STATUS_NOTHING;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth diagnose`: what happened and why, from any mix of evidence files. */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/confine.h"
#include "cmd/diagnose.h"
#include "cmd/health.h"
#include "cmd/models.h"
#include "cmd/not_kept.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "cmd/terminal.h"
#include "diagnose/catalogue.h"
#include "diagnose/engine.h"
#include "report/writer.h"

static struct report_totals count_totals(const struct run *r, const struct models *m)
{
	const struct ingest_totals *ingested = ingest_totals(r->ingest);
	struct report_totals t = {
		.frames = ingested->frames,
		.connections = ingested->tcp_connections,
		.rpc_connections = ingested->rpc_connections,
		.udp_pairs = ingested->udp_pairs,
		.undecoded = m->calls.calls_damaged + m->calls.replies_damaged,
		.kinds = catalogue_pages_count,
		.files_passed = r->passed_count,
	};

	for (size_t i = 0; i < m->calls.stats.len; i++) {
		const struct call_stats *s = *(struct call_stats **)vec_at(&m->calls.stats, i);

		t.calls += s->calls;
		t.replies += s->replies;
		t.unanswered += s->unanswered;
	}
	not_kept_collect(r->ingest, m, &t);
	return t;
}

static void flush_report(void *context, struct strbuf *text)
{
	output_write(context, text);
}

static struct err *write_report(const struct options *options, const struct report_input *in,
				struct output *output)
{
	const struct report_writer *writer = options->json ? &report_json : &report_text;
	struct report_options how = {0};
	struct strbuf text;

	terminal_describe(options, &how);
	how.unread_told = !options->output;
	how.flush = flush_report;
	how.flush_context = output;
	strbuf_init(&text);
	writer->write(in, &how, &text);
	output_write(output, &text);
	strbuf_deinit(&text);
	return output_commit(output);
}

static void take_headline(const struct diagnosis *d, char headline[DIAGNOSE_ID_BYTES])
{
	const struct incident *first = d->incidents.len ? vec_at(&d->incidents, 0) : NULL;

	(void)snprintf(headline, DIAGNOSE_ID_BYTES, "%s", first ? first->headline->id : "");
}

static struct err *diagnose_evidence(const struct options *options, struct run *run,
				     struct output *output, char headline[DIAGNOSE_ID_BYTES])
{
	struct models models;
	struct diagnosis diagnosis;
	struct report_input in = {.diagnosis = &diagnosis, .evidence = &run->evidence};
	struct rule_input rules;
	struct err *err;

	run_open(run);
	models_init(&models, &run->board);
	run_go(run, RUN_FACTS);
	models_finish(&models);
	health_enter_wire(&run->evidence, run->survey, &models.wire);
	health_enter_vantage(&run->evidence, &models.conns);
	rules = models_input(&models, &run->evidence);
	diagnosis_init(&diagnosis);
	diagnose_run(&rules, &diagnosis);
	in.totals = count_totals(run, &models);
	err = write_report(options, &in, output);
	take_headline(&diagnosis, headline);
	diagnosis_deinit(&diagnosis);
	models_deinit(&models);
	return err;
}

enum status diagnose_files(const struct options *options, char headline[DIAGNOSE_ID_BYTES])
{
	enum status status = STATUS_UNREAD;
	struct output output;
	struct err *err;
	struct run run;

	headline[0] = '\0';
	run_init(&run);
	err = run_take_options(&run, options);
	if (err) {
		command_complain("%s", err_text(err));
		err_destroy(err);
		run_deinit(&run);
		return STATUS_USAGE;
	}
	command_tell_of_terminal(options);
	run_find(&run, options->args, options->arg_count);
	err = output_init(&output, options->output);
	if (!err)
		err = confine(options, &output, &run.files, NULL);
	if (!err)
		err = diagnose_evidence(options, &run, &output, headline);
	if (err)
		command_complain("%s", err_text(err));
	else if (!run.unread)
		status = headline[0] ? STATUS_FOUND : STATUS_NOTHING;
	err_destroy(err);
	run_deinit(&run);
	output_deinit(&output);
	return status;
}

static enum status diagnose(const struct options *options)
{
	char headline[DIAGNOSE_ID_BYTES];

	if (options->arg_count > 0)
		return diagnose_files(options, headline);
	command_complain("diagnose: no FILE given; try 'nfsleuth diagnose capture.pcap'");
	return STATUS_USAGE;
}

const struct command command_diagnose = {
	.name = "diagnose",
	.arguments = "FILE...",
	.summary = "what happened and why (the main job)",
	.detail = "Tells what happened and why, which look-alikes it was not, and what to do.\n"
		  "Captures of one incident belong together: give those of clients and server at\n"
		  "once, and their kernel logs. What several of them saw is counted once.",
	.option_set = 1u << OPTION_JSON | 1u << OPTION_OUTPUT | 1u << OPTION_COLOR | OPTIONS_LOG |
		      1u << OPTION_THREADS | OPTION_BIT(OPTION_NO_SANDBOX),
	.run = diagnose,
};

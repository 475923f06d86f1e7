// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole way from a capture to its diagnosis: whatever the bytes, it ends, every finding cites a
 * frame that the capture has, and each incident has a headline that is no context.
 */
#include "capfile/capfile.h"
#include "cmd/models.h"
#include "diagnose/engine.h"
#include "fuzz.h"
#include "ingest/ingest.h"

#include <stdlib.h>

struct pipeline {
	struct evidence_list evidence;
	struct event_board board;
	struct models models;
	uint64_t frames;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void pipeline_init(struct pipeline *p)
{
	*p = (struct pipeline){0};
	evidence_list_init(&p->evidence);
	evidence_list_add(&p->evidence, "fuzz", EVIDENCE_PCAP);
	models_init(&p->models, &p->board);
}

static void pipeline_deinit(struct pipeline *p)
{
	models_deinit(&p->models);
	evidence_list_deinit(&p->evidence);
}

static void pipeline_read(struct pipeline *p, struct capfile *cf, bool keep_text)
{
	struct ingest_options options = {.keep_text = keep_text, .max_flows = 64, .max_calls = 64};
	struct ingest *in = ingest_create(&options, &p->board, &p->evidence);
	enum capfile_result result;
	struct capfile_packet packet;

	while ((result = capfile_next(cf, &packet)) != CAPFILE_END) {
		if (result == CAPFILE_RESYNC)
			continue;
		p->frames = packet.frame;
		ingest_frame(in, 0, packet.frame, packet.at, packet.linktype, packet.bytes,
			     packet.wire_bytes);
	}
	ingest_finish(in);
	models_finish(&p->models);
	ingest_destroy(in);
}

static void check_diagnosis(const struct pipeline *p)
{
	struct rule_input input = models_input(&p->models, &p->evidence);
	struct diagnosis d;

	diagnosis_init(&d);
	diagnose_run(&input, &d);
	for (size_t i = 0; i < d.findings.len; i++) {
		const struct finding *f = finding_at(&d.findings, i);

		require(f->cites.len > 0 && f->cites.len <= FINDING_CITES_MAX);
		for (size_t k = 0; k < f->cites.len; k++) {
			const struct cite *cite = vec_at(&f->cites, k);

			require(cite->at.frame > 0 && cite->at.frame <= p->frames);
		}
	}
	for (size_t i = 0; i < d.incidents.len; i++) {
		const struct incident *incident = vec_at(&d.incidents, i);

		require(incident->headline && incident->headline->role != ROLE_CONTEXT);
	}
	diagnosis_deinit(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *source = source_create_memory(slice_make(data, size));
	struct capfile *cf = NULL;
	struct err *err = capfile_open(source, &cf);
	struct pipeline p;

	if (err) {
		err_destroy(err);
		source_destroy(source);
		return 0;
	}
	pipeline_init(&p);
	pipeline_read(&p, cf, size % 2 == 1);
	check_diagnosis(&p);
	pipeline_deinit(&p);
	capfile_destroy(cf);
	return 0;
}

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
<<<<<<< main
=======
#include "model/call.h"
#include "model/conn.h"
#include "model/dir.h"
#include "model/logs.h"
#include "model/nfs4.h"
#include "model/nlm.h"
#include "model/path.h"
#include "model/portmap.h"
>>>>>>> local

#include <stdlib.h>

struct pipeline {
	struct evidence_list evidence;
	struct event_board board;
<<<<<<< main
	struct models models;
=======
	struct conn_model conns;
	struct call_model calls;
	struct nfs4_model nfs4;
	struct logs_model logs;
	struct nlm_model nlm;
	struct dir_model dirs;
	struct path_model path;
	struct portmap_model portmap;
>>>>>>> local
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
<<<<<<< main
	models_init(&p->models, &p->board);
=======
	conn_model_init(&p->conns);
	call_model_init(&p->calls);
	nfs4_model_init(&p->nfs4);
	logs_model_init(&p->logs);
	nlm_model_init(&p->nlm);
	dir_model_init(&p->dirs);
	path_model_init(&p->path);
	portmap_model_init(&p->portmap);
	conn_model_attach(&p->conns, &p->board);
	call_model_attach(&p->calls, &p->board);
	nfs4_model_attach(&p->nfs4, &p->board);
	logs_model_attach(&p->logs, &p->board);
	nlm_model_attach(&p->nlm, &p->board);
	dir_model_attach(&p->dirs, &p->board);
	path_model_attach(&p->path, &p->board);
	portmap_model_attach(&p->portmap, &p->board);
>>>>>>> local
}

static void pipeline_deinit(struct pipeline *p)
{
<<<<<<< main
	models_deinit(&p->models);
=======
	portmap_model_deinit(&p->portmap);
	path_model_deinit(&p->path);
	dir_model_deinit(&p->dirs);
	nlm_model_deinit(&p->nlm);
	logs_model_deinit(&p->logs);
	nfs4_model_deinit(&p->nfs4);
	call_model_deinit(&p->calls);
	conn_model_deinit(&p->conns);
>>>>>>> local
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
<<<<<<< main
	models_finish(&p->models);
=======
	nfs4_model_finish(&p->nfs4);
	nlm_model_finish(&p->nlm);
	dir_model_finish(&p->dirs);
	path_model_finish(&p->path);
	portmap_model_finish(&p->portmap);
>>>>>>> local
	ingest_destroy(in);
}

static void check_diagnosis(const struct pipeline *p)
{
<<<<<<< main
	struct rule_input input = models_input(&p->models, &p->evidence);
=======
	struct rule_input input = {
		.evidence = &p->evidence,
		.conns = &p->conns,
		.calls = &p->calls,
		.nfs4 = &p->nfs4,
		.logs = &p->logs,
		.nlm = &p->nlm,
		.dirs = &p->dirs,
		.path = &p->path,
		.portmap = &p->portmap,
	};
>>>>>>> local
	struct diagnosis d;

	diagnosis_init(&d);
	diagnose_run(&input, &d);
	for (size_t i = 0; i < d.findings.len; i++) {
		const struct finding *f = *(struct finding **)vec_at(&d.findings, i);

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

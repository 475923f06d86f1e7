/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the evidence no table had room for, in words: for the report. */
#ifndef CMD_NOT_KEPT_H
#define CMD_NOT_KEPT_H

#include "cmd/models.h"
#include "ingest/ingest.h"
#include "report/writer.h"

/* Fills in the list of the report: what was let go, by number, then what found no room. */
void not_kept_collect(const struct ingest *ingest, const struct models *models,
		      struct report_totals *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers know of the health of the evidence, entered into the list of evidence. */
#ifndef CMD_HEALTH_H
#define CMD_HEALTH_H

#include "capfile/capfile.h"
#include "event/evidence.h"
#include "evidence/hostclock.h"
#include "model/conn.h"

struct survey;

/* The capture's numbers, damage and what its header says. After its last packet. */
void health_enter_stats(struct evidence_list *list, uint32_t index,
			const struct capfile_stats *stats);

/* When the host booted, of a text that tells its clock and uptime. */
void health_enter_hostclock(struct evidence_list *list, uint32_t index,
			    const struct hostclock *clock);

/* Which captures keep silent about connections that others saw too, and how their clocks differ. */
void health_enter_survey(struct evidence_list *list, const struct survey *survey);

/*
 * What to add to the stamps of this capture for the order of merging, so that captures of one wire
 * agree with the first of them; 0 when nothing is known (or survey is NULL).
 */
int64_t health_clock_shift(const struct survey *survey, uint32_t evidence);

/*
 * Notes where each capture was taken, where its connections with RPC agree on that. After the
 * models have finished.
 */
void health_enter_vantage(struct evidence_list *list, const struct conn_model *conns);

#endif

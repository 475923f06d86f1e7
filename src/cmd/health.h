/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers know of the health of the evidence, entered into the list of evidence. */
#ifndef CMD_HEALTH_H
#define CMD_HEALTH_H

#include "capfile/capfile.h"
#include "event/evidence.h"
#include "evidence/hostclock.h"
#include "model/conn.h"

struct survey;
struct wire_model;

/* The capture's numbers, damage and what its header says. After its last packet. */
void health_enter_stats(struct evidence_list *list, uint32_t index,
			const struct capfile_stats *stats);

/* When the host booted, of a text that tells its clock and uptime. */
void health_enter_hostclock(struct evidence_list *list, uint32_t index,
			    const struct hostclock *clock);

/* Tells of a log that mounts of NFS stand in it, too; nothing where there are none. */
void health_enter_mounts(struct evidence_list *list, uint32_t index, uint64_t mounts);

/* Which captures keep silent about connections that others saw too. */
void health_enter_survey(struct evidence_list *list, const struct survey *survey);

/*
 * What two captures of one wire show together: segments in both, lost between them, who is nearer
 * to whom, how their clocks differ. survey may be NULL. After the models have finished.
 */
void health_enter_wire(struct evidence_list *list, const struct survey *survey,
		       const struct wire_model *wire);

/*
 * Notes where each capture was taken, where its connections with RPC agree on that. After the
 * models have finished.
 */
void health_enter_vantage(struct evidence_list *list, const struct conn_model *conns);

#endif

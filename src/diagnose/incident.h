/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings that belong together, with one headline each: the engine's alone. */
#ifndef DIAGNOSE_INCIDENT_H
#define DIAGNOSE_INCIDENT_H

#include "diagnose/finding.h"
#include "diagnose/precedence.h"

/* One explains the other: they are of one incident, unless one of them is a context. */
void finding_join(struct finding *a, struct finding *b);

/*
 * True when the findings are about the same subjects: one server host, and clients that overlap
 * when both name clients. Where one names no server, a client must be common to both.
 */
bool finding_subjects_meet(const struct finding *a, const struct finding *b);

/*
 * True when `effect` can have come from `cause` as far as time tells: it is not over before the
 * cause begins, and does not begin long after the cause ends.
 */
bool finding_times_follow(const struct finding *cause, const struct finding *effect);

/*
 * Groups findings, whose keys and `explains` are set, into incidents, and puts findings and
 * incidents into the order of the report.
 */
void incidents_make(struct diagnosis *d, const struct precedence *p);

#endif

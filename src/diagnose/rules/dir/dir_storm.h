/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two halves of dir-attribute-storm: what captures show, and what a client counted. */
#ifndef DIAGNOSE_RULES_DIR_STORM_H
#define DIAGNOSE_RULES_DIR_STORM_H

#include "diagnose/rule.h"
#include "model/counters.h"

/* Far above READDIR: this many calls for single entries to one that lists; see dir_storm.c. */
enum { DIR_STORM_CALLS_MIN = 300, DIR_STORM_CALLS_PER_LISTING_MIN = 4 };

/* Of the calls for entries at most so many calls are work with files, in percent. */
enum { DIR_STORM_WORK_MAX_PERCENT = 25 };

/* So long must have been waited in all. */
#define DIR_STORM_WAITED_MIN_NS (10 * STAMP_NS_PER_S)

/*
 * The mounts whose counters speak of a storm, each once, over the span in which it is clearest:
 * const struct counters_span *, into *spans (initialised here).
 */
void dir_storm_counted(const struct counters_model *m, struct vec *spans);

/* The finding of one of them. */
struct finding *dir_storm_counted_tell(struct diagnosis *d, const struct counters_span *s);

#endif

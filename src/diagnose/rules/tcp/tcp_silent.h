/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of tcp-path-silent share: by the capture that speaks, and by the other one. */
#ifndef DIAGNOSE_RULES_TCP_SILENT_H
#define DIAGNOSE_RULES_TCP_SILENT_H

#include "diagnose/rules/transport.h"

/* TCP's timer doubles from 0.2 s or from 1 s: so much later nothing was merely lost once or twice.
 */
#define SILENCE_MIN_NS (5 * STAMP_NS_PER_S)
enum { SILENCE_REPEATS_MIN = 3 };

/*
 * Tells of a client that sends in vain, where the capture that speaks is the one near the server
 * and shows nothing of that.
 */
void silent_forth_tell(const struct rule_input *in, struct diagnosis *d,
		       const struct wire_record *w);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last net for text of evidence. A rule makes what it quotes safe (strbuf_add_safe), as only it
 * knows where a quote begins and ends. Should one forget it, nothing that a terminal obeys gets
 * further than here.
 */
#ifndef DIAGNOSE_INERT_H
#define DIAGNOSE_INERT_H

#include "diagnose/finding.h"

/*
 * Replaces the texts of all findings, and of what is undecided, in which control characters stand,
 * or bytes that are no UTF-8, by the same with \xNN for these. To be called when the rules have
 * run.
 */
void diagnosis_make_inert(struct diagnosis *d);

#endif

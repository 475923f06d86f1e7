/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of the report for people that stand in a file of their own. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "report/layout.h"
#include "report/writer.h"

/* Instead of a headline: what was looked at, and what would help. */
void text_nothing_found(struct layout *l, const struct report_input *in);

/*
 * The health of the evidence, file by file. unread_told: nothing when no file could be read (see
 * struct report_options).
 */
void text_evidence(struct layout *l, const struct report_input *in, bool unread_told);

#endif

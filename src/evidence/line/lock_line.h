/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The evidence reader for /proc/locks, line by line. */
#ifndef EVIDENCE_LOCK_LINE_H
#define EVIDENCE_LOCK_LINE_H

#include "event/host.h"

/* False: the line is none of it. Texts are borrowed from the line. */
bool lock_line_parse(struct slice line, struct file_lock_fact *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for /proc/fs/nfsd/clients/N/states, line by line; with the path before each
 * line, as `grep -H .` prints it, or without.
 */
#ifndef EVIDENCE_NFSD_STATE_LINE_H
#define EVIDENCE_NFSD_STATE_LINE_H

#include "event/host.h"

/* False: the line is none of it. Texts are borrowed from the line. */
bool nfsd_state_line_parse(struct slice line, struct nfsd_state_fact *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that shows a place of the evidence in somebody else's tool, so that nobody has to
 * believe us. Made to be pasted into a shell: whatever a path holds, it stays one word.
 */
#ifndef REPORT_COMMAND_H
#define REPORT_COMMAND_H

#include "diagnose/finding.h"
#include "event/evidence.h"

/*
 * A word for a POSIX shell, quoted only where it must be. A path with control characters or bytes
 * that are no UTF-8 is written as $'...', which bash, ksh and zsh know: the terminal stays safe.
 */
void command_add_word(struct strbuf *out, const char *word);

/*
 * A line of a log: sed. A frame: tshark with the decode-as that it needs (it takes NFS on a client
 * port below 1024 for that port's protocol) and reassembly that bears reordering; the filter is the
 * frame's number, or all RPC of the port when the cite is not shown by a single frame.
 */
void command_add_cite(struct strbuf *out, const struct evidence *e, const struct cite *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The work of `nfsleuth diagnose`, for commands that make evidence and diagnose it at once. */
#ifndef CMD_DIAGNOSE_H
#define CMD_DIAGNOSE_H

#include "cmd/command.h"

/* Room for the id of any finding. */
enum { DIAGNOSE_ID_BYTES = 64 };

/*
 * Diagnoses the files of options->args and writes the report where the options say. `headline`: the
 * id of the first incident's headline, "" when there is none. Complaints are printed.
 */
enum status diagnose_files(const struct options *options, char headline[DIAGNOSE_ID_BYTES]);

#endif

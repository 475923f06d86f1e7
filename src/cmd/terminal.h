/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reader of the output is: a terminal with colours and a width, or a pipe. */
#ifndef CMD_TERMINAL_H
#define CMD_TERMINAL_H

#include "cmd/options.h"
#include "report/writer.h"

/* Colours as the options and NO_COLOR (no-color.org) say; 100 columns when it is no terminal. */
void terminal_describe(const struct options *options, struct report_options *out);

#endif

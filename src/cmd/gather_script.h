/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of gather.sh, made by tools/embed.py. */
#ifndef CMD_GATHER_SCRIPT_H
#define CMD_GATHER_SCRIPT_H

#include <stddef.h>

extern const unsigned char gather_script[]; /* not terminated */
extern const size_t gather_script_len;

#endif

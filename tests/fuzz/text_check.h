/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds of everything that the program writes, whatever the evidence. */
#ifndef FUZZ_TEXT_CHECK_H
#define FUZZ_TEXT_CHECK_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * True for valid UTF-8 without controls (but line breaks, and the colours of report/layout.c) and
 * without marks that reorder or join what stands on a line.
 */
bool text_is_safe(struct slice text);

/*
 * True for JSON (RFC 8259), one document or several with white space between them, in valid UTF-8
 * and without such marks. An empty text is none.
 */
bool text_is_json(struct slice text);

#endif

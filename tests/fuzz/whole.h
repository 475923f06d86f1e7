/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program as it is called: files go in, what it writes comes out. For targets that make
 * evidence and leave it to this to tell whether all is well.
 */
#ifndef FUZZ_WHOLE_H
#define FUZZ_WHOLE_H

#include "base/slice.h"

enum { WHOLE_FILES_MAX = 8 };

/*
 * What may be allocated at once: so many bytes, and so many for each byte of the input. The bytes
 * are what the tables and windows take that are there for any input.
 */
enum { WHOLE_BASE_BYTES = 10 << 20, WHOLE_BYTES_PER_BYTE = 128 };

/*
 * Diagnoses and shows the files (at most WHOLE_FILES_MAX), and aborts unless
 *  - the report is safe on a terminal,
 *  - it is the same with another hash seed and another number of threads, or its other form is
 *    JSON, as the bytes choose; where inputs are replayed, both,
 *  - so is a view that the bytes choose, or its other form is JSON; likewise,
 *  - what was allocated at once is below what is stated above.
 */
void whole_check(const struct slice *files, size_t count);

#endif

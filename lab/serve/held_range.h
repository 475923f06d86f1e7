/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte ranges that are locked, as one protocol asks another of them: of one file one truth. */
#ifndef LAB_SERVE_HELD_RANGE_H
#define LAB_SERVE_HELD_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct held_range {
	uint64_t start, end; /* of the last byte; UINT64_MAX: the end of the file */
	bool exclusive;
};

/* Does the other protocol hold what stands against it? Then *out tells. Calls nobody back. */
typedef bool held_range_fn(void *context, uint64_t fileid, const struct held_range *wanted,
			   struct held_range *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How time grows: a table of measurements, one a line, of one or two sizes (entries of a directory,
 * processes ...) and the seconds that it took, fitted as a product of powers. Or what a shell's
 * `time` printed, each behind a line with the sizes in it.
 */
#ifndef CMD_COMPARE_GROWTH_H
#define CMD_COMPARE_GROWTH_H

#include "base/json.h"
#include "capfile/source.h"

enum { GROWTH_ROWS_MAX = 10000, GROWTH_SIZES_MAX = 2, GROWTH_NAME_BYTES = 32 };

struct growth {
	size_t rows;
	size_t sizes;                                    /* columns before the seconds */
	char names[GROWTH_SIZES_MAX][GROWTH_NAME_BYTES]; /* from a head line, else "x", "y" */
	bool varies[GROWTH_SIZES_MAX];                   /* else its power cannot be told */
	double power[GROWTH_SIZES_MAX];                  /* seconds ~ size^power */
	double factor;                                   /* seconds = factor * product */
	double fit;                                      /* 1: all of it is explained (R squared) */
	double from[GROWTH_SIZES_MAX], to[GROWTH_SIZES_MAX]; /* measured */
};

/* False: it is no table of positive numbers and has no times, or too few rows to fit. */
bool growth_read(struct growth *g, struct source *source);

void growth_add_text(struct strbuf *out, const struct growth *g);
void growth_add_json(struct json *j, const struct growth *g);

#endif

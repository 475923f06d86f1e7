/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that come again and again, each kept once. */
#ifndef BASE_TEXTS_H
#define BASE_TEXTS_H

#include "base/arena.h"
#include "base/map.h"

struct texts {
	struct map map; /* char *, in the arena that texts_keep was given */
	size_t max;     /* different texts */
};

void texts_init(struct texts *t, size_t max);

/* The texts themselves live as long as their arena. */
void texts_deinit(struct texts *t);

/*
 * The copy of this text, made in the arena (always the same one) when there is none yet. "" for an
 * empty text, for one with a NUL in it, and when there is no room for one more.
 */
const char *texts_keep(struct texts *t, struct arena *arena, struct slice text);

#endif

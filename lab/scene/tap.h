/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet capture of one interface: a ring of an AF_PACKET socket (packet(7), TPACKET_V2), written
 * as pcapng. Stamps are the kernel's, in the scene's time. What the kernel had no room for is
 * counted.
 */
#ifndef LAB_SCENE_TAP_H
#define LAB_SCENE_TAP_H

#include <stdio.h>

#include "base/err.h"
#include "base/strbuf.h"

/* The scene's time: the wall's from `from_ns` on, `speed` times as fast. UTC, nanoseconds. */
struct scene_clock {
	int64_t from_ns;
	unsigned speed;
};

/* The wall's clock now. */
int64_t scene_clock_wall_ns(void);

static inline int64_t scene_clock_story_ns(const struct scene_clock *c, int64_t wall_ns)
{
	return c->from_ns + (wall_ns - c->from_ns) * (int64_t)c->speed;
}

struct tap {
	int fd; /* -1: not open */
	uint8_t *ring;
	size_t next; /* frame of the ring */
	FILE *file;
	struct strbuf out;
	struct scene_clock clock;
	uint64_t packets, dropped;
};

/*
 * Opens a capture of `link` of the network in which we are, into a new file at `path`.
 * `label` is written into its section header: who made it, in which time.
 */
struct err *tap_init(struct tap *t, const char *link, const char *path, const char *label,
		     struct scene_clock clock);
/* Closes what is open. */
void tap_deinit(struct tap *t);

/* Writes what has come. Fails when the file cannot be written. */
struct err *tap_take(struct tap *t);

/* Takes the rest and asks the kernel what it dropped: packets and dropped are final. */
struct err *tap_finish(struct tap *t);

#endif

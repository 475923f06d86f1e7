/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the model of two captures share; see wire.h. */
#ifndef MODEL_WIRE_INTERNAL_H
#define MODEL_WIRE_INTERNAL_H

#include "model/wire/wire.h"

/* Stamp in the path's b minus stamp in its a; false: they are not comparable. */
bool wire_delta(const struct wire_record *r, const struct event_wire *w, int64_t *delta_ns);

/* A segment that both captures show, before wire_clock_take: is it late? */
void wire_late_take(struct wire_model *m, struct wire_record *r, const struct event_wire *w);

/* A segment that both captures show: what its two stamps tell. */
void wire_clock_take(struct wire_record *r, const struct event_wire *w);

/* After the last one. */
void wire_clock_finish(struct wire_path *p);

/* A time of the other capture by the speaker's clock, as well as it is known. */
int64_t wire_clock_speaker_ns(const struct wire_record *r, int64_t other_ns);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on a stage while a scene is played, and the actions; stage.c has the loop. */
#ifndef LAB_SCENE_STAGE_ACT_H
#define LAB_SCENE_STAGE_ACT_H

#include <stdio.h>
#include <sys/types.h>

#include "lab/scene/host.h"
#include "lab/scene/stage.h"
#include "lab/scene/tap.h"

enum { STAGE_PROGRAMS_MAX = 24, STAGE_LINE_BYTES_MAX = 1024 };

struct stage_program {
	pid_t pid;
	enum scene_verb verb;
	size_t host;
	int out_fd;         /* -1: it has closed it */
	bool ready;         /* it has said a line */
	bool gone;          /* it has ended */
	bool told_to;       /* ... because the scene said so */
	struct strbuf line; /* begun, not ended */
};

struct stage {
	const struct scene *scene;
	const struct stage_options *options;
	struct stage_result *result;
	struct hosts hosts;
	struct tap taps[SCENE_HOSTS_MAX];
	struct scene_clock clock;
	FILE *logs[SCENE_HOSTS_MAX]; /* NULL: no probe yet */
	FILE *said;
	struct stage_program programs[STAGE_PROGRAMS_MAX];
	size_t program_count;
};

/* Does it. */
struct err *stage_act(struct stage *stage, const struct scene_action *action);

/* Reads what the program has said; true while there may be more. */
bool stage_listen(struct stage *stage, struct stage_program *program);

/* Opens DIR/NAME+SUFFIX for writing. */
struct err *stage_file_open(const struct stage *stage, const char *name, const char *suffix,
			    FILE **out);

/* What evidence that was made by a scene says of itself, in one line. */
void stage_label(const struct scene *scene, unsigned speed, struct strbuf *out);

#endif

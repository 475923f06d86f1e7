/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scene leaves beside its evidence: a README that says what was staged, and the script. */
#ifndef LAB_SCENE_LEAVE_H
#define LAB_SCENE_LEAVE_H

#include "base/slice.h"
#include "lab/scene/stage.h"

/* What was staged, with times of the story: for people. */
void scene_describe(const struct scene *scene, const struct stage_options *options,
		    const struct stage_result *result, struct strbuf *out);

/* Writes README and NAME.scene into the folder. */
struct err *scene_leave(const struct scene *scene, struct slice script,
			const struct stage_options *options, const struct stage_result *result);

#endif

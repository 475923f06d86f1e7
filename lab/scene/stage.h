/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays a scene: hosts, captures, programs and what happens when. Everything that was started has
 * ended when stage_run returns. It leaves in a folder:
 *
 *     HOST.pcap      what each host's interface saw, pcapng, with Ethernet frames
 *     HOST.log       the words of the host's probe, stamped as a kernel log; says so itself
 *     programs.txt   what the programs said beside
 *
 * All stamps are in the scene's time: `speed` times the wall's since the beginning.
 */
#ifndef LAB_SCENE_STAGE_H
#define LAB_SCENE_STAGE_H

#include "lab/scene/script.h"

enum { STAGE_ERROR_BYTES = 512 };

struct stage_options {
	const char *folder;  /* is there */
	const char *program; /* ours: serve, proxy and probe are its commands */
	unsigned speed;
	bool twin; /* without the fault */
};

struct stage_result {
	uint64_t packets[SCENE_HOSTS_MAX], dropped[SCENE_HOSTS_MAX]; /* of each host's capture */
	bool has_log[SCENE_HOSTS_MAX];
};

/* Plays it. Fails when this machine cannot, or a program ended that should not. */
struct err *stage_run(const struct scene *scene, const struct stage_options *options,
		      struct stage_result *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts that are network namespaces, with a wire from each to what stands in the middle: a switch
 * or a router. No root is needed where user namespaces are to be had.
 */
#ifndef LAB_SCENE_HOST_H
#define LAB_SCENE_HOST_H

#include "lab/scene/script.h"

/* The name of a host's only interface. */
#define HOST_WIRE "wire"

struct hosts {
	int netns_fd[SCENE_HOSTS_MAX + 1]; /* the last is the middle's; -1: none */
};

/*
 * Takes this process into namespaces of its own (user, network; its children: processes too). Call
 * it in a process that does nothing else. Fails where that is not allowed; the text says how to
 * get it.
 */
struct err *hosts_enter(void);

/*
 * Makes the scene's hosts and wires; `plain_clock` false: without TCP timestamps, which would
 * contradict the evidence's scaled time. What was made ends with the process.
 */
struct err *hosts_init(struct hosts *hosts, const struct scene *scene, bool plain_clock);
void hosts_deinit(struct hosts *hosts);

/* The host's index as one of netns_fd. */
static inline size_t hosts_index(size_t host)
{
	return host == SCENE_MIDDLE ? (size_t)SCENE_HOSTS_MAX : host;
}

/* This process goes to the host's network, and back to the middle's with SCENE_MIDDLE. */
struct err *hosts_visit(const struct hosts *hosts, size_t host);

/* Writes a value below /proc/sys/net of the host, with dots or slashes in its key. */
struct err *hosts_sysctl(const struct hosts *hosts, size_t host, const char *key,
			 const char *value);

/* Which of the programs that scenes need (ip, nft) are missing; fails with how to get them. */
struct err *hosts_check_programs(void);

#endif

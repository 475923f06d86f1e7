/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that a scene starts, each in the network namespace of its host. They end with the
 * process that started them, whatever becomes of it.
 */
#ifndef LAB_SCENE_CHILD_H
#define LAB_SCENE_CHILD_H

#include <sys/types.h>

#include "base/err.h"
#include "base/strbuf.h"

enum { CHILD_WORDS_MAX = 96 };

/* A command line that is put together word by word. */
struct child_words {
	char *words[CHILD_WORDS_MAX + 1]; /* NULL-terminated */
	size_t count;
};

void child_words_init(struct child_words *w);
void child_words_deinit(struct child_words *w);
/* Copies the word; what is above CHILD_WORDS_MAX is left out, and child_start says so. */
void child_words_add(struct child_words *w, const char *word);

/*
 * Starts a program in the network namespace `netns_fd` (-1: ours) with these descriptors as its
 * output and error output (-1: /dev/null). Fails when there can be no process; a program that is
 * not there is told by exit status 127.
 */
struct err *child_start(int netns_fd, const struct child_words *w, int out_fd, int err_fd,
			pid_t *out);

/* Runs a program to its end, at most some seconds. Fails when it fails, with what it said. */
struct err *child_run(int netns_fd, const struct child_words *w);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The description of a tree, one node a line:
 *
 *	# what the reader sees
 *	dir   /data                  mode=0777 uid=1000 gid=1000
 *	dir   /big                   entries=1000000 prefix=file size=4k
 *	file  /data/report           size=10M
 *	file  /data/note             text=hello
 *	link  /data/latest           target=report
 *	fifo  /data/queue
 *
 * Directories on the way are made. Numbers may end in k, M, G or T (1024). A name with blanks in it
 * cannot be written down; \040 stands for one, as in /proc/mounts.
 */
#ifndef LAB_SERVE_TREE_TEXT_H
#define LAB_SERVE_TREE_TEXT_H

#include "lab/serve/tree/tree.h"

/* One line of a description; blank lines and comments do nothing. The error names what is wrong. */
struct err *tree_text_add_line(struct tree *t, struct slice line, int64_t now_ns);

/* All lines of it; the error begins with the number of the line. */
struct err *tree_text_add(struct tree *t, struct slice text, int64_t now_ns);

#endif

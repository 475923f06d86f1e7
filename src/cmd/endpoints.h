/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that are endpoints (serve, proxy) have in common. */
#ifndef CMD_ENDPOINTS_H
#define CMD_ENDPOINTS_H

#include "cmd/options.h"
#include "lab/diary/diary.h"
#include "net/loop.h"

/* What happens, a line each on standard error, with the seconds since the start. */
struct endpoint_log {
	const struct net_loop *loop; /* borrowed */
	bool quiet;
};

/* context is a struct endpoint_log. The text is made safe for a terminal. */
void endpoint_log_say(void *context, const char *text);

/* A number with an optional k, M, G or T (times 1024), up to max. The error names the option. */
struct err *endpoint_take_number(const char *option, const char *text, uint64_t max, uint64_t *out);

/* --speed; 1 when it was not given. */
struct err *endpoint_take_speed(const struct options *options, double *speed);

/*
 * Says that the endpoint is ready: the lines (each ended by a line break), then "ready". On
 * standard output, or on the descriptor of --ready-fd, which is closed.
 */
struct err *endpoint_say_ready(const struct options *options, struct strbuf *lines);

/* --write-pcapng for the command of that name: *out is NULL when it was not given. */
struct err *endpoint_open_diary(const struct options *options, const char *command, double speed,
				struct diary **out);

/* Closes it behind the endpoint's end, and passes on its error unless there is one already. */
struct err *endpoint_close_diary(struct diary *d, struct err *err);

/* SIGTERM and SIGINT end the loop; SIGPIPE is ignored. */
struct err *endpoint_end_by_signal(struct net_loop *loop);

/* A file's text, at most max_bytes. The error names the file. */
struct err *endpoint_read_file(const char *path, size_t max_bytes, struct strbuf *out);

#endif

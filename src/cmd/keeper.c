// SPDX-License-Identifier: GPL-2.0-or-later
/* See keeper.h. */
#include "cmd/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEEPER_RENAME = 'r', KEEPER_REMOVE = 'x' };

/* The whole life of the process; when the parser is gone, its line ends: that means remove. */
static _Noreturn void keeper_live(int fd, const char *temporary, const char *path)
{
	char order = KEEPER_REMOVE;
	int outcome = 0;

	/* The terminal sends these to both: what the parser leaves behind is still to be removed.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (int other = STDIN_FILENO; other <= STDERR_FILENO; other++)
		close(other);
	if (read(fd, &order, 1) == 1 && order == KEEPER_RENAME)
		outcome = rename(temporary, path) == 0 ? 0 : errno;
	if (order != KEEPER_RENAME || outcome != 0)
		unlink(temporary);
	(void)!write(fd, &outcome, sizeof(outcome));
	_exit(0);
}

struct err *keeper_start(struct keeper *k, const char *temporary, const char *path)
{
	int ends[2];
	pid_t pid;

	k->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return err_new_errno(errno, "%s: cannot be written", path);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		keeper_live(ends[1], temporary, path);
	}
	close(ends[1]);
	if (pid < 0) {
		int errno_value = errno;

		close(ends[0]);
		return err_new_errno(errno_value, "%s: cannot be written", path);
	}
	k->fd = ends[0];
	return NULL;
}

int keeper_end(struct keeper *k, bool rename)
{
	char order = rename ? KEEPER_RENAME : KEEPER_REMOVE;
	int outcome = EPIPE;

	if (write(k->fd, &order, 1) != 1 ||
	    read(k->fd, &outcome, sizeof(outcome)) != (ssize_t)sizeof(outcome))
		outcome = EPIPE;
	close(k->fd);
	k->fd = -1;
	return outcome;
}

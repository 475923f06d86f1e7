// SPDX-License-Identifier: GPL-2.0-or-later
/* See child.h. */
#include "lab/scene/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum { RUN_SECONDS_MAX = 10, NOT_THERE = 127, SAID_BYTES_MAX = 400 };

void child_words_init(struct child_words *w)
{
	*w = (struct child_words){0};
}

void child_words_deinit(struct child_words *w)
{
	for (size_t i = 0; i < w->count && i < CHILD_WORDS_MAX; i++)
		free(w->words[i]);
	child_words_init(w);
}

void child_words_add(struct child_words *w, const char *word)
{
	if (w->count < CHILD_WORDS_MAX)
		w->words[w->count] = mem_copy(word, strlen(word));
	w->count++;
}

/* In the child: becomes the program, or ends. */
static void become(int netns_fd, const struct child_words *w, int out_fd, int err_fd)
	__attribute__((noreturn));

static void become(int netns_fd, const struct child_words *w, int out_fd, int err_fd)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (netns_fd >= 0 && setns(netns_fd, CLONE_NEWNET) != 0)
		_exit(NOT_THERE - 1);
	if (dup2(nothing, 0) < 0 || dup2(out_fd >= 0 ? out_fd : nothing, 1) < 0 ||
	    dup2(err_fd >= 0 ? err_fd : nothing, 2) < 0)
		_exit(NOT_THERE - 1);
	(void)execvp(w->words[0], w->words);
	_exit(NOT_THERE);
}

struct err *child_start(int netns_fd, const struct child_words *w, int out_fd, int err_fd,
			pid_t *out)
{
	pid_t pid;

	if (w->count == 0 || w->count > CHILD_WORDS_MAX)
		return err_new("a command of %zu words: 1 to %d can be", w->count, CHILD_WORDS_MAX);
	pid = fork();
	if (pid < 0)
		return err_new_errno(errno, "cannot start %s", w->words[0]);
	if (pid == 0)
		become(netns_fd, w, out_fd, err_fd);
	*out = pid;
	return NULL;
}

/* What the program says, until it ends or the time is up: false then. */
static bool listen_to(int fd, struct strbuf *said)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char bytes[512];
	ssize_t n;

	for (;;) {
		if (poll(&p, 1, RUN_SECONDS_MAX * 1000) <= 0)
			return false;
		n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			return true;
		while (n > 0 && bytes[n - 1] == '\n')
			n--;
		if (said->len < SAID_BYTES_MAX)
			strbuf_add_safe(said, slice_make(bytes, (size_t)n));
	}
}

static struct err *judge(const struct child_words *w, int status, const struct strbuf *said)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_THERE)
		return err_new("%s is not installed", w->words[0]);
	return err_new("%s %s %s failed: %s", w->words[0], w->count > 1 ? w->words[1] : "",
		       w->count > 2 ? w->words[2] : "", said->len ? strbuf_text(said) : "no word");
}

struct err *child_run(int netns_fd, const struct child_words *w)
{
	struct strbuf said;
	struct err *err;
	int ends[2];
	int status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_new_errno(errno, "no pipe");
	err = child_start(netns_fd, w, ends[1], ends[1], &pid);
	(void)close(ends[1]);
	if (err) {
		(void)close(ends[0]);
		return err;
	}
	strbuf_init(&said);
	if (!listen_to(ends[0], &said)) {
		(void)kill(pid, SIGKILL);
		strbuf_add_format(&said, "no end after %d s", RUN_SECONDS_MAX);
	}
	(void)close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	err = judge(w, status, &said);
	strbuf_deinit(&said);
	return err;
}

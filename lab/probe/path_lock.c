// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See path_lock.h. The calls are made by a child, which may hang in them for as long as a server is
 * silent; the parent tells of it.
 */
#include "lab/probe/path_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/stamp.h"
#include "net/timer.h"

/* So often a wait is told. */
static const int64_t waits_ns = 5 * STAMP_NS_PER_S;

/* What the child has come to. */
enum step { OPENING, ASKING, HOLDING, UNLOCKING, RESTING, STEPS };

struct told {
	uint8_t step;
	bool has_failed; /* in it: `error` */
	int error;
};

struct task {
	struct net_loop loop;
	struct net_timer waits, end;
	struct ev_io pipe;
	int fd;
	enum step step;
	int64_t since_ns; /* of the step */
	struct err *failure;
};

/* --- the child --- */

static void tell(int fd, enum step step, int error)
{
	struct told t = {.step = (uint8_t)step, .has_failed = error != 0, .error = error};

	if (write(fd, &t, sizeof(t)) != sizeof(t) || error)
		_exit(1);
}

static void rest(int64_t ns, double speed)
{
	int64_t real_ns = (int64_t)((double)ns / speed);
	struct timespec t = {.tv_sec = real_ns / STAMP_NS_PER_S,
			     .tv_nsec = (long)(real_ns % STAMP_NS_PER_S)};

	nanosleep(&t, NULL);
}

static void set_lock(int file, short type, int fd, enum step step)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

	tell(fd, step, 0);
	if (fcntl(file, F_SETLKW, &lock) != 0)
		tell(fd, step, errno);
}

static void child_run(const struct probe_words *words, double speed, int fd)
{
	int file;

	tell(fd, OPENING, 0);
	file = open(words->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (file < 0)
		tell(fd, OPENING, errno);
	for (;;) {
		set_lock(file, F_WRLCK, fd, ASKING);
		tell(fd, HOLDING, 0);
		rest(words->hold_ns, speed);
		set_lock(file, F_UNLCK, fd, UNLOCKING);
		tell(fd, RESTING, 0);
		rest(words->every_ns, speed);
	}
}

/* --- the parent --- */

static double seconds(int64_t ns)
{
	return (double)ns / (double)STAMP_NS_PER_S;
}

static const char *step_name(enum step step)
{
	static const char *const names[STEPS] = {[OPENING] = "open",
						 [ASKING] = "lock",
						 [HOLDING] = "hold",
						 [UNLOCKING] = "unlock",
						 [RESTING] = "rest"};

	return names[step];
}

static bool is_call(enum step step)
{
	return step != HOLDING && step != RESTING;
}

/* The step before has come to its end. */
static void say(const struct task *t, const char *what, int64_t now_ns)
{
	printf("%12.6f %s: %s %.6f s\n", seconds(now_ns), step_name(t->step), what,
	       seconds(now_ns - t->since_ns));
	fflush(stdout);
}

static void on_waits(void *context)
{
	struct task *t = context;

	if (is_call(t->step))
		say(t, "waits for", net_loop_now_ns(&t->loop));
	net_timer_start(&t->waits, waits_ns);
}

static void on_end(void *context)
{
	struct task *t = context;

	net_loop_stop(&t->loop);
}

static void on_told(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct task *t = watcher->data;
	int64_t now_ns = net_loop_now_ns(&t->loop);
	struct told told;

	(void)ev, (void)events;
	if (read(t->fd, &told, sizeof(told)) != sizeof(told)) {
		net_loop_stop(&t->loop);
		return;
	}
	if (told.has_failed) {
		t->failure = err_new_errno(told.error, "%s", step_name((enum step)told.step));
		net_loop_stop(&t->loop);
		return;
	}
	/* A message begins a step: it ends the one before. */
	if (is_call(t->step) && t->since_ns >= 0)
		say(t, "took", now_ns);
	t->step = (enum step)told.step;
	t->since_ns = now_ns;
	net_timer_start(&t->waits, waits_ns);
}

static void watch_child(struct task *t, int64_t for_ns)
{
	net_timer_init(&t->waits, &t->loop, on_waits, t);
	net_timer_init(&t->end, &t->loop, on_end, t);
	if (for_ns < INT64_MAX)
		net_timer_start(&t->end, for_ns);
	ev_io_init(&t->pipe, on_told, t->fd, EV_READ);
	t->pipe.data = t;
	ev_io_start(t->loop.ev, &t->pipe);
	net_loop_run(&t->loop);
	ev_io_stop(t->loop.ev, &t->pipe);
	net_timer_deinit(&t->waits);
	net_timer_deinit(&t->end);
}

struct err *probe_path_lock(const struct probe_words *words, double speed)
{
	struct task t = {.since_ns = -1};
	struct err *err = net_loop_init(&t.loop, speed);
	int ends[2];
	pid_t child;

	if (err)
		return err;
	if (pipe(ends) != 0 || (child = fork()) < 0) {
		err = err_new_errno(errno, "no process for it");
		net_loop_deinit(&t.loop);
		return err;
	}
	if (child == 0) {
		close(ends[0]);
		child_run(words, speed, ends[1]);
	}
	close(ends[1]);
	t.fd = ends[0];
	watch_child(&t, words->for_ns);
	kill(child, SIGKILL);
	/* One that hangs in the kernel is not waited for. */
	waitpid(child, NULL, WNOHANG);
	close(ends[0]);
	net_loop_deinit(&t.loop);
	return t.failure;
}

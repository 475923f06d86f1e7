// SPDX-License-Identifier: GPL-2.0-or-later
/* See stage.h. */
#include "lab/scene/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stamp.h"
#include "lab/scene/stage_act.h"

enum {
	READY_WAIT_S = 20, /* for programs to listen */
	TAIL_MS = 200,     /* packets under way at the end, of the wall's time */
	POLL_MS_MAX = 100,
};

/* What the stage's process tells the one that wants the scene. */
struct told {
	struct stage_result result;
	char error[STAGE_ERROR_BYTES]; /* "": none */
};

static struct err *open_taps(struct stage *s)
{
	struct strbuf label;
	struct strbuf path;
	struct err *err = NULL;

	strbuf_init(&label);
	strbuf_init(&path);
	stage_label(s->scene, s->options->speed, &label);
	for (size_t i = 0; i < s->scene->host_count && !err; i++) {
		struct err *back;

		strbuf_reset(&path);
		strbuf_add_format(&path, "%s/%s.pcap", s->options->folder, s->scene->hosts[i]);
		err = hosts_visit(&s->hosts, i);
		if (!err)
			err = tap_init(&s->taps[i], HOST_WIRE, strbuf_text(&path),
				       strbuf_text(&label), s->clock);
		back = hosts_visit(&s->hosts, SCENE_MIDDLE);
		if (!err)
			err = back;
		else
			err_destroy(back);
	}
	strbuf_deinit(&label);
	strbuf_deinit(&path);
	return err;
}

/* Programs that ended: the servers of a scene do not, unless it says so. */
static struct err *reap(struct stage *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < s->program_count; i++) {
			struct stage_program *p = &s->programs[i];
			bool clean = WIFEXITED(status) && WEXITSTATUS(status) <= 1;

			if (p->pid != pid)
				continue;
			p->gone = true;
			if (p->told_to || (clean && p->verb == SCENE_PROBE))
				continue;
			return err_new("%s at %s ended (%s %d); what it said is in programs.txt",
				       scene_verb_name(p->verb), s->scene->hosts[p->host],
				       WIFEXITED(status) ? "status" : "signal",
				       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		}
	}
	return NULL;
}

/* Waits until something comes, at most some milliseconds, and takes all that has come. */
static struct err *take(struct stage *s, int wait_ms)
{
	struct pollfd fds[SCENE_HOSTS_MAX + STAGE_PROGRAMS_MAX];
	struct err *err = NULL;
	nfds_t count = 0;

	for (size_t i = 0; i < s->scene->host_count; i++)
		fds[count++] = (struct pollfd){.fd = s->taps[i].fd, .events = POLLIN};
	for (size_t i = 0; i < s->program_count; i++)
		fds[count++] = (struct pollfd){.fd = s->programs[i].out_fd, .events = POLLIN};
	(void)poll(fds, count, wait_ms < POLL_MS_MAX ? wait_ms : POLL_MS_MAX);
	for (size_t i = 0; i < s->scene->host_count && !err; i++)
		err = tap_take(&s->taps[i]);
	for (size_t i = 0; i < s->program_count && !err; i++)
		if (fds[s->scene->host_count + i].revents)
			(void)stage_listen(s, &s->programs[i]);
	return err ? err : reap(s);
}

static struct err *take_until(struct stage *s, int64_t wall_ns)
{
	struct err *err = NULL;

	for (int64_t now; !err && (now = scene_clock_wall_ns()) < wall_ns;)
		err = take(s, (int)((wall_ns - now) / STAMP_NS_PER_MS) + 1);
	return err;
}

static bool all_ready(const struct stage *s)
{
	for (size_t i = 0; i < s->program_count; i++)
		if (!s->programs[i].ready)
			return false;
	return true;
}

/* Servers first: the story begins when they listen. */
static bool is_prelude(const struct scene_action *a)
{
	return a->at_ns == 0 && (a->verb == SCENE_SERVE || a->verb == SCENE_PROXY);
}

static struct err *play_prelude(struct stage *s)
{
	int64_t until_ns = scene_clock_wall_ns() + READY_WAIT_S * STAMP_NS_PER_S;
	struct err *err = NULL;

	for (size_t i = 0; i < s->scene->action_count && !err; i++) {
		const struct scene_action *a = &s->scene->actions[i];

		if (!is_prelude(a) || !scene_action_runs(a, s->options->twin))
			continue;
		err = stage_act(s, a);
		while (!err && !all_ready(s) && scene_clock_wall_ns() < until_ns)
			err = take(s, POLL_MS_MAX);
		if (!err && !all_ready(s))
			err = err_new("%s at %s is not ready after %d s", scene_verb_name(a->verb),
				      scene_host_name(s->scene, a->host), READY_WAIT_S);
	}
	return err;
}

static struct err *play(struct stage *s)
{
	const struct scene *scene = s->scene;
	struct err *err = play_prelude(s);
	int64_t start_ns = scene_clock_wall_ns();

	for (size_t i = 0; i < scene->action_count && !err; i++) {
		const struct scene_action *a = &scene->actions[i];

		if (is_prelude(a) || !scene_action_runs(a, s->options->twin))
			continue;
		err = take_until(s, start_ns + a->at_ns / s->options->speed);
		if (!err)
			err = stage_act(s, a);
	}
	if (!err)
		err = take_until(s, start_ns + scene->seconds_ns / s->options->speed +
					    TAIL_MS * STAMP_NS_PER_MS);
	return err;
}

static struct err *finish(struct stage *s)
{
	struct err *err = NULL;

	for (size_t i = 0; i < s->scene->host_count && !err; i++) {
		err = tap_finish(&s->taps[i]);
		s->result->packets[i] = s->taps[i].packets;
		s->result->dropped[i] = s->taps[i].dropped;
	}
	return err;
}

static void stage_deinit(struct stage *s)
{
	for (size_t i = 0; i < s->program_count; i++) {
		if (!s->programs[i].gone)
			(void)kill(s->programs[i].pid, SIGKILL);
		strbuf_deinit(&s->programs[i].line);
	}
	for (size_t i = 0; i < s->scene->host_count; i++) {
		tap_deinit(&s->taps[i]);
		if (s->logs[i])
			(void)fclose(s->logs[i]);
	}
	if (s->said)
		(void)fclose(s->said);
	hosts_deinit(&s->hosts);
}

/* In the stage's own process, the first of its kind: what it started ends with it. */
static struct err *stage_play(const struct scene *scene, const struct stage_options *options,
			      struct stage_result *result)
{
	struct stage s = {.scene = scene, .options = options, .result = result};
	struct err *err;

	s.clock = (struct scene_clock){.from_ns = scene_clock_wall_ns(), .speed = options->speed};
	for (size_t i = 0; i < SCENE_HOSTS_MAX; i++)
		s.taps[i].fd = -1;
	err = hosts_init(&s.hosts, scene, options->speed == 1);
	if (!err)
		err = stage_file_open(&s, "programs", ".txt", &s.said);
	if (!err) {
		setvbuf(s.said, NULL, _IOLBF, BUFSIZ);
		err = open_taps(&s);
	}
	if (!err)
		err = play(&s);
	if (!err)
		err = finish(&s);
	stage_deinit(&s);
	return err;
}

static void tell(int fd, const struct told *told)
{
	const char *bytes = (const char *)told;

	for (size_t sent = 0; sent < sizeof(*told);) {
		ssize_t n = write(fd, bytes + sent, sizeof(*told) - sent);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
}

static void note_error(struct told *told, struct err *err)
{
	if (err)
		(void)snprintf(told->error, sizeof(told->error), "%s", err_text(err));
	err_destroy(err);
}

/* Two processes: the first makes the namespaces, the second is the first inside of them. */
static void process_main(const struct scene *scene, const struct stage_options *options, int fd)
{
	struct told told = {0};
	pid_t inside;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	note_error(&told, hosts_enter());
	inside = told.error[0] ? 0 : fork();
	if (inside > 0) {
		(void)waitpid(inside, NULL, 0);
		return;
	}
	if (inside < 0)
		note_error(&told, err_new_errno(errno, "no process for the stage"));
	if (!told.error[0]) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		note_error(&told, stage_play(scene, options, &told.result));
	}
	tell(fd, &told);
}

static struct err *hear(int fd, struct stage_result *out)
{
	struct told told = {0};
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(told) && (n = read(fd, (char *)&told + len, sizeof(told) - len)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	if (len < sizeof(told))
		return err_new("the stage ended before the scene did");
	if (told.error[0])
		return err_new("%s", told.error);
	*out = told.result;
	return NULL;
}

struct err *stage_run(const struct scene *scene, const struct stage_options *options,
		      struct stage_result *out)
{
	struct err *err = hosts_check_programs();
	int ends[2];
	pid_t pid;

	if (err)
		return err;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_new_errno(errno, "no pipe");
	pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		process_main(scene, options, ends[1]);
		_exit(0);
	}
	(void)close(ends[1]);
	err = pid < 0 ? err_new_errno(errno, "no process for the stage") : hear(ends[0], out);
	(void)close(ends[0]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return err;
}

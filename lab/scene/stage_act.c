// SPDX-License-Identifier: GPL-2.0-or-later
/* See stage_act.h. */
#include "lab/scene/stage_act.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/stamp.h"
#include "lab/scene/child.h"

void stage_label(const struct scene *scene, unsigned speed, struct strbuf *out)
{
	strbuf_add_format(out, "nfsleuth reproduce %s: staged, not an incident", scene->name);
	if (speed > 1)
		strbuf_add_format(out, "; time is stretched %u times, TCP's own timers are not",
				  speed);
}

struct err *stage_file_open(const struct stage *stage, const char *name, const char *suffix,
			    FILE **out)
{
	struct strbuf path;
	struct err *err = NULL;

	strbuf_init(&path);
	strbuf_add_format(&path, "%s/%s%s", stage->options->folder, name, suffix);
	*out = fopen(strbuf_text(&path), "we");
	if (!*out)
		err = err_new_errno(errno, "%s", strbuf_text(&path));
	strbuf_deinit(&path);
	return err;
}

static int netns_of(const struct stage *s, size_t host)
{
	return s->hosts.netns_fd[hosts_index(host)];
}

/* The action's words behind those given, with addresses for $HOST. */
static void add_words(const struct stage *s, const struct scene_action *a, struct child_words *w)
{
	struct strbuf text;

	strbuf_init(&text);
	for (size_t i = 0; i < a->count; i++) {
		strbuf_reset(&text);
		scene_word_expand(s->scene, s->scene->words[a->first + i], &text);
		child_words_add(w, strbuf_text(&text));
	}
	strbuf_deinit(&text);
}

/* One command with these first words, NULL-terminated, and the action's behind them. */
static struct err *run_words(struct stage *s, const struct scene_action *a,
			     const char *const *first, bool with_words)
{
	struct child_words w;
	struct err *err;

	child_words_init(&w);
	for (; *first; first++)
		child_words_add(&w, *first);
	if (with_words)
		add_words(s, a, &w);
	err = child_run(netns_of(s, a->host), &w);
	child_words_deinit(&w);
	return err;
}

/* A switch filters frames; a router and a host filter packets. */
static const char *nft_family(const struct stage *s, const struct scene_action *a)
{
	return a->host == SCENE_MIDDLE && !s->scene->routed ? "bridge" : "inet";
}

static struct err *act_nft(struct stage *s, const struct scene_action *a)
{
	const char *family = nft_family(s, a);
	const char *chain = s->scene->words[a->first];
	const char *const table[] = {"nft", "add", "table", family, "scene", NULL};
	const char *const where[] = {"nft", "add",  "chain",  family, "scene", chain,
				     "{",   "type", "filter", "hook", chain,   "priority",
				     "0",   ";",    "}",      NULL};
	const char *const rule[] = {"nft", "add", "rule", family, "scene", NULL};
	struct err *err = run_words(s, a, table, false);

	if (!err)
		err = run_words(s, a, where, false);
	return err ? err : run_words(s, a, rule, true);
}

static struct err *act_heal(struct stage *s, const struct scene_action *a)
{
	return run_words(s, a, (const char *const[]){"nft", "flush", "ruleset", NULL}, false);
}

static struct err *act_link(struct stage *s, const struct scene_action *a)
{
	const char *const words[] = {"ip", "link", "set", HOST_WIRE, NULL};
	struct err *err = run_words(s, a, words, true);
	char gateway[SCENE_ADDRESS_BYTES];

	/* A link that goes down takes its routes along. */
	if (err || !s->scene->routed || strcmp(s->scene->words[a->first], "up") != 0)
		return err;
	scene_gateway(s->scene, a->host, gateway);
	return run_words(s, a,
			 (const char *const[]){"ip", s->scene->ipv6 ? "-6" : "-4", "route",
					       "replace", "default", "via", gateway, NULL},
			 false);
}

static struct err *act_mtu(struct stage *s, const struct scene_action *a)
{
	const char *const words[] = {"ip", "link", "set", HOST_WIRE, "mtu", NULL};

	return run_words(s, a, words, true);
}

static struct err *act_tool(struct stage *s, const struct scene_action *a)
{
	return run_words(s, a, (const char *const[]){scene_verb_name(a->verb), NULL}, true);
}

static struct err *act_sysctl(struct stage *s, const struct scene_action *a)
{
	const char *const *words = &s->scene->words[a->first];

	return hosts_sysctl(&s->hosts, a->host, words[0], words[1]);
}

/* The newest program of that name at the host. */
static struct err *act_signal(struct stage *s, const struct scene_action *a)
{
	const int numbers[SCENE_VERBS] = {
		[SCENE_STOP] = SIGSTOP, [SCENE_CONTINUE] = SIGCONT, [SCENE_KILL] = SIGKILL};
	const char *name = s->scene->words[a->first];

	for (size_t i = s->program_count; i-- > 0;) {
		struct stage_program *p = &s->programs[i];

		if (p->host != a->host || p->gone || strcmp(scene_verb_name(p->verb), name) != 0)
			continue;
		p->told_to = p->told_to || a->verb == SCENE_KILL;
		if (kill(p->pid, numbers[a->verb]) == 0)
			return NULL;
	}
	return err_new("scene %s, line %u: no %s is running there", s->scene->name, a->line, name);
}

/* The log of a host says of itself what it is. */
static struct err *log_open(struct stage *s, size_t host)
{
	struct strbuf label;
	struct err *err;

	if (s->logs[host])
		return NULL;
	err = stage_file_open(s, s->scene->hosts[host], ".log", &s->logs[host]);
	if (err)
		return err;
	strbuf_init(&label);
	stage_label(s->scene, s->options->speed, &label);
	(void)fprintf(s->logs[host], "# %s\n# the words are the kernel's, said by nfsleuth probe\n",
		      strbuf_text(&label));
	strbuf_deinit(&label);
	s->result->has_log[host] = true;
	return NULL;
}

static struct err *program_start(struct stage *s, const struct scene_action *a,
				 struct child_words *w)
{
	struct stage_program *p = &s->programs[s->program_count];
	struct err *err;
	int ends[2];

	if (s->program_count == STAGE_PROGRAMS_MAX)
		return err_new("more than %d programs in one scene", STAGE_PROGRAMS_MAX);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_new_errno(errno, "no pipe");
	(void)fcntl(ends[1], F_SETFL, 0);
	*p = (struct stage_program){.verb = a->verb, .host = a->host, .out_fd = ends[0]};
	strbuf_init(&p->line);
	err = child_start(netns_of(s, a->host), w, ends[1], fileno(s->said), &p->pid);
	(void)close(ends[1]);
	if (err)
		(void)close(ends[0]);
	else
		s->program_count++;
	return err;
}

/* What every server of a scene has: its address, and the ports by which it is known. */
static void add_server_words(const struct stage *s, size_t host, struct child_words *w)
{
	static const char *const ports[] = {"portmap=111", "nfs=2049", "mount=20048", "nlm=32803"};
	struct strbuf word;
	char address[SCENE_ADDRESS_BYTES];

	strbuf_init(&word);
	scene_address(s->scene, host, address);
	strbuf_add_format(&word, "--listen=%s", address);
	child_words_add(w, strbuf_text(&word));
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		strbuf_reset(&word);
		strbuf_add_format(&word, "--port=%s", ports[i]);
		child_words_add(w, strbuf_text(&word));
	}
	strbuf_deinit(&word);
}

/* The faults that the scene has for the programs of this host. */
static void add_rules(const struct stage *s, size_t host, struct child_words *w)
{
	struct strbuf word;

	strbuf_init(&word);
	for (size_t i = 0; i < s->scene->action_count; i++) {
		const struct scene_action *a = &s->scene->actions[i];

		if (a->verb != SCENE_RULE || a->host != host ||
		    !scene_action_runs(a, s->options->twin))
			continue;
		strbuf_reset(&word);
		strbuf_add_text(&word, "--fault=");
		scene_word_expand(s->scene, s->scene->words[a->first], &word);
		child_words_add(w, strbuf_text(&word));
	}
	strbuf_deinit(&word);
}

static struct err *act_nothing(struct stage *s, const struct scene_action *a)
{
	(void)s;
	(void)a;
	return NULL;
}

static struct err *act_program(struct stage *s, const struct scene_action *a)
{
	struct child_words w;
	struct strbuf speed;
	struct err *err = a->verb == SCENE_PROBE ? log_open(s, a->host) : NULL;

	if (err)
		return err;
	strbuf_init(&speed);
	strbuf_add_format(&speed, "--speed=%u", s->options->speed);
	child_words_init(&w);
	child_words_add(&w, s->options->program);
	child_words_add(&w, scene_verb_name(a->verb));
	if (a->verb == SCENE_SERVE)
		add_server_words(s, a->host, &w);
	if (a->verb != SCENE_PROBE)
		add_rules(s, a->host, &w);
	add_words(s, a, &w);
	if (s->options->speed > 1)
		child_words_add(&w, strbuf_text(&speed));
	err = program_start(s, a, &w);
	child_words_deinit(&w);
	strbuf_deinit(&speed);
	return err;
}

static struct err *(*const acts[SCENE_VERBS])(struct stage *, const struct scene_action *) = {
	[SCENE_SERVE] = act_program,   [SCENE_PROXY] = act_program, [SCENE_PROBE] = act_program,
	[SCENE_RULE] = act_nothing,    [SCENE_NFT] = act_nft,       [SCENE_HEAL] = act_heal,
	[SCENE_LINK] = act_link,       [SCENE_MTU] = act_mtu,       [SCENE_IP] = act_tool,
	[SCENE_TC] = act_tool,         [SCENE_SYSCTL] = act_sysctl, [SCENE_STOP] = act_signal,
	[SCENE_CONTINUE] = act_signal, [SCENE_KILL] = act_signal,
};

struct err *stage_act(struct stage *stage, const struct scene_action *action)
{
	struct err *err = acts[action->verb](stage, action);
	struct err *named;

	if (!err)
		return NULL;
	named = err_new("at %g s, %s: %s", (double)action->at_ns / (double)STAMP_NS_PER_S,
			scene_host_name(stage->scene, action->host), err_text(err));
	err_destroy(err);
	return named;
}

/* A line of a program: the probe's into its host's log, as the kernel's. */
static void take_line(struct stage *s, struct stage_program *p)
{
	FILE *log = p->verb == SCENE_PROBE ? s->logs[p->host] : NULL;
	struct stamp now = stamp_utc(scene_clock_story_ns(&s->clock, scene_clock_wall_ns()));
	char time[STAMP_TEXT_BYTES];

	p->ready = true;
	stamp_format(now, time);
	if (log)
		(void)fprintf(log, "%.26s+00:00 %s kernel: %s\n", time, s->scene->hosts[p->host],
			      strbuf_text(&p->line));
	else
		(void)fprintf(s->said, "%.26sZ %s %s: %s\n", time, s->scene->hosts[p->host],
			      scene_verb_name(p->verb), strbuf_text(&p->line));
	strbuf_reset(&p->line);
}

bool stage_listen(struct stage *stage, struct stage_program *program)
{
	char bytes[4096];
	ssize_t n = read(program->out_fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		(void)close(program->out_fd);
		program->out_fd = -1;
		return false;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == '\n' || program->line.len == STAGE_LINE_BYTES_MAX)
			take_line(stage, program);
		if (bytes[i] != '\n')
			strbuf_add_char(&program->line, bytes[i]);
	}
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The language of scenes: who is there, what happens when, and what it must be diagnosed as. Pure:
 * text goes in, a list of actions comes out; docs/howto-scene.md tells how one is written.
 */
#ifndef LAB_SCENE_SCRIPT_H
#define LAB_SCENE_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

enum {
	SCENE_HOSTS_MAX = 6,
	SCENE_EXPECTS_MAX = 8,
	SCENE_ACTIONS_MAX = 64,
	SCENE_WORDS_MAX = 640,
	SCENE_TEXT_BYTES_MAX = 16384,
	SCENE_SECONDS_MAX = 3600,
	SCENE_SPEED_MAX = 100,
	SCENE_ADDRESS_BYTES = 24, /* room for any address of a host */
};

/* Which of the two runs an action belongs to. */
enum scene_run { SCENE_BOTH, SCENE_STAGED, SCENE_TWIN };

/* What an action does; the rows of scene_verbs in script.c. */
enum scene_verb {
	SCENE_SERVE,    /* nfsleuth serve ..., until the scene ends or it is told otherwise */
	SCENE_PROXY,    /* nfsleuth proxy ... */
	SCENE_RULE,     /* STATEMENT: a fault of the server or proxy that starts there */
	SCENE_PROBE,    /* nfsleuth probe ...: its words are the host's kernel log */
	SCENE_NFT,      /* CHAIN RULE: a rule of the packet filter */
	SCENE_HEAL,     /* all rules of the packet filter are gone */
	SCENE_LINK,     /* up or down */
	SCENE_MTU,      /* BYTES */
	SCENE_IP,       /* ip ... */
	SCENE_TC,       /* tc ... */
	SCENE_SYSCTL,   /* KEY VALUE, below /proc/sys/net */
	SCENE_STOP,     /* PROGRAM: SIGSTOP */
	SCENE_CONTINUE, /* PROGRAM: SIGCONT */
	SCENE_KILL,     /* PROGRAM: SIGKILL */
	SCENE_VERBS,
};

/* Where an action happens that is no host: the switch or router between them. */
enum { SCENE_MIDDLE = SCENE_HOSTS_MAX };

struct scene_action {
	unsigned line; /* of the script, from 1 */
	enum scene_run run;
	enum scene_verb verb;
	int64_t at_ns;       /* since the story began, in the story's time */
	size_t host;         /* index of hosts, or SCENE_MIDDLE */
	size_t first, count; /* its words, of scene.words */
};

struct scene {
	char *text; /* what the words point into */
	char name[64];
	const char *title;
	const char *letter; /* of the catalogue of the field; "" when there is none */
	const char *expects[SCENE_EXPECTS_MAX]; /* ids, any of which may be the headline */
	size_t expect_count;
	const char *hosts[SCENE_HOSTS_MAX];
	size_t host_count;
	bool ipv6;          /* the hosts have addresses of IPv6, and no others */
	bool routed;        /* a router stands between the hosts, and not a switch */
	unsigned speed;     /* the story's seconds in one of the wall's */
	int64_t seconds_ns; /* how long it is, in its own time */
	struct scene_action actions[SCENE_ACTIONS_MAX];
	size_t action_count;
	const char *words[SCENE_WORDS_MAX];
	size_t word_count;
};

/*
 * Reads a script; `name` is what it is called. Fails on a line that is wrong: the text says which
 * and how. On success the caller calls scene_deinit.
 */
struct err *scene_parse(const char *name, struct slice text, struct scene *out);
void scene_deinit(struct scene *scene);

/* True when the action happens in the staged run or, with `twin`, in the run without the fault. */
bool scene_action_runs(const struct scene_action *action, bool twin);

const char *scene_verb_name(enum scene_verb verb);
const char *scene_host_name(const struct scene *scene, size_t host);

/*
 * The address of a host: 10.77.0.N behind a switch, 10.77.N.1 behind a router; fd77::N, fd77:N::1.
 */
void scene_address(const struct scene *scene, size_t host, char text[SCENE_ADDRESS_BYTES]);

/* The router's address in the network of a host. */
void scene_gateway(const struct scene *scene, size_t host, char text[SCENE_ADDRESS_BYTES]);

/* Appends the word with each $HOST replaced by that host's address. */
void scene_word_expand(const struct scene *scene, const char *word, struct strbuf *out);

#endif

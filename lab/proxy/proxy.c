// SPDX-License-Identifier: GPL-2.0-or-later
/* See proxy.h. */
#include "lab/proxy/private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { NOTE_BYTES = 512 };

static bool link_has_id(const void *item, const void *key)
{
	return ((const struct proxy_link *)item)->id == *(const uint64_t *)key;
}

struct proxy *proxy_create(struct net_loop *loop, struct fault_engine *engine, proxy_note_fn *note,
			   void *context)
{
	struct proxy *proxy = mem_alloc(1, sizeof(*proxy));

	proxy->loop = loop;
	proxy->engine = engine;
	proxy->note = note;
	proxy->note_context = context;
	fault_paths_init(&proxy->paths);
	map_init(&proxy->by_id, link_has_id);
	proxy_hold_init(proxy);
	strbuf_init(&proxy->message);
	strbuf_init(&proxy->rewritten);
	strbuf_init(&proxy->changed);
	strbuf_init(&proxy->framed);
	strbuf_init(&proxy->callback);
	return proxy;
}

void proxy_destroy(struct proxy *proxy)
{
	if (!proxy)
		return;
	while (proxy->links)
		proxy_link_destroy(proxy->links, false);
	fault_later_deinit(&proxy->held);
	for (size_t i = 0; i < proxy->routes_len; i++)
		proxy_route_destroy(proxy->routes[i]);
	map_deinit(&proxy->by_id);
	fault_paths_deinit(&proxy->paths);
	strbuf_deinit(&proxy->message);
	strbuf_deinit(&proxy->rewritten);
	strbuf_deinit(&proxy->changed);
	strbuf_deinit(&proxy->framed);
	strbuf_deinit(&proxy->callback);
	free(proxy);
}

static struct err *act(void *context, const struct fault_server_request *request)
{
	struct proxy **proxy = context;

	if (*proxy && request->action == FAULT_SHUT)
		proxy_shut(*proxy, request->program, request->duration_ns);
	return NULL;
}

const struct fault_server_ops proxy_fault_ops = {.act = act, .has_ports_only = true};

void proxy_note(struct proxy *proxy, const char *format, ...)
{
	char text[NOTE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	proxy->note(proxy->note_context, text);
}

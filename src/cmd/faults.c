// SPDX-License-Identifier: GPL-2.0-or-later
/* See faults.h. */
#include "cmd/faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/endpoints.h"

static void print_line(struct strbuf *line)
{
	strbuf_add_char(line, '\n');
	fwrite(line->data, 1, line->len, stdout);
	/* Who waits for the fault shall see it at once. */
	fflush(stdout);
}

static void on_fired(void *context, const struct fault_firing *firing)
{
	const struct faults *f = context;
	struct strbuf line;
	struct json j;

	strbuf_init(&line);
	if (f->json) {
		json_init(&j, &line, false);
		fault_firing_add_json(&j, firing);
	} else {
		fault_firing_add_text(&line, firing);
	}
	print_line(&line);
	strbuf_deinit(&line);
}

static void on_tick(void *context);

static void wait_for_next(struct faults *f)
{
	int64_t next_ns = fault_engine_next_ns(f->engine);

	if (next_ns == INT64_MAX)
		net_timer_stop(&f->tick);
	else
		net_timer_start(&f->tick, next_ns - net_loop_now_ns(f->loop));
}

static void on_tick(void *context)
{
	struct faults *f = context;

	fault_engine_tick(f->engine, net_loop_now_ns(f->loop));
	wait_for_next(f);
}

static void on_control(void *context, struct slice line, struct strbuf *answer)
{
	struct faults *f = context;

	fault_control(f->engine, line, net_loop_now_ns(f->loop), answer);
	wait_for_next(f);
}

static struct err *add_faults(struct faults *f, const struct options *options)
{
	struct err *err = NULL;

	for (size_t i = 0; i < options->script.len && !err; i++) {
		struct strbuf script;

		strbuf_init(&script);
		err = endpoint_read_file(options->script.items[i], FAULT_SCRIPT_BYTES_MAX, &script);
		if (!err)
			err = fault_engine_add(f->engine, options->script.items[i],
					       slice_make(script.data, script.len));
		strbuf_deinit(&script);
	}
	for (size_t i = 0; i < options->fault.len && !err; i++)
		err = fault_engine_add(f->engine, "--fault",
				       slice_of_string(options->fault.items[i]));
	return err;
}

static struct err *take_seed(const char *text, uint64_t *seed)
{
	char *end;

	*seed = 1;
	if (!text)
		return NULL;
	errno = 0;
	*seed = strtoull(text, &end, 0);
	if (end == text || *end || errno || text[0] == '-')
		return err_new("--seed=%s: it must be a number", text);
	return NULL;
}

struct err *faults_init(struct faults *f, struct net_loop *loop, const struct options *options,
			const struct fault_server_ops *ops, void *context)
{
	uint64_t seed;
	struct err *err = take_seed(options->seed, &seed);

	*f = (struct faults){.loop = loop, .json = options->json};
	if (err)
		return err;
	f->engine = fault_engine_create(seed, net_loop_now_ns(loop));
	fault_engine_on_fired(f->engine, on_fired, f);
	if (ops)
		fault_engine_serve(f->engine, ops, context);
	net_timer_init(&f->tick, loop, on_tick, f);
	err = add_faults(f, options);
	if (!err && options->control)
		err = net_control_create(loop, options->control, on_control, f, &f->control);
	if (err)
		faults_deinit(f);
	else
		wait_for_next(f);
	return err;
}

void faults_deinit(struct faults *f)
{
	net_timer_deinit(&f->tick);
	net_control_destroy(f->control);
	fault_engine_destroy(f->engine);
}

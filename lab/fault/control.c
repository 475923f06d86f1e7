// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the control socket: see fault_control in fault.h. */
#include "lab/fault/fault.h"

static struct err *take_name(struct fault_words *w, const char **out)
{
	*out = fault_words_at_end(w) ? NULL : fault_words_take(w);
	return *out ? NULL : err_new("the name of a fault is missing; \"list\" shows them");
}

static struct err *do_named(struct fault_engine *engine, struct fault_words *w, int64_t now_ns,
			    struct err *(*act)(struct fault_engine *, const char *, uint64_t,
					       int64_t))
{
	char name[FAULT_NAME_BYTES_MAX + 1];
	const char *word;
	uint64_t times = 1;
	struct err *err = take_name(w, &word);

	if (!err && strlen(word) >= sizeof(name))
		err = err_new("there is no fault of that name");
	if (err)
		return err;
	memcpy(name, word, strlen(word) + 1);
	if (!fault_words_at_end(w))
		err = fault_words_number(w, "times", 1, UINT32_MAX, &times);
	return err ? err : act(engine, name, times, now_ns);
}

static struct err *act_remove(struct fault_engine *engine, const char *name, uint64_t times,
			      int64_t now_ns)
{
	(void)times, (void)now_ns;
	return fault_engine_remove(engine, name);
}

static struct err *act_on(struct fault_engine *engine, const char *name, uint64_t times,
			  int64_t now_ns)
{
	(void)times, (void)now_ns;
	return fault_engine_switch(engine, name, true);
}

static struct err *act_off(struct fault_engine *engine, const char *name, uint64_t times,
			   int64_t now_ns)
{
	(void)times, (void)now_ns;
	return fault_engine_switch(engine, name, false);
}

static struct err *dispatch(struct fault_engine *engine, struct fault_words *w, int64_t now_ns,
			    struct strbuf *out)
{
	if (fault_words_take_if(w, "add"))
		return fault_engine_add(engine, "add", w->rest);
	if (fault_words_take_if(w, "remove"))
		return do_named(engine, w, now_ns, act_remove);
	if (fault_words_take_if(w, "on"))
		return do_named(engine, w, now_ns, act_on);
	if (fault_words_take_if(w, "off"))
		return do_named(engine, w, now_ns, act_off);
	if (fault_words_take_if(w, "fire"))
		return do_named(engine, w, now_ns, fault_engine_fire);
	if (fault_words_take_if(w, "list")) {
		fault_engine_list(engine, out);
		return NULL;
	}
	if (!fault_words_take_if(w, "help"))
		return err_new("write add STATEMENT, remove NAME, on NAME, off NAME, "
			       "fire NAME [TIMES] or list");
	strbuf_add_text(out, "add STATEMENT\nremove NAME\non NAME\noff NAME\nfire NAME [TIMES]\n"
			     "list\n");
	return NULL;
}

void fault_control(struct fault_engine *engine, struct slice line, int64_t now_ns,
		   struct strbuf *out)
{
	struct fault_words w;
	struct err *err;

	fault_words_init(&w, line);
	err = dispatch(engine, &w, now_ns, out);
	if (err) {
		strbuf_add_text(out, "error: ");
		strbuf_add_safe(out, slice_of_string(err_text(err)));
		strbuf_add_char(out, '\n');
	} else {
		strbuf_add_text(out, "ok\n");
	}
	err_destroy(err);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See inert.h. */
#include "diagnose/inert.h"

#include "base/slice.h"
#include "base/strbuf.h"
#include "base/utf8.h"

static bool is_inert(struct slice text)
{
	for (size_t at = 0, len; at < text.len; at += len) {
		const uint8_t *p = text.ptr + at;

		len = utf8_sequence_bytes(slice_make(p, text.len - at));
		if (len == 0 || (utf8_is_unsafe(p, len) && *p != '\\'))
			return false;
	}
	return true;
}

static void make_inert(struct diagnosis *d, const char **text)
{
	struct slice bytes;
	struct strbuf sb;

	if (!*text)
		return;
	bytes = slice_of_string(*text);
	if (is_inert(bytes))
		return;
	strbuf_init(&sb);
	strbuf_add_inert(&sb, bytes);
	*text = arena_text(&d->arena, strbuf_text(&sb));
	strbuf_deinit(&sb);
}

static void texts_make_inert(struct diagnosis *d, struct vec *texts)
{
	for (size_t i = 0; i < texts->len; i++)
		make_inert(d, vec_at(texts, i));
}

static void finding_make_inert(struct diagnosis *d, struct finding *f)
{
	make_inert(d, &f->title);
	make_inert(d, &f->why);
	make_inert(d, &f->server);
	make_inert(d, &f->host);
	texts_make_inert(d, &f->clients);
	texts_make_inert(d, &f->remedy);
	for (size_t i = 0; i < f->subjects.len; i++) {
		struct subject *s = vec_at(&f->subjects, i);

		make_inert(d, &s->value);
	}
	for (size_t i = 0; i < f->cites.len; i++) {
		struct cite *c = vec_at(&f->cites, i);

		make_inert(d, &c->text);
	}
	for (size_t i = 0; i < f->ruled_out.len; i++) {
		struct ruled_out *r = vec_at(&f->ruled_out, i);

		make_inert(d, &r->because);
	}
}

void diagnosis_make_inert(struct diagnosis *d)
{
	for (size_t i = 0; i < d->findings.len; i++)
		finding_make_inert(d, finding_at(&d->findings, i));
	for (size_t i = 0; i < d->undecided.len; i++) {
		struct undecided *u = vec_at(&d->undecided, i);

		make_inert(d, &u->missing);
		make_inert(d, &u->how);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See xdr_make.h. The generator of numbers is splitmix64. */
#include "xdr_make.h"

static const struct {
	const char *spec;
	const struct make_type *types;
} make_rows[] = {
	{"mount", make_mount_types}, {"nfs2", make_nfs2_types},       {"nfs3", make_nfs3_types},
	{"nfs4", make_nfs4_types},   {"nfsacl", make_nfsacl_types},   {"nlm", make_nlm_types},
	{"nsm", make_nsm_types},     {"portmap", make_portmap_types}, {"rquota", make_rquota_types},
};

const struct make_type *make_types_find(const char *spec)
{
	for (size_t i = 0; i < make_types_count(); i++) {
		if (strcmp(make_rows[i].spec, spec) == 0)
			return make_rows[i].types;
	}
	return NULL;
}

size_t make_types_count(void)
{
	return sizeof(make_rows) / sizeof(make_rows[0]);
}

/* The next n bytes of the choices, in *value; false: they are used up. */
static bool make_chosen(struct make_random *r, size_t n, uint64_t *value)
{
	if (r->choices.len < n)
		return false;
	*value = 0;
	for (size_t i = 0; i < n; i++)
		*value = *value << 8 | r->choices.ptr[i];
	r->choices = slice_make(r->choices.ptr + n, r->choices.len - n);
	return true;
}

uint64_t make_u64(struct make_random *r)
{
	uint64_t z;

	if (make_chosen(r, sizeof(z), &z))
		return z;
	r->state += UINT64_C(0x9e3779b97f4a7c15);
	z = r->state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t make_below(struct make_random *r, uint32_t limit)
{
	uint64_t chosen;

	/* A byte is enough to choose among few. */
	if (limit <= 256 && make_chosen(r, 1, &chosen))
		return (uint32_t)(chosen % limit);
	return (uint32_t)(make_u64(r) % limit);
}

uint32_t make_u32(struct make_random *r)
{
	uint32_t any = (uint32_t)make_u64(r);

	switch (make_below(r, 4)) {
	case 0:
		return any % 16;
	case 1:
		return UINT32_MAX - any % 4;
	default:
		return any;
	}
}

uint32_t make_count(struct make_random *r, uint32_t limit)
{
	uint32_t count = make_below(r, 4);

	return count < limit ? count : limit;
}

void make_bytes(struct make_random *r, struct xdr_writer *w, uint32_t len)
{
	for (uint32_t i = 0; i < xdr_padded(len); i++) {
		uint64_t chosen;
		uint8_t byte = 0;

		if (i < len)
			byte = (uint8_t)(make_chosen(r, 1, &chosen) ? chosen : make_u64(r));
		xdr_put_raw(w, slice_make(&byte, 1));
	}
}

void make_opaque(struct make_random *r, struct xdr_writer *w, uint32_t limit)
{
	uint32_t len = make_below(r, 24);

	if (len > limit)
		len = limit;
	xdr_put_u32(w, len);
	make_bytes(r, w, len);
}

void make_bitmap(struct make_random *r, struct xdr_writer *w)
{
	uint32_t words = make_below(r, XDR_BITMAP_WORDS + 1);

	xdr_put_u32(w, words);
	for (uint32_t i = 0; i < words; i++)
		xdr_put_u32(w, make_u32(r));
}

bool make_flag(struct make_random *r, struct xdr_writer *w)
{
	bool flag = make_below(r, 2) != 0;

	xdr_put_bool(w, flag);
	return flag;
}

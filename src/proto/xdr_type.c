// SPDX-License-Identifier: GPL-2.0-or-later
/* The registry of generated types: a row for each specification; and the types of plain XDR. */
#include "proto/xdr_type.h"

#include "proto/mount_xdr.h"
#include "proto/nfs2_xdr.h"
#include "proto/nfs3_xdr.h"
#include "proto/nfs4_xdr.h"
#include "proto/nfsacl_xdr.h"
#include "proto/nlm_xdr.h"
#include "proto/nsm_xdr.h"
#include "proto/portmap_xdr.h"
#include "proto/rquota_xdr.h"

static const struct xdr_spec *const specs[] = {
	&nfs4_xdr_spec, &portmap_xdr_spec, &nfs3_xdr_spec, &mount_xdr_spec,  &nlm_xdr_spec,
	&nsm_xdr_spec,  &nfsacl_xdr_spec,  &nfs2_xdr_spec, &rquota_xdr_spec,
};

#define SPEC_COUNT (sizeof(specs) / sizeof(specs[0]))

static void bool_decode(struct cursor *c, void *out)
{
	*(bool *)out = cursor_bool(c);
}

static void bool_encode(struct xdr_writer *w, const void *in)
{
	xdr_put_bool(w, *(const bool *)in);
}

static void bool_print(struct xdr_printer *p, const char *field, const void *in)
{
	p->ops->put_bool(p, field, *(const bool *)in);
}

static void u32_decode(struct cursor *c, void *out)
{
	*(uint32_t *)out = cursor_u32(c);
}

static void u32_encode(struct xdr_writer *w, const void *in)
{
	xdr_put_u32(w, *(const uint32_t *)in);
}

static void u32_print(struct xdr_printer *p, const char *field, const void *in)
{
	p->ops->put_unsigned(p, field, *(const uint32_t *)in, NULL);
}

static void word_skip(struct cursor *c)
{
	cursor_skip(c, 4);
}

const struct xdr_type xdr_type_bool = {
	"bool", sizeof(bool), bool_decode, word_skip, bool_encode, bool_print,
};

const struct xdr_type xdr_type_u32 = {
	"uint32_t", sizeof(uint32_t), u32_decode, word_skip, u32_encode, u32_print,
};

const struct xdr_spec *const *xdr_specs(size_t *count)
{
	*count = SPEC_COUNT;
	return specs;
}

const struct xdr_procedure *xdr_procedure_find(uint32_t program, uint32_t version,
					       uint32_t procedure)
{
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		for (uint32_t j = 0; j < specs[i]->procedure_count; j++) {
			const struct xdr_procedure *row = &specs[i]->procedures[j];

			if (row->program == program && row->version == version &&
			    row->procedure == procedure)
				return row;
		}
	}
	return NULL;
}

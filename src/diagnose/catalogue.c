// SPDX-License-Identifier: GPL-2.0-or-later
/* Look-ups in the catalogue; its contents are made by tools/catalogue.py. */
#include "diagnose/catalogue.h"

#include <stdlib.h>
#include <string.h>

static int catalogue_page_compare(const void *id, const void *page)
{
	return strcmp(id, ((const struct catalogue_page *)page)->id);
}

static int catalogue_id_compare(const void *id, const void *entry)
{
	return strcmp(id, ((const struct catalogue_id *)entry)->id);
}

const struct catalogue_page *catalogue_find(const char *id)
{
	return bsearch(id, catalogue_pages, catalogue_pages_count, sizeof(catalogue_pages[0]),
		       catalogue_page_compare);
}

const struct catalogue_id *catalogue_id_find(const char *id)
{
	return bsearch(id, catalogue_ids, catalogue_ids_count, sizeof(catalogue_ids[0]),
		       catalogue_id_compare);
}

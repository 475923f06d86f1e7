// SPDX-License-Identifier: GPL-2.0-or-later
/* See longest.h. */
#include "model/longest.h"

void longest_init(struct longest *l, size_t max)
{
	*l = (struct longest){.max = max};
	vec_init(&l->entries, sizeof(struct longest_entry));
}

void longest_deinit(struct longest *l)
{
	vec_deinit(&l->entries);
}

size_t longest_count(const struct longest *l)
{
	return l->entries.len;
}

void *longest_at(const struct longest *l, size_t index)
{
	return ((struct longest_entry *)vec_at(&l->entries, index))->item;
}

static void longest_swap(struct longest_entry *a, struct longest_entry *b)
{
	struct longest_entry kept = *a;

	*a = *b;
	*b = kept;
}

static void longest_sift_down(struct longest_entry *e, size_t len)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < len; i = child) {
		if (child + 1 < len && e[child + 1].key < e[child].key)
			child++;
		if (e[i].key <= e[child].key)
			return;
		longest_swap(&e[i], &e[child]);
	}
}

void *longest_add(struct longest *l, int64_t key, void *item)
{
	struct longest_entry *e = l->entries.items;
	void *gone;

	if (l->entries.len == l->max) {
		l->dropped++;
		if (l->max == 0 || key <= e[0].key)
			return item;
		gone = e[0].item;
		e[0] = (struct longest_entry){key, item};
		longest_sift_down(e, l->entries.len);
		return gone;
	}
	*(struct longest_entry *)vec_push(&l->entries) = (struct longest_entry){key, item};
	e = l->entries.items;
	for (size_t i = l->entries.len - 1; i > 0 && e[i].key < e[(i - 1) / 2].key; i = (i - 1) / 2)
		longest_swap(&e[i], &e[(i - 1) / 2]);
	return NULL;
}

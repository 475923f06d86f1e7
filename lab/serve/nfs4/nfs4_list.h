/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doubly linked lists whose links lie in the items: an item is in several lists at once and leaves
 * each without a search. A head is a link that no item holds.
 */
#ifndef LAB_SERVE_NFS4_LIST_H
#define LAB_SERVE_NFS4_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct nfs4_link {
	struct nfs4_link *prev; /* NULL with next: in no list */
	struct nfs4_link *next;
};

/* The item that holds the link as its member. */
#define NFS4_ITEM(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void nfs4_list_init(struct nfs4_link *head)
{
	head->prev = head;
	head->next = head;
}

static inline bool nfs4_list_empty(const struct nfs4_link *head)
{
	return head->next == head;
}

static inline bool nfs4_link_listed(const struct nfs4_link *link)
{
	return link->next != NULL;
}

static inline void nfs4_list_append(struct nfs4_link *head, struct nfs4_link *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* Removing a link that is in no list is fine. */
static inline void nfs4_list_remove(struct nfs4_link *link)
{
	if (!link->next)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = NULL;
	link->next = NULL;
}

#endif

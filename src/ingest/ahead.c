// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See ahead.h. The batches are a ring: the reader fills one while others wait or are used up. A
 * batch is the reader's until it is published and the user's until it is given back, so that the
 * lock is taken twice a batch and not for each packet. To wake a thread costs as much as some dozen
 * packets: a reader that finds the ring full sleeps until most of it is free, and a user that
 * finds it empty until some batches are there. But of a pipe it does not wait for more than one:
 * there may be no more for hours.
 *
 * What costs most is that the lines of the ring are in the cache of the processor that had them
 * last. The reader asks for those that it will write some packets later, so that it need not wait.
 */
#include "ingest/ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
	AHEAD_BATCHES = 16,
	AHEAD_FREE = AHEAD_BATCHES * 3 / 4, /* batches, that a reader waits for */
	AHEAD_READY = AHEAD_BATCHES / 4,    /* the same for the user */
	AHEAD_ITEMS = 128,                  /* of a batch */
	AHEAD_BYTES = 32 << 10,        /* of a batch; more only for one packet that is longer */
	AHEAD_JOURNAL_MAX = 256 << 10, /* of journals in a batch, but for the last entry */
	AHEAD_NEXT = 6,                /* packets: so far ahead its lines are asked for */
	AHEAD_NEXT_BYTES = 1024,       /* the same in what packets hold */
	AHEAD_SLOT_BYTES = 128,        /* of a packet, that the user reads */
	AHEAD_MESSAGE_BYTES = 128,     /* of a decoded header, likewise */
	AHEAD_APART = 128,             /* bytes: two lines of a cache, which come in pairs */
};

/* Each of its parts begins with a line of the cache, so that no two share one. */
struct ahead_batch {
	struct ahead_slot {
		struct ingest_packet packet;
		struct slice journal; /* ptr NULL: it is a packet */
	} __attribute__((aligned(MEM_LINE_BYTES))) slots[AHEAD_ITEMS];
	struct {
		struct rpc_ahead message;
	} __attribute__((aligned(MEM_LINE_BYTES))) messages[AHEAD_ITEMS]; /* theirs */
	bool has_message[AHEAD_ITEMS];
	size_t len;
	uint8_t *bytes; /* of its packets */
	size_t bytes_len, bytes_cap;
	size_t journal_bytes;
	uint64_t done_bytes, total_bytes; /* progress when it was published */
	bool is_last;
};

/* What one thread writes for each packet lies apart from what the other reads. */
struct ahead {
	/* before there is a thread, and without one */
	bool wanted;   /* a thread is, and was not started yet */
	bool threaded; /* there is one */
	bool steady;   /* what is read are files, which have the next batch soon */
	pthread_t thread;
	struct merge *caller; /* the merge's place */
	struct ingest_packet single;
	struct ahead_batch *batches;

	uint8_t apart_reader[AHEAD_APART];
	struct merge merge;          /* the reader's; without a thread the user's */
	struct ahead_batch *filling; /* the reader's */
	bool drops;                  /* the reader's copy of `stopped` */

	uint8_t apart_both[AHEAD_APART];
	pthread_mutex_t lock;
	pthread_cond_t published_more, used_more;
	/* under the lock */
	uint64_t published, used; /* batches so far */
	bool waits;               /* the reader does, for used_more */
	uint64_t awaited;         /* so many published is what the user waits for; 0: it does not */
	bool ended;               /* the last one is published */
	bool stopped;             /* nobody wants more */

	uint8_t apart_user[AHEAD_APART];
	struct ahead_batch *using; /* the user's; NULL: none */
	size_t using_next;         /* item of it */
	struct ahead_item item;    /* the one that was told last */
	uint8_t apart_others[AHEAD_APART];
};

static void batch_init(struct ahead_batch *b)
{
	b->len = 0;
	b->bytes_cap = AHEAD_BYTES;
	b->bytes = mem_alloc_lines(AHEAD_BYTES);
	b->bytes_len = 0;
	b->journal_bytes = 0;
	b->is_last = false;
}

static void batch_clear(struct ahead_batch *b)
{
	for (size_t i = 0; i < b->len && b->journal_bytes; i++)
		free((void *)(uintptr_t)b->slots[i].journal.ptr);
	b->len = 0;
	b->bytes_len = 0;
	b->journal_bytes = 0;
}

/* --- the reader's side --- */

/* Hands the batch over and waits for one that is free. */
static void ahead_publish(struct ahead *a)
{
	struct ahead_batch *b = a->filling;

	merge_get_progress(&a->merge, &b->done_bytes, &b->total_bytes);
	pthread_mutex_lock(&a->lock);
	a->published++;
	a->ended = b->is_last;
	if (a->awaited && (a->published >= a->awaited || a->ended)) {
		a->awaited = 0;
		pthread_cond_signal(&a->published_more);
	}
	a->waits = a->published - a->used == AHEAD_BATCHES && !b->is_last;
	while (a->waits && !a->stopped)
		pthread_cond_wait(&a->used_more, &a->lock);
	a->drops = a->stopped;
	/* Who stopped uses no batch any more. */
	a->filling = &a->batches[a->published % AHEAD_BATCHES];
	pthread_mutex_unlock(&a->lock);
	if (!b->is_last)
		batch_clear(a->filling);
}

/* Room for one more item with so many bytes of a packet. */
static struct ahead_slot *ahead_place(struct ahead *a, size_t bytes)
{
	struct ahead_batch *b = a->filling;

	if (b->len == AHEAD_ITEMS || b->journal_bytes >= AHEAD_JOURNAL_MAX ||
	    (b->len && b->bytes_len + bytes > b->bytes_cap)) {
		ahead_publish(a);
		b = a->filling;
	}
	if (bytes > b->bytes_cap) { /* nothing is in it: nobody points there */
		free(b->bytes);
		b->bytes_cap = bytes;
		b->bytes = mem_alloc_lines(b->bytes_cap);
	}
	return &b->slots[b->len++];
}

/*
 * Asks for what is to be written; on x86 that needs -mprfchw. Inline in any case: gcc leaves out
 * the call of a function that does nothing else.
 */
__attribute__((always_inline)) static inline void lines_want(const void *at, size_t bytes)
{
#pragma GCC unroll 4
	for (size_t i = 0; i < bytes; i += MEM_LINE_BYTES)
		__builtin_prefetch((const uint8_t *)at + i, 1);
}

__attribute__((always_inline)) static inline void batch_want(const struct ahead_batch *b)
{
	if (b->len + AHEAD_NEXT < AHEAD_ITEMS) {
		lines_want(&b->slots[b->len + AHEAD_NEXT], AHEAD_SLOT_BYTES);
		lines_want(&b->messages[b->len + AHEAD_NEXT], AHEAD_MESSAGE_BYTES);
	}
	if (b->bytes_len + AHEAD_NEXT_BYTES + 4 * MEM_LINE_BYTES < b->bytes_cap)
		lines_want(b->bytes + b->bytes_len + AHEAD_NEXT_BYTES, 4 * MEM_LINE_BYTES);
}

static inline void packet_fill(struct ingest_packet *to, const struct merge_item *from)
{
	const struct capfile_packet *p = from->packet;

	to->where.evidence = from->evidence;
	to->where.frame = p->frame;
	to->where.at = p->at;
	to->wire_bytes = p->wire_bytes;
	to->is_cut = p->bytes.len < p->wire_bytes;
	packet_parse(p->linktype, p->bytes, p->wire_bytes, &to->packet);
}

static void ahead_put_packet(struct ahead *a, const struct merge_item *from)
{
	struct ahead_slot *slot = ahead_place(a, from->packet->bytes.len);
	struct ahead_batch *b = a->filling;
	struct rpc_ahead *message = &b->messages[b->len - 1].message;
	struct slice *payload = &slot->packet.packet.payload;
	uint8_t *to = b->bytes + b->bytes_len;

	batch_want(b);
	packet_fill(&slot->packet, from);
	slot->journal.ptr = NULL;
	b->has_message[b->len - 1] = false;
	if (!payload->len)
		return;
	memcpy(to, payload->ptr, payload->len);
	payload->ptr = to;
	/* The next begins with a line of its own: of most no more than one is looked at. */
	b->bytes_len += (payload->len + MEM_LINE_BYTES - 1) & ~(size_t)(MEM_LINE_BYTES - 1);
	if (slot->packet.packet.kind != PACKET_TCP)
		return;
	rpc_ahead_decode(*payload, message);
	b->has_message[b->len - 1] = message->message != NULL;
}

bool ahead_put_journal(struct ahead *a, uint32_t evidence, uint64_t frame, struct slice text)
{
	struct ahead_slot *slot;

	if (!a->threaded)
		return false;
	slot = ahead_place(a, 0);
	slot->packet.where = (struct provenance){.evidence = evidence, .frame = frame};
	slot->journal = slice_make(mem_copy(text.ptr, text.len), text.len);
	a->filling->has_message[a->filling->len - 1] = false;
	a->filling->journal_bytes += text.len + 1;
	return true;
}

static void *ahead_read(void *arg)
{
	struct ahead *a = arg;
	struct merge_item from;

	while (!a->drops && merge_next(&a->merge, &from))
		ahead_put_packet(a, &from);
	a->filling->is_last = true;
	ahead_publish(a);
	return NULL;
}

/* --- the user's side --- */

/* The next batch; the one before is given back. */
__attribute__((noinline)) static void ahead_turn(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->using) {
		a->used++;
		if (a->waits && a->published - a->used <= AHEAD_BATCHES - AHEAD_FREE) {
			a->waits = false;
			pthread_cond_signal(&a->used_more);
		}
	}
	if (a->published == a->used && !a->ended)
		a->awaited = a->used + (a->steady ? AHEAD_READY : 1);
	while (a->awaited)
		pthread_cond_wait(&a->published_more, &a->lock);
	a->using = &a->batches[a->used % AHEAD_BATCHES];
	a->using_next = 0;
	pthread_mutex_unlock(&a->lock);
}

/*
 * Not before the first item is asked for: journals come from the thread at once, and who takes
 * them knows the ahead only after ahead_create. Where no thread is to be had, all goes on without.
 */
__attribute__((noinline)) static void ahead_start(struct ahead *a)
{
	a->wanted = false;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->published_more, NULL);
	pthread_cond_init(&a->used_more, NULL);
	a->batches = mem_alloc_lines(AHEAD_BATCHES * sizeof(*a->batches));
	for (size_t i = 0; i < AHEAD_BATCHES; i++)
		batch_init(&a->batches[i]);
	a->filling = a->batches;
	hash_start(); /* the seed is made before there are two who need it */
	a->threaded = true;
	if (pthread_create(&a->thread, NULL, ahead_read, a) != 0)
		a->threaded = false;
}

static const struct ahead_item *ahead_next_single(struct ahead *a)
{
	struct merge_item from;

	if (!merge_next(&a->merge, &from))
		return NULL;
	packet_fill(&a->single, &from);
	a->item.packet = &a->single;
	return &a->item;
}

/* The next item of the batch, which has one. */
static inline const struct ahead_item *ahead_take(struct ahead *a, const struct ahead_batch *b)
{
	size_t at = a->using_next++;
	const struct ahead_slot *slot = &b->slots[at];

	a->item.packet = &slot->packet;
	a->item.message = b->has_message[at] ? &b->messages[at].message : NULL;
	a->item.is_journal = b->journal_bytes && slot->journal.ptr;
	if (__builtin_expect(a->item.is_journal, 0))
		a->item.journal = slot->journal;
	return &a->item;
}

/* Not inline: from a batch that is there an item is taken with few steps. */
__attribute__((noinline)) static const struct ahead_item *ahead_next_other(struct ahead *a)
{
	if (a->wanted)
		ahead_start(a);
	if (!a->threaded)
		return ahead_next_single(a);
	while (!a->using || a->using_next == a->using->len) {
		if (a->using && a->using->is_last)
			return NULL;
		ahead_turn(a);
	}
	return ahead_take(a, a->using);
}

const struct ahead_item *ahead_next(struct ahead *a)
{
	const struct ahead_batch *b = a->using;

	if (b && a->using_next < b->len)
		return ahead_take(a, b);
	return ahead_next_other(a);
}

void ahead_get_progress(const struct ahead *a, uint64_t *done_bytes, uint64_t *total_bytes)
{
	*done_bytes = 0;
	*total_bytes = 0;
	if (!a->threaded) {
		merge_get_progress(&a->merge, done_bytes, total_bytes);
	} else if (a->using) {
		*done_bytes = a->using->done_bytes;
		*total_bytes = a->using->total_bytes;
	}
}

struct ahead *ahead_create(struct merge *merge, bool threaded)
{
	struct ahead *a = mem_alloc(1, sizeof(*a));

	a->caller = merge;
	a->merge = *merge;
	a->wanted = threaded;
	a->steady = merge_is_steady(merge);
	return a;
}

static void ahead_stop(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->stopped = true;
	pthread_cond_signal(&a->used_more);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
}

void ahead_destroy(struct ahead *a)
{
	if (!a)
		return;
	if (a->threaded)
		ahead_stop(a);
	for (size_t i = 0; a->batches && i < AHEAD_BATCHES; i++) {
		batch_clear(&a->batches[i]);
		free(a->batches[i].bytes);
	}
	if (a->batches) {
		pthread_cond_destroy(&a->used_more);
		pthread_cond_destroy(&a->published_more);
		pthread_mutex_destroy(&a->lock);
	}
	free(a->batches);
	*a->caller = a->merge;
	free(a);
}

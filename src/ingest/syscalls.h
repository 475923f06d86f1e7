/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an strace to events: EVENT_HOST of the kind HOST_SYSCALL, without a time: which system calls
 * failed with an error that NFS gives, which took long, and which were never finished. Sums, not
 * the calls: a trace has millions. A text is an strace when most of its lines are.
 */
#ifndef INGEST_SYSCALLS_H
#define INGEST_SYSCALLS_H

#include "event/event.h"

enum { SYSCALLS_ROWS_MAX = 4096, SYSCALLS_BYTES_MAX = 65536 };

struct syscalls;

/* Never NULL. syscalls_destroy(NULL) is fine. */
struct syscalls *syscalls_create(void);
void syscalls_destroy(struct syscalls *s);

/*
 * One line of the text that has, or will have, this index in the list of evidence. True when it is
 * one that is read here.
 */
bool syscalls_take_line(struct syscalls *s, uint32_t evidence, uint64_t line, struct slice text);

/* After the last line of a text: how many lines of calls it has; 0: it is no strace. */
uint64_t syscalls_end_text(struct syscalls *s, uint32_t evidence);

/* Emits all, in the order of the evidence; to be called once. */
void syscalls_emit(const struct syscalls *s, const struct event_board *board);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the grammar of fuzz_logs.c says: messages and listings as kernels and tools write them. */
#ifndef FUZZ_LOG_LINES_H
#define FUZZ_LOG_LINES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Lines that follow each other, apart by line breaks. $N is a number, $S a server, $T a task's
 * name, $X an address in memory, $A an address and a port, $I one alone, $F a function, $H a host's
 * name.
 */
struct log_block {
	const char *text;
	bool message; /* the kernel says it: a head stands before each line */
};

extern const struct log_block log_blocks[];
extern const size_t log_block_count;

/* Functions of kernels, for $F. */
extern const char *const log_functions[];
extern const size_t log_function_count;

#endif

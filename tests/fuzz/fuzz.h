/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fuzz target provides. libFuzzer calls it in a build with -Dfuzzers=true, replay_main.c in
 * all others.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Defined, and true, in a replay alone: what is too much for each input of libFuzzer is done there.
 */
extern const bool fuzz_replays __attribute__((weak));

/* One input, in a heap block of exactly this size. Returns 0; what is wrong aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif

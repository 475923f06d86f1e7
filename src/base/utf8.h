/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which characters are never shown as they are, by strbuf_add_safe and in strings of JSON. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * True for the controls C0 and C1, the backslash, and marks that join or reorder what stands on a
 * line; p holds one valid sequence of len bytes.
 */
bool utf8_is_unsafe(const uint8_t *p, size_t len);

#endif

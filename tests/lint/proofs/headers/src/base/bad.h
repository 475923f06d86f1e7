/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uses a type that it does not include. */
#ifndef BASE_BAD_H
#define BASE_BAD_H

uint64_t bad(void);

#endif

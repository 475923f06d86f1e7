/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiles alone. */
#ifndef BASE_GOOD_H
#define BASE_GOOD_H

struct good {
	int a;
};

#endif

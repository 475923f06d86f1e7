// SPDX-License-Identifier: GPL-2.0-or-later
/* Has more than the twelve lines that this proof allows. */
static const int list[] = {
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
};

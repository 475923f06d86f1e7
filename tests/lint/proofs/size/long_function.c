// SPDX-License-Identifier: GPL-2.0-or-later
/* Has a function of six lines. */
int good(void);

static int
bad(int a)
{
	a++;
	return a;
}

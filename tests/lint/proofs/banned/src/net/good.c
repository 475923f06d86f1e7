// SPDX-License-Identifier: GPL-2.0-or-later
/* An endpoint may read the clock and open files. */
static void good(void)
{
	clock_gettime(0, 0);
	runtime(0);
	open("x", 0);
}

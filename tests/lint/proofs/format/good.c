// SPDX-License-Identifier: GPL-2.0-or-later
/* Laid out. */
int good(int a)
{
	return a;
}

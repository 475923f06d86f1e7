// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls what is banned; comments may say strcpy(). */
static int bad(char *to, const char *from)
{
	strcpy(to, from);
	printf("strcat(");
	state->open(from);
	return atoi(from) + (int)time(NULL);
}

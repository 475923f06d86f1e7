// SPDX-License-Identifier: GPL-2.0-or-later
/* See terminal.h. */
#include "cmd/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return REPORT_WIDTH_PIPE;
	if (size.ws_col < REPORT_WIDTH_MIN)
		return REPORT_WIDTH_MIN;
	return size.ws_col > REPORT_WIDTH_MAX ? REPORT_WIDTH_MAX : size.ws_col;
}

static bool terminal_shows_colours(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0;
}

void terminal_describe(const struct options *options, struct report_options *out)
{
	bool terminal = !options->output && isatty(STDOUT_FILENO);

	out->width = terminal ? terminal_width() : REPORT_WIDTH_PIPE;
	switch (options->color) {
	case COLOR_AUTO:
		out->colour = terminal && terminal_shows_colours();
		break;
	case COLOR_ALWAYS:
		out->colour = true;
		break;
	case COLOR_NEVER:
		out->colour = false;
		break;
	}
}

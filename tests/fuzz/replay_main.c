// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a fuzz target over every file of the directories given, in the order of their names, and
 * prints TAP. The empty input comes first, so that a target without a corpus is run too. An input
 * that kills the program is named by the last "# input" line.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void die(const char *path)
{
	printf("Bail out! %s: %s\n", path, strerror(errno));
	exit(1);
}

/* Reads the whole file into a block of its exact size; the caller frees it. */
static uint8_t *replay_read(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	if (!file || fstat(fileno(file), &st) != 0)
		die(path);
	*size = (size_t)st.st_size;
	data = malloc(*size ? *size : 1);
	if (!data || fread(data, 1, *size, file) != *size)
		die(path);
	fclose(file);
	return data;
}

static void replay_input(const char *name, const uint8_t *data, size_t size)
{
	static unsigned number;

	printf("# input %s\n", name);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	printf("ok %u - %s\n", ++number, name);
}

static void replay_file(const char *directory, const char *name)
{
	char path[PATH_MAX];
	size_t size;
	uint8_t *data;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	data = replay_read(path, &size);
	replay_input(name, data, size);
	free(data);
}

/* See fuzz.h. */
const bool fuzz_replays = true;

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static unsigned replay_directory(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_input, alphasort);

	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0)
		die(directory);
	for (int i = 0; i < count; i++) {
		replay_file(directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return (unsigned)count;
}

int main(int argc, char **argv)
{
	uint8_t *nothing = malloc(1);
	unsigned inputs = 1;

	if (!nothing)
		die("memory");
	replay_input("(empty)", nothing, 0);
	free(nothing);
	for (int i = 1; i < argc; i++)
		inputs += replay_directory(argv[i]);
	printf("1..%u\n", inputs);
	return 0;
}

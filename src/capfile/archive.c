// SPDX-License-Identifier: GPL-2.0-or-later
/* See archive.h. IEEE Std 1003.1-2017, pax, ustar Interchange Format; GNU tar, "Basic Tar Format".
 */
#include "capfile/archive.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"

/* The header of a member: a block of its own. */
enum {
	BLOCK_BYTES = 512,
	NAME_AT = 0,
	NAME_BYTES = 100,
	SIZE_AT = 124,
	TIME_AT = 136,
	NUMBER_BYTES = 12,
	SUM_AT = 148,
	SUM_BYTES = 8,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	PREFIX_AT = 345,
	PREFIX_BYTES = 155,
	PAX_BYTES_MAX = 64 << 10,
};

#define MEMBER_BYTES_MAX (UINT64_C(1) << 50)

/* What a pax or GNU header in front of a member says of it. */
struct extra {
	char name[ARCHIVE_NAME_BYTES];
	bool has_name, has_bytes, has_time, too_long;
	uint64_t bytes;
	int64_t written_s;
};

struct archive archive_make(struct source *source)
{
	return (struct archive){.source = source, .next = source_offset(source)};
}

/* Octal digits, or with the top bit set a number in base 256 (GNU). */
static bool parse_number(const uint8_t *field, size_t len, uint64_t *out)
{
	uint64_t value = 0;
	size_t i = 0;

	if (field[0] & 0x80) {
		for (i = 1; i < len; i++) {
			if (value >> 55)
				return false;
			value = value << 8 | field[i];
		}
		*out = value;
		return field[0] == 0x80;
	}
	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(field[i] - '0');
	if (i < len && field[i] != '\0' && field[i] != ' ')
		return false;
	*out = value;
	return true;
}

/* The sum of all bytes, those of the sum itself counted as blanks. */
static bool sum_is_right(const uint8_t *block)
{
	uint64_t told, sum = 0;

	for (size_t i = 0; i < BLOCK_BYTES; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : block[i];
	return parse_number(block + SUM_AT, SUM_BYTES, &told) && told == sum;
}

static bool is_zero(const uint8_t *block)
{
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		if (block[i])
			return false;
	return true;
}

static size_t text_len(const uint8_t *field, size_t max)
{
	const uint8_t *end = memchr(field, 0, max);

	return end ? (size_t)(end - field) : max;
}

static void take_name(struct extra *x, struct slice name)
{
	name.len = text_len(name.ptr, name.len);
	x->too_long = name.len >= sizeof(x->name);
	if (name.len == 0 || x->too_long)
		return;
	memcpy(x->name, name.ptr, name.len);
	x->name[name.len] = '\0';
	x->has_name = true;
}

static bool parse_decimal(struct slice text, uint64_t *out)
{
	uint64_t value = 0;

	if (text.len == 0 || text.len > 18)
		return false;
	for (size_t i = 0; i < text.len && text.ptr[i] != '.'; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.ptr[i] - '0');
	}
	*out = value;
	return true;
}

static void take_record(struct extra *x, struct slice key, struct slice value)
{
	uint64_t seconds;

	if (slice_equal(key, slice_of_string("path"))) {
		take_name(x, value);
	} else if (slice_equal(key, slice_of_string("size"))) {
		x->has_bytes = parse_decimal(value, &x->bytes);
	} else if (slice_equal(key, slice_of_string("mtime"))) {
		/* With a fraction it is longer than whole seconds need. */
		value.len = value.len > 18 ? 18 : value.len;
		if (parse_decimal(value, &seconds)) {
			x->has_time = true;
			x->written_s = (int64_t)seconds;
		}
	}
}

/* Records "LENGTH KEY=VALUE\n"; what is malformed ends the list. */
static void take_pax(struct extra *x, struct slice text)
{
	while (text.len) {
		const uint8_t *blank = memchr(text.ptr, ' ', text.len);
		const uint8_t *equals;
		size_t at;
		uint64_t len;

		if (!blank)
			return;
		at = (size_t)(blank - text.ptr) + 1;
		if (!parse_decimal(slice_make(text.ptr, at - 1), &len) || len > text.len ||
		    len <= at)
			return;
		equals = memchr(text.ptr + at, '=', len - at);
		if (equals) {
			struct slice key =
				slice_make(text.ptr + at, (size_t)(equals - text.ptr) - at);
			size_t value_at = at + key.len + 1;

			if (value_at < len)
				take_record(x, key,
					    slice_make(text.ptr + value_at,
						       (size_t)len - value_at - 1));
		}
		text = slice_make(text.ptr + len, text.len - (size_t)len);
	}
}

/* The name in the header itself: "prefix/name" in ustar. */
static void name_of(const uint8_t *block, struct archive_member *out)
{
	size_t prefix = memcmp(block + MAGIC_AT, "ustar", 6) == 0
				? text_len(block + PREFIX_AT, PREFIX_BYTES)
				: 0;
	size_t len = text_len(block + NAME_AT, NAME_BYTES);
	size_t at = 0;

	if (prefix) {
		memcpy(out->name, block + PREFIX_AT, prefix);
		out->name[prefix] = '/';
		at = prefix + 1;
	}
	memcpy(out->name + at, block + NAME_AT, len);
	out->name[at + len] = '\0';
}

static bool end(struct archive *a, const char *fault)
{
	a->fault = fault;
	return false;
}

/* The header at a->next, whose checksum is right; false at the end of the archive. */
static bool read_header(struct archive *a, uint8_t block[BLOCK_BYTES])
{
	uint64_t at = source_offset(a->source);
	struct slice got;

	if (at > a->next)
		return end(a, "the archive cannot be read in order");
	if (source_skip(a->source, a->next - at) < a->next - at)
		return end(a, "the archive is cut off");
	got = source_take(a->source, BLOCK_BYTES);
	if (got.len == 0)
		return end(a, source_fault(a->source));
	if (got.len < BLOCK_BYTES)
		return end(a, "the archive is cut off");
	if (is_zero(got.ptr))
		return false;
	if (!sum_is_right(got.ptr))
		return end(a, "the archive is damaged: a header has a wrong checksum");
	memcpy(block, got.ptr, BLOCK_BYTES);
	return true;
}

/* The contents of a header in front of a member. */
static void take_extra(struct archive *a, struct extra *x, uint8_t type, uint64_t bytes)
{
	struct slice text;

	if (bytes > PAX_BYTES_MAX)
		return;
	text = source_take(a->source, (size_t)bytes);
	if (type == 'L')
		take_name(x, text);
	else
		take_pax(x, text);
}

bool archive_next(struct archive *a, struct archive_member *out)
{
	struct extra *x = mem_alloc(1, sizeof(*x));
	uint8_t block[BLOCK_BYTES];
	bool found = false;

	while (!found && a->members < ARCHIVE_MEMBERS_MAX && read_header(a, block)) {
		uint8_t type = block[TYPE_AT];
		uint64_t seconds;

		if (!parse_number(block + SIZE_AT, NUMBER_BYTES, &out->bytes) ||
		    out->bytes > MEMBER_BYTES_MAX) {
			end(a, "the archive is damaged: a size is no number");
			break;
		}
		if (x->has_bytes && x->bytes <= MEMBER_BYTES_MAX && (type == '0' || type == 0))
			out->bytes = x->bytes;
		a->members++;
		out->offset = source_offset(a->source);
		a->next = out->offset + (out->bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
		if (type == 'x' || type == 'L') {
			take_extra(a, x, type, out->bytes);
			continue;
		}
		found = (type == '0' || type == 0) && !x->too_long;
		name_of(block, out);
		if (x->has_name)
			memcpy(out->name, x->name, sizeof(out->name));
		out->written_s = parse_number(block + TIME_AT, NUMBER_BYTES, &seconds) &&
						 seconds <= INT32_MAX * UINT64_C(16)
					 ? (int64_t)seconds
					 : -1;
		if (x->has_time)
			out->written_s = x->written_s;
		*x = (struct extra){0};
	}
	free(x);
	return found;
}

/* The first member of this name; its place in *out. */
static bool find_member(struct source *source, const char *name, struct archive_member *out)
{
	struct archive a = archive_make(source);

	while (archive_next(&a, out))
		if (strcmp(out->name, name) == 0)
			return true;
	return false;
}

struct err *archive_open(const char *path, struct source **out)
{
	char *prefix = mem_copy(path, strlen(path));
	struct archive_member *member = mem_alloc(1, sizeof(*member));
	struct source *outer = NULL;
	struct err *err = NULL;
	struct stat st;

	*out = NULL;
	for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (stat(prefix, &st) == 0 && S_ISREG(st.st_mode)) {
			err = source_open(prefix, &outer);
			if (!err && find_member(outer, slash + 1, member))
				*out = source_create_member(outer, member->offset, member->bytes,
							    path);
			else
				source_destroy(outer);
			break;
		}
		*slash = '/';
	}
	free(member);
	free(prefix);
	return err;
}

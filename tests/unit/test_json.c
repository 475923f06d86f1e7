// SPDX-License-Identifier: GPL-2.0-or-later
/* The JSON writer: commas, nesting, strings of any bytes. */
#include "base/json.h"
#include "check.h"

static void check_string(const void *bytes, size_t len, const char *want)
{
	struct strbuf out;
	struct json j;

	strbuf_init(&out);
	json_init(&j, &out, false);
	json_bytes(&j, slice_make(bytes, len));
	CHECK_TEXT(strbuf_text(&out), want);
	strbuf_deinit(&out);
}

TEST(json_places_commas)
{
	struct strbuf out;
	struct json j;

	strbuf_init(&out);
	json_init(&j, &out, false);
	json_object_begin(&j);
	json_member_u64(&j, "a", 1);
	json_key(&j, "b");
	json_array_begin(&j);
	json_i64(&j, -1);
	json_bool(&j, true);
	json_null(&j);
	json_object_begin(&j);
	json_object_end(&j);
	json_array_begin(&j);
	json_array_end(&j);
	json_array_end(&j);
	json_member_text(&j, "c", NULL);
	json_object_end(&j);
	CHECK_TEXT(strbuf_text(&out), "{\"a\": 1, \"b\": [-1, true, null, {}, []], \"c\": null}");
	strbuf_deinit(&out);
}

TEST(json_pretty_breaks_lines)
{
	struct strbuf out;
	struct json j;

	strbuf_init(&out);
	json_init(&j, &out, true);
	json_object_begin(&j);
	json_key(&j, "a");
	json_array_begin(&j);
	json_u64(&j, UINT64_MAX);
	json_i64(&j, INT64_MIN);
	json_array_end(&j);
	json_key(&j, "empty");
	json_object_begin(&j);
	json_object_end(&j);
	json_object_end(&j);
	CHECK_TEXT(strbuf_text(&out), "{\n  \"a\": [\n    18446744073709551615,\n"
				      "    -9223372036854775808\n  ],\n  \"empty\": {}\n}");
	strbuf_deinit(&out);
}

TEST(json_appends_to_what_is_there)
{
	struct strbuf out;
	struct json j;

	strbuf_init(&out);
	strbuf_add_text(&out, "x ");
	json_init(&j, &out, false);
	json_array_begin(&j);
	json_array_end(&j);
	CHECK_TEXT(strbuf_text(&out), "x []");
	strbuf_deinit(&out);
}

TEST(json_keeps_utf8)
{
	check_string("gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x98\x80", 15,
		     "\"gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x98\x80\"");
	check_string("", 0, "\"\"");
}

TEST(json_escapes_controls)
{
	check_string("\0\1\n\r\t\x1f\x7f\"\\/", 10,
		     "\"\\u0000\\u0001\\n\\r\\t\\u001f\\u007f\\\"\\\\/\"");
}

/* Each byte by itself: a cut sequence, an overlong one, a surrogate, a lone continuation. */
TEST(json_escapes_bytes_that_are_no_utf8)
{
	check_string("a\xff"
		     "b",
		     3, "\"a\\u00ffb\"");
	check_string("\xc3", 1, "\"\\u00c3\"");
	check_string("\xc0\x80", 2, "\"\\u00c0\\u0080\"");
	check_string("\xed\xa0\x80", 3, "\"\\u00ed\\u00a0\\u0080\"");
	check_string("\x80x", 2, "\"\\u0080x\"");
	check_string("\xe4\xb8", 2, "\"\\u00e4\\u00b8\"");
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* lab/scene: the language of scenes, the scenes that are built in, and the commands of --here. */
#include "lab/scene/book.h"
#include "lab/scene/here.h"
#include "lab/scene/script.h"

#include "base/stamp.h"
#include "check.h"

#define HEAD "title 'a b'\nexpect x\nhosts server client\nspeed 4\nseconds 60\n"

static struct err *parse(const char *text, struct scene *out)
{
	return scene_parse("test", slice_of_string(text), out);
}

TEST(scene_is_read)
{
	struct scene s;
	struct err *err = parse(HEAD "fault at 20 client nft input 'tcp dport 5' drop # so\n"
				     "at 1.5 server serve\n",
				&s);

	if (!CHECK(!err))
		return;
	CHECK_TEXT(s.title, "a b");
	CHECK_EQ_U64(s.action_count, 2);
	CHECK_EQ_I64(s.actions[0].at_ns, 3 * STAMP_NS_PER_S / 2);
	CHECK_EQ_U64(s.actions[1].count, 3);
	CHECK_TEXT(s.words[s.actions[1].first + 1], "tcp dport 5");
	CHECK(scene_action_runs(&s.actions[1], false));
	CHECK(!scene_action_runs(&s.actions[1], true));
	CHECK(scene_action_runs(&s.actions[0], true));
	scene_deinit(&s);
}

TEST(scene_words_have_addresses)
{
	struct strbuf out;
	struct scene s;

	if (!CHECK(!parse(HEAD "middle router\n", &s)))
		return;
	strbuf_init(&out);
	scene_word_expand(&s, "$server:/x $nobody $client", &out);
	CHECK_TEXT(strbuf_text(&out), "10.77.1.1:/x $nobody 10.77.2.1");
	strbuf_deinit(&out);
	scene_deinit(&s);
}

TEST(scene_hosts_have_addresses_of_ipv6)
{
	char text[SCENE_ADDRESS_BYTES];
	struct scene s;

	if (!CHECK(!parse(HEAD "addresses ipv6\n", &s)))
		return;
	scene_address(&s, 1, text);
	CHECK_TEXT(text, "fd77::2");
	scene_deinit(&s);
	if (!CHECK(!parse(HEAD "addresses ipv6\nmiddle router\n", &s)))
		return;
	scene_address(&s, 1, text);
	CHECK_TEXT(text, "fd77:2::1");
	scene_gateway(&s, 1, text);
	CHECK_TEXT(text, "fd77:2::fe");
	scene_deinit(&s);
}

static void check_wrong(const char *text, const char *want)
{
	struct scene s;
	struct err *err = parse(text, &s);

	if (CHECK(err != NULL))
		CHECK_TEXT(err_text(err), want);
	else
		scene_deinit(&s);
	err_destroy(err);
}

TEST(scene_errors_have_lines)
{
	check_wrong("title 'a", "scene test, line 1: a quotation mark ' is not closed");
	check_wrong("\nfoo", "scene test, line 2: 'foo' begins no line of a scene");
	check_wrong(HEAD "at x client serve",
		    "scene test, line 6: 'x' must be a number up to 3600");
	check_wrong(HEAD "at 1 nobody serve", "scene test, line 6: 'nobody' is no host: 'hosts' "
					      "names them, 'middle' is what joins them");
	check_wrong(HEAD "at 1 client dance",
		    "scene test, line 6: 'dance' is nothing that a scene can do");
	check_wrong(HEAD "at 1 client link", "scene test, line 6: 'link' takes up or down");
	check_wrong(HEAD "at 1 middle serve",
		    "scene test, line 6: 'serve' is for a host, not for the middle");
	check_wrong(HEAD "at 61 client serve",
		    "scene test, line 6: it happens after the end of the scene");
	check_wrong("title x", "scene test: 'title', 'expect', 'hosts' or 'seconds' is missing");
}

TEST(scenes_of_the_book_are_right)
{
	for (size_t i = 0; i < scene_book_count; i++) {
		struct scene s;
		struct err *err =
			scene_parse(scene_book[i].name, scene_book_text(&scene_book[i]), &s);

		if (!CHECK(!err)) {
			err_destroy(err);
			continue;
		}
		CHECK(scene_book_find(s.name) == &scene_book[i]);
		/* Within a minute of the clock. */
		CHECK(s.seconds_ns / s.speed <= 55 * STAMP_NS_PER_S);
		scene_deinit(&s);
	}
}

TEST(here_breaks_and_undoes)
{
	struct strbuf out;
	struct here h;

	if (!CHECK(!here_parse("192.0.2.1", "2049", "no-answer", &h)))
		return;
	strbuf_init(&out);
	here_break(&h, &out);
	here_undo(&h, &out);
	CHECK_TEXT(
		strbuf_text(&out),
		"nft 'add table inet nfsleuth_here'\n"
		"nft 'add chain inet nfsleuth_here input { type filter hook input priority -10; "
		"}'\n"
		"nft 'add rule inet nfsleuth_here input ip saddr 192.0.2.1 tcp sport 2049 drop'\n"
		"nft 'delete table inet nfsleuth_here'\n");
	strbuf_deinit(&out);
}

TEST(here_knows_the_interface)
{
	struct strbuf out;
	struct here h;

	if (!CHECK(!here_parse("127.0.0.1", "2049", "slow", &h)))
		return;
	strbuf_init(&out);
	here_break(&h, &out);
	CHECK(strstr(strbuf_text(&out),
		     "tc qdisc add dev lo parent 1:3 handle 30: netem delay 2s\n"));
	CHECK(strstr(strbuf_text(&out), "match ip dst 127.0.0.1 match ip dport 2049 0xffff"));
	strbuf_reset(&out);
	here_undo(&h, &out);
	CHECK_TEXT(strbuf_text(&out), "tc qdisc del dev lo root\n");
	strbuf_deinit(&out);
}

TEST(here_refuses)
{
	static const char *const wrong[][3] = {{"server", "2049", "silent"},
					       {"192.0.2.1", "0", "silent"},
					       {"192.0.2.1", "2049", "louder"}};

	for (size_t i = 0; i < 3; i++) {
		struct here h;
		struct err *err = here_parse(wrong[i][0], wrong[i][1], wrong[i][2], &h);

		CHECK(err != NULL);
		err_destroy(err);
	}
}

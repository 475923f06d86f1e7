// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The arithmetic of timeouts: against the comments of the commits that changed it, and against what
 * kernels wrote into logs (an incident on 4.19: rpc_debug with alarms of 20, 30 and 40 s).
 */
#include "base/stamp.h"
#include "check.h"
#include "timing/schedule.h"

#define S(x) ((int64_t)((x)*1e9))

static struct timing_call mount_of(const char *text)
{
	struct timing_options o;
	struct err *err = timing_options_parse(slice_of_string(text), &o);

	CHECK(!err);
	err_destroy(err);
	return timing_call_of_mount(&o);
}

static struct timing_call lockd(void)
{
	struct timing_options o = {0};

	return timing_call_of_lockd(&o);
}

/* Seconds of the first `kind`; -1: none. */
static double first(const struct timing_call *c, enum timing_kernel kernel, enum timing_start start,
		    enum timing_event_kind kind)
{
	struct timing_event e[TIMING_EVENTS_MAX];
	size_t count = timing_run(c, kernel, start, 1, S(1000), e);

	for (size_t i = 0; i < count; i++)
		if (e[i].kind == kind)
			return (double)e[i].at_ns / 1e9;
	return -1;
}

#define CHECK_S(got, want) CHECK_EQ_I64((int64_t)((got)*1000), (int64_t)((want)*1000))

TEST(timing_complaint_of_a_mount)
{
	struct timing_call c = mount_of("vers=3,proto=tcp,timeo=600,retrans=2");

	for (enum timing_kernel k = 0; k < TIMING_KERNEL_COUNT; k++) {
		CHECK_S(first(&c, k, TIMING_CONNECTED, TIMING_RETRANSMIT), 60);
		CHECK_S(first(&c, k, TIMING_CONNECTED, TIMING_COMPLAIN), 180);
		CHECK_S(first(&c, k, TIMING_UNSENT, TIMING_COMPLAIN), 180);
		CHECK_S(first(&c, k, TIMING_UNSENT, TIMING_TRANSMIT), -1);
	}
	/* Red Hat 1386653: 1.5 s. */
	c = mount_of("vers=3,soft,timeo=5,retrans=2");
	CHECK_S(first(&c, TIMING_SINCE_5_13, TIMING_CONNECTED, TIMING_FAIL), 1.5);
	CHECK_S(first(&c, TIMING_SINCE_5_13, TIMING_CONNECTED, TIMING_COMPLAIN), -1);
}

/* The example in the message of 09252177d5f9. */
TEST(timing_major_is_held_back_between_two_commits)
{
	struct timing_call c = mount_of("vers=3,timeo=50,retrans=3");

	CHECK_S(first(&c, TIMING_SINCE_5_13, TIMING_CONNECTED, TIMING_COMPLAIN), 20);
	CHECK_S(first(&c, TIMING_5_9, TIMING_CONNECTED, TIMING_COMPLAIN), 30);
	CHECK_S(first(&c, TIMING_5_2, TIMING_CONNECTED, TIMING_COMPLAIN), 20);
	CHECK_S(first(&c, TIMING_BEFORE_5_2, TIMING_CONNECTED, TIMING_COMPLAIN), 30);
}

TEST(timing_v4_is_not_sent_again)
{
	struct timing_call c = mount_of("vers=4.1,timeo=600");

	CHECK_S(first(&c, TIMING_SINCE_5_13, TIMING_CONNECTED, TIMING_RETRANSMIT), -1);
	CHECK_S(first(&c, TIMING_SINCE_5_13, TIMING_CONNECTED, TIMING_COMPLAIN), 180);
	c = mount_of("vers=4.1,soft,timeo=10,retrans=2");
	CHECK_S(first(&c, TIMING_SINCE_5_13, TIMING_CONNECTED, TIMING_FAIL), -1);
	CHECK_S(first(&c, TIMING_SINCE_5_13, TIMING_UNSENT, TIMING_FAIL), 3);
	CHECK_S(first(&c, TIMING_BEFORE_5_2, TIMING_CONNECTED, TIMING_FAIL), 3);
}

TEST(timing_udp_doubles_and_caps)
{
	struct timing_call c = mount_of("vers=3,proto=udp");

	CHECK_EQ_I64(timing_major_ns(&c), S(8.8));
	CHECK_S(first(&c, TIMING_BEFORE_5_2, TIMING_CONNECTED, TIMING_RETRANSMIT), 1.1);
	/* Alarms after 1.1, 3.3, 7.7: the first one past 8.8 is at 16.5. */
	CHECK_S(first(&c, TIMING_BEFORE_5_2, TIMING_CONNECTED, TIMING_COMPLAIN), 16.5);
	c = mount_of("vers=3,udp,timeo=600,retrans=40");
	CHECK_EQ_I64(timing_major_ns(&c), S(60));
	c = mount_of("vers=3,timeo=100000,retrans=1000000");
	CHECK_EQ_I64(timing_major_ns(&c), S(600));
}

/*
 * First experiment of the incident (seconds of its rpc_debug): sent at 49.696, alarms of 20, 30 and
 * 40 s, which fired at 69.746, 99.953 and 140.401, when lockd complained.
 */
TEST(timing_explains_alarms_of_20_30_40_seconds)
{
	static const double observed[] = {49.696061, 69.745721, 99.952647, 140.400818};
	struct timing_event e[TIMING_EVENTS_MAX];
	struct timing_call c = lockd();
	size_t count = timing_run(&c, TIMING_BEFORE_5_2, TIMING_CONNECTING, 1, S(95), e);

	CHECK_EQ_U64(count, 5);
	CHECK(e[3].kind == TIMING_COMPLAIN && e[4].kind == TIMING_RETRANSMIT);
	for (size_t i = 0; i < 4; i++) {
		int64_t after = S(observed[i] - observed[0]);

		CHECK(after >= e[i].at_ns);
		/* The note's kernel needed up to 20 ms to send. */
		CHECK(after <= e[i].latest_ns + S(0.02));
	}
	/* No other alternative explains a complaint after 90.7 s. */
	for (size_t i = 0; i + 1 < TIMING_ALTERNATIVES; i++)
		CHECK(first(&c, timing_alternatives[i].kernel, timing_alternatives[i].start,
			    TIMING_COMPLAIN) < 61);
}

/*
 * Second experiment: the connection could not be made, the complaint came 61 s after the call
 * began. When the call was sent at last, after more failed attempts, it was sent again 41.98 s
 * later.
 */
TEST(timing_explains_a_call_that_was_not_sent)
{
	struct timing_event e[TIMING_EVENTS_MAX];
	struct timing_call c = lockd();

	CHECK_S(first(&c, TIMING_BEFORE_5_2, TIMING_UNSENT, TIMING_COMPLAIN), 60);
	timing_run(&c, TIMING_BEFORE_5_2, TIMING_CONNECTING, 3, S(100), e);
	CHECK(e[1].kind == TIMING_RETRANSMIT && e[1].at_ns == S(40));
	CHECK(e[1].latest_ns >= S(41.98));
}

TEST(timing_alarms_are_late_by_an_eighth_at_most)
{
	static const double lengths[] = {0.1, 1, 10, 30, 60, 180, 600};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		CHECK(timing_alarm_late_ns(S(lengths[i])) <= S(lengths[i] * 8 / 63 + 0.01));
	/* 60 s at 100 Hz are 6000 ticks: to the next 512. */
	CHECK_EQ_I64(timing_alarm_late_ns(S(60)), S(5.12));
}

TEST(timing_options_are_read_as_pasted)
{
	struct timing_options o;

	CHECK(!timing_options_parse(
		slice_of_string("10.0.0.1:/soft on /mnt/hard type nfs (rw,vers=3,nfsvers=4.1,"
				"proto=tcp6,timeo=7,retrans=0,softerr,mountproto=udp)"),
		&o));
	CHECK(o.vers == 4 && o.minor == 1 && o.proto == TIMING_TCP && o.timeo_ds == 7);
	CHECK(o.has_retrans && o.retrans == 0 && o.failure == TIMING_SOFTERR && o.known == 6);
	CHECK(!timing_options_parse(slice_of_string("v3,udp"), &o));
	CHECK(o.vers == 3 && o.proto == TIMING_UDP);
	CHECK(!timing_options_parse(slice_make(NULL, 0), &o));
	CHECK_EQ_U64(o.known, 0);
}

TEST(timing_options_that_cannot_be_are_told)
{
	static const char *const wrong[] = {"timeo=",  "timeo=1.5", "retrans=-1",       "vers=5",
					    "vers=4.", "proto=ip",  "timeo=99999999999"};
	struct timing_options o;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err *err = timing_options_parse(slice_of_string(wrong[i]), &o);

		CHECK(err != NULL);
		err_destroy(err);
	}
}

/* Whatever the options, a schedule ends, in order, and nothing is later than its latest. */
TEST(timing_any_options_give_a_schedule)
{
	struct timing_event e[TIMING_EVENTS_MAX];

	for (uint32_t timeo = 0; timeo < 1000000; timeo = timeo * 7 + 1) {
		for (uint32_t n = 0; n < 48; n++) {
			struct timing_options o = {.has_timeo = true,
						   .timeo_ds = timeo,
						   .has_retrans = true,
						   .retrans = n < 40 ? n : 1000000,
						   .proto = n % 3,
						   .failure = n % 2,
						   .vers = 3 + n % 5 / 4};
			struct timing_call c = timing_call_of_mount(&o);
			size_t count = timing_run(&c, n % TIMING_KERNEL_COUNT,
						  n % TIMING_START_COUNT, n % 7, INT64_MAX, e);

			CHECK(count <= TIMING_EVENTS_MAX);
			for (size_t i = 0; i < count; i++)
				CHECK(e[i].latest_ns >= e[i].at_ns &&
				      (i == 0 || e[i].at_ns >= e[i - 1].at_ns));
		}
	}
}

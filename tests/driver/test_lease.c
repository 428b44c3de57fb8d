/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments that are wanted until a date. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/process.h"
#include "mountcore/cleanup.h"
#include "support/hv_test.h"
#include "wire/clock.h"

#include "container.h"
#include "lease.h"
#include "reconciler_fixture.h"
#include "refuse.h"
#include "repair.h"
#include "siblings.h"

#define START_PATH "/containers/" ID "/start"

enum { HOUR = 3600, FAR_MS = 60000 };

static char data[] = "data";

/* Attach "data" at fixture->target; the caller frees `ret`. */
static void lease(struct fixture *fixture, long long lease_seconds, long long grace_seconds,
	bool required, struct hv_attachment *ret)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_error err = {0};
	char container[] = ID;

	request.volume = data;
	request.container = container;
	request.target = fixture->target;
	request.lease_seconds = lease_seconds;
	request.grace_seconds = grace_seconds;
	request.required = required;
	if (hv_attach(fixture->attacher, &request, ret, &err) != HV_OK)
		fail_msg("%s", hv_error_text(&err));
}

static void lease_only(struct fixture *fixture, long long lease_seconds, long long grace_seconds)
{
	struct hv_attachment attachment = {0};

	lease(fixture, lease_seconds, grace_seconds, false, &attachment);
	hv_attachment_done(&attachment);
}

/* The only record; the caller frees it.  Returns whether there is one. */
static bool read_record(struct fixture *fixture, struct hv_record *ret)
{
	const struct hv_record_filter filter = {.container_id = ID};
	struct hv_records records = {0};
	struct hv_error err = {0};
	bool is_there;

	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &filter, &records, &err), HV_OK);
	assert_true(records.count < 2);
	is_there = records.count == 1;
	if (is_there)
		*ret = records.items[0];
	free(records.items);
	return is_there;
}

/* Its lease ended so long ago. */
static void end_lease(struct fixture *fixture, long long seconds, long long grace_seconds)
{
	struct hv_record record = {0};
	struct hv_error err = {0};

	assert_true(read_record(fixture, &record));
	free(record.view.until);
	record.view.until = hv_clock_format(hv_clock_date_ms() / 1000 - seconds);
	record.view.grace_seconds = grace_seconds;
	assert_int_equal(hv_store_attachment_note(fixture->world->store, &record, &err), HV_OK);
	hv_record_done(&record);
}

/* Something of it is open from now on. */
static int use(struct fixture *fixture)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root%s", fixture->pid, fixture->target);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void expect_problem(struct fixture *fixture, const char *problem)
{
	const char *state = "";

	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 5) {
		state = state_of(fixture, fixture->target);
		if (strstr(state, problem))
			return;
		sleep_a_little();
	}
	fail_msg("'%s' has no '%s'", state, problem);
}

static unsigned expire(struct fixture *fixture)
{
	struct hv_repaired repaired = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_attachments_expire(fixture->attacher, ID, &repaired, &err), HV_OK);
	return repaired.expired;
}

static void look(struct fixture *fixture, struct hv_seen *ret)
{
	struct hv_error err = {0};

	assert_int_equal(hv_attachments_look(fixture->attacher, ID, ret, &err), HV_OK);
	hv_seen_done(ret);
}

TEST(a_lease_is_over_at_its_end_and_looked_at_then)
{
	static const struct {
		long long left_seconds, grace_seconds;
		bool is_over, is_grace_over;
		long long wait_min_ms, wait_max_ms;
	} cases[] = {
		{HOUR, 600, false, false, 60000, 60000}, /* the clock may be set */
		{30, 600, false, false, 28000, 30001},
		{-2, 600, true, false, 2000, 4000},
		{-60, 600, true, false, 5000, 5000},
		{-60, 64, true, false, 1, 4001}, /* the grace ends sooner */
		{-60, 30, true, true, 5000, 5000},
		{-2, 0, true, true, 2000, 4000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_attachment view = {.grace_seconds = cases[i].grace_seconds};
		long long wait_ms;

		view.until = hv_clock_format(hv_clock_date_ms() / 1000 + cases[i].left_seconds);
		assert_non_null(view.until);
		assert_int_equal(hv_lease_is_over(&view), cases[i].is_over);
		assert_int_equal(hv_lease_is_grace_over(&view), cases[i].is_grace_over);
		wait_ms = hv_lease_wait_ms(&view);
		if (wait_ms < cases[i].wait_min_ms || wait_ms > cases[i].wait_max_ms)
			fail_msg("case %zu: %lld ms", i, wait_ms);
		hv_attachment_done(&view);
	}
}

TEST(without_a_lease_nothing_is_over)
{
	const struct hv_attachment view = {.grace_seconds = HV_GRACE_UNSAID};

	assert_false(hv_lease_is_over(&view) || hv_lease_is_grace_over(&view));
	assert_int_equal(hv_lease_wait_ms(&view), -1);
}

RECONCILER_TEST(it_is_detached_at_the_end)
{
	start_engine(fixture);
	start_container(fixture);
	start_reconciler(fixture);
	lease_only(fixture, 1, HV_GRACE_UNSAID);
	expect_state(fixture, "attached");
	expect_state(fixture, "");
	assert_false(fixture->has_ended); /* and not with its container */
}

RECONCILER_TEST(one_in_use_stays_until_it_is_released)
{
	int fd;

	start_engine(fixture);
	start_container(fixture);
	start_reconciler(fixture);
	lease_only(fixture, 1, HV_GRACE_UNSAID);
	fd = use(fixture);
	expect_problem(fixture, "attached its lease ended at 20");
	assert_int_equal(count_mounts(fixture), 1);
	close(fd);
	expect_state(fixture, "");
}

RECONCILER_TEST(when_the_grace_is_over_it_is_detached_lazily)
{
	int fd;

	start_engine(fixture);
	start_container(fixture);
	start_reconciler(fixture);
	lease_only(fixture, 1, 1);
	fd = use(fixture);
	expect_state(fixture, "");
	assert_int_equal(faccessat(fd, ".", R_OK, 0), 0); /* open files stay open */
	close(fd);
}

RECONCILER_TEST(without_a_grace_it_is_lazy_at_once)
{
	int fd;

	start_engine(fixture);
	start_container(fixture);
	lease_only(fixture, HOUR, 0);
	fd = use(fixture);
	assert_int_equal(expire(fixture), 0);
	end_lease(fixture, 1, 0);
	assert_int_equal(expire(fixture), 1);
	assert_int_equal(count_mounts(fixture), 0);
	close(fd);
}

RECONCILER_TEST(one_in_use_keeps_its_record_and_is_tried_again)
{
	struct hv_record record = {0};
	struct hv_seen seen = HV_SEEN_NONE;
	int fd;

	start_engine(fixture);
	start_container(fixture);
	lease_only(fixture, HOUR, 600);
	look(fixture, &seen);
	assert_false(seen.is_lease_over);
	assert_int_equal(seen.lease_ms, 60000);
	fd = use(fixture);
	end_lease(fixture, 2, 600);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(expire(fixture), 0);
		assert_true(read_record(fixture, &record));
		assert_int_equal(record.problem, HV_PROBLEM_LEASE);
		assert_int_equal(record.view.state, HV_ATTACHED);
		assert_false(record.is_ending);
		assert_non_null(record.view.problem);
		hv_record_done(&record);
		seen = HV_SEEN_NONE;
		look(fixture, &seen);
		assert_true(seen.is_lease_over);
		assert_true(seen.lease_ms >= 200 && seen.lease_ms <= 5000);
	}
	expect_problem(fixture, "attached its lease ended at ");
	close(fd);
	assert_int_equal(expire(fixture), 1);
	assert_false(read_record(fixture, &record));
	seen = HV_SEEN_NONE;
	look(fixture, &seen);
	assert_true(!seen.is_lease_over && seen.lease_ms < 0);
}

/* The daemon was killed between the two. */
RECONCILER_TEST(one_that_was_unmounted_and_not_recorded_ends)
{
	struct hv_record record = {0};
	struct hv_seen seen = HV_SEEN_NONE;

	start_engine(fixture);
	start_container(fixture);
	lease_only(fixture, HOUR, 600);
	end_lease(fixture, 1, 600);
	unmount_inside(fixture, fixture->target);
	look(fixture, &seen);
	assert_true(seen.is_lease_over);
	assert_int_equal(expire(fixture), 1);
	assert_false(read_record(fixture, &record));
}

RECONCILER_TEST(one_that_ended_while_no_daemon_ran_is_detached_by_the_next)
{
	start_engine(fixture);
	start_container(fixture);
	lease_only(fixture, HOUR, 600);
	assert_int_equal(count_mounts(fixture), 1);
	end_lease(fixture, HOUR, 600);
	start_reconciler(fixture);
	expect_state(fixture, "");
}

/* By the Engine's event, and while it is held. */
RECONCILER_TEST(no_start_attaches_it_when_it_is_over)
{
	for (int is_held = 0; is_held < 2; is_held++) {
		bool is_wanted = true, is_required = true;
		struct hv_record record = {0};
		struct hv_error err = {0};

		start_engine(fixture);
		lease_only(fixture, HOUR, 600); /* pending */
		end_lease(fixture, 1, 600);
		assert_string_equal(state_of(fixture, fixture->target), "");
		assert_int_equal(hv_attachments_wanted(
					 fixture->attacher, ID, &is_wanted, &is_required, &err),
			HV_OK);
		assert_false(is_wanted || is_required);
		start_container(fixture);
		if (is_held) {
			char id[] = ID, name[] = "web";
			struct hv_target target = {
				.container = {.id = id,
					.name = name,
					.is_running = true,
					.pid = fixture->pid},
				.ns = MC_NS_NONE,
				.held_until_ms = hv_clock_ms() + FAR_MS,
			};
			struct hv_repaired repaired;

			assert_int_equal(
				mc_ns_open(fixture->world->core, fixture->pid, &target.ns, NULL),
				0);
			assert_int_equal(
				hv_target_repair(fixture->attacher, &target, &repaired, &err),
				HV_OK);
			assert_int_equal(repaired.expired, 1);
			mc_ns_close(&target.ns);
		} else {
			assert_int_equal(repair(fixture), HV_OK);
		}
		assert_false(read_record(fixture, &record));
		assert_int_equal(count_mounts(fixture), 0);
		stop_container(fixture);
		stop_engine(fixture);
	}
}

RECONCILER_TEST(the_record_of_a_stopped_container_is_dropped)
{
	start_engine(fixture);
	start_reconciler(fixture);
	lease_only(fixture, 1, HV_GRACE_UNSAID);
	expect_state(fixture, "");
}

RECONCILER_TEST(it_goes_on_over_a_restart_of_the_container)
{
	struct hv_attachment attachment = {0};
	struct hv_record record = {0};

	start_engine(fixture);
	start_container(fixture);
	lease(fixture, HOUR, 7, false, &attachment);
	stop_container(fixture);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_true(read_record(fixture, &record));
	assert_string_equal(record.view.until, attachment.until);
	assert_int_equal(record.view.grace_seconds, 7);
	hv_record_done(&record);
	hv_attachment_done(&attachment);
}

/* Attach once more, and expect the same attachment with this end: "" for none. */
static void attach_again(struct fixture *fixture, const struct hv_attachment *before,
	long long lease_seconds, const char *until, size_t warnings)
{
	struct hv_attachment now = {0};
	struct hv_record record = {0};

	lease(fixture, lease_seconds, HV_GRACE_UNSAID, false, &now);
	assert_string_equal(now.id, before->id);
	assert_int_equal(now.warnings.count, warnings);
	assert_true(read_record(fixture, &record));
	assert_int_equal(!now.until, !record.view.until);
	if (until)
		assert_string_equal(now.until ? now.until : "", until);
	if (now.until)
		assert_string_equal(now.until, record.view.until);
	hv_record_done(&record);
	hv_attachment_done(&now);
}

RECONCILER_TEST(an_attach_again_renews_it_or_leaves_it)
{
	for (int is_running = 0; is_running < 2; is_running++) {
		struct hv_attachment attachment = {0};
		struct hv_record record = {0};

		start_engine(fixture);
		if (is_running)
			start_container(fixture);
		lease(fixture, HOUR, 7, false, &attachment);
		assert_non_null(attachment.until);
		assert_int_equal(attachment.grace_seconds, 7);
		attach_again(fixture, &attachment, 0, attachment.until, 1);
		attach_again(fixture, &attachment, 2LL * HOUR, NULL, 0);
		assert_true(read_record(fixture, &record));
		assert_true(record.view.until && attachment.until &&
			    strcmp(record.view.until, attachment.until) > 0);
		assert_int_equal(record.view.grace_seconds, HV_GRACE_SECONDS);
		hv_record_done(&record);
		hv_attachment_done(&attachment);
		stop_container(fixture);
		assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
		stop_engine(fixture);
	}
}

/* It was about to go, and its problem said so. */
RECONCILER_TEST(an_attach_again_after_the_end_makes_it_last)
{
	struct hv_attachment attachment = {0};
	int fd;

	start_engine(fixture);
	start_container(fixture);
	lease(fixture, HOUR, 600, false, &attachment);
	fd = use(fixture);
	end_lease(fixture, 2, 600);
	assert_int_equal(expire(fixture), 0);
	attach_again(fixture, &attachment, 0, "", 0);
	assert_string_equal(state_of(fixture, fixture->target), "attached");
	close(fd);
	assert_int_equal(expire(fixture), 0);
	assert_int_equal(count_mounts(fixture), 1);
	/* And one that lasts is given a lease. */
	attach_again(fixture, &attachment, HOUR, NULL, 0);
	hv_attachment_done(&attachment);
}

/* Before it was attached at the start. */
RECONCILER_TEST(an_attach_in_place_of_one_that_waits_keeps_its_lease)
{
	struct hv_attachment before = {0}, now = {0};

	start_engine(fixture);
	lease(fixture, HOUR, 600, false, &before);
	start_container(fixture);
	lease(fixture, 0, HV_GRACE_UNSAID, false, &now);
	assert_string_equal(now.until, before.until);
	assert_int_equal(count_mounts(fixture), 1);
	hv_attachment_done(&before);
	hv_attachment_done(&now);
}

RECONCILER_TEST(a_lease_and_a_grace_have_limits)
{
	static const struct {
		long long lease, grace;
		const char *told;
	} cases[] = {
		{-1, HV_GRACE_UNSAID, "\"For\" must be from 1 to "},
		{HV_LEASE_MAX_SECONDS + 1LL, HV_GRACE_UNSAID, "\"For\" must be from 1 to "},
		{HOUR, -2, "\"Grace\" must be from 0 to "},
		{HOUR, HV_LEASE_MAX_SECONDS + 1LL, "\"Grace\" must be from 0 to "},
		{0, 7, "\"Grace\" says nothing without \"For\""},
	};

	start_engine(fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
		struct hv_attachment attachment = {0};
		struct hv_error err = {0};
		char container[] = ID;

		request.volume = data;
		request.container = container;
		request.target = fixture->target;
		request.lease_seconds = cases[i].lease;
		request.grace_seconds = cases[i].grace;
		assert_int_equal(
			hv_attach(fixture->attacher, &request, &attachment, &err), HV_BAD_REQUEST);
		assert_non_null(strstr(hv_error_text(&err), cases[i].told));
		hv_error_done(&err);
	}
	lease_only(fixture, HV_LEASE_MAX_SECONDS, HV_LEASE_MAX_SECONDS);
}

RECONCILER_TEST(a_start_does_not_need_it_when_it_is_over)
{
	struct hv_attachment attachment = {0};
	struct hv_records siblings = {0};
	struct hv_repaired repaired = {0};
	struct mc_ns ns = MC_NS_NONE;
	struct hv_error err = {0};

	start_engine(fixture);
	lease(fixture, HOUR, 600, true, &attachment);
	hv_attachment_done(&attachment);
	end_lease(fixture, 1, 600);
	start_container(fixture);
	assert_int_equal(hv_siblings_read(fixture->attacher, ID, &siblings, &err), HV_OK);
	assert_int_equal(mc_ns_open(fixture->world->core, fixture->pid, &ns, NULL), 0);
	assert_false(hv_start_refuse(fixture->attacher, &ns, &siblings, &repaired));
	mc_ns_close(&ns);
	hv_records_done(&siblings);
}

/* Its lease ends while the container waits for it. */
RECONCILER_TEST(a_container_that_was_refused_for_it_is_started_again)
{
	static const char stopped[] =
		HEAD("200 OK") CLOSED "{\"Id\":\"" ID "\",\"Name\":\"/web\",\"State\":"
				      "{\"Running\":false,\"Pid\":0,\"Error\":\"already dead\","
				      "\"StartedAt\":\"2999-01-01T00:00:00Z\"},"
				      "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\"}}}";
	struct hv_attachment attachment = {0};
	struct hv_record record = {0};
	struct hv_restart restart = {0};
	struct hv_seen seen = HV_SEEN_NONE;
	struct hv_error err = {0};

	start_engine(fixture);
	lease(fixture, HOUR, 600, true, &attachment);
	hv_attachment_done(&attachment);
	assert_true(read_record(fixture, &record));
	record.refusal = HV_REFUSAL_AWAITED;
	assert_int_equal(hv_store_attachment_note(fixture->world->store, &record, &err), HV_OK);
	hv_record_done(&record);
	end_lease(fixture, 1, 600);
	fake_engine_set(fixture->fake, INSPECT_PATH, stopped);
	fake_engine_set(fixture->fake, START_PATH, HEAD("204 No Content") CLOSED);
	look(fixture, &seen);
	assert_int_equal(seen.repaired.awaited, 1);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(hv_attachments_restart(fixture->attacher, ID, &restart, &err), HV_OK);
	assert_int_equal(restart.is, HV_RESTART_DONE);
	assert_int_equal(fake_engine_posts(fixture->fake), 1);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_false(read_record(fixture, &record));
	assert_int_equal(count_mounts(fixture), 0);
}

RECONCILER_TEST(a_check_tells_until_when)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_check *checks = NULL;
	struct hv_error err = {0};
	char container[] = ID;
	size_t count = 0;

	start_engine(fixture);
	start_container(fixture);
	request.volume = data;
	request.container = container;
	request.target = fixture->target;
	request.lease_seconds = HOUR;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			hv_attach_check(fixture->attacher, &request, &checks, &count, &err), HV_OK);
		assert_string_equal(checks[count - 1].name, "lease");
		assert_true(checks[count - 1].ok);
		assert_non_null(
			strstr(checks[count - 1].detail, "Z, and for 600 seconds more at most"));
		hv_checks_free(checks, count);
		lease_only(fixture, 2LL * HOUR, HV_GRACE_UNSAID);
	}
}

TEST_MAIN_IN_NAMESPACE()

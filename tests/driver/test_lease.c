/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments that are wanted until a date. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"
#include "wire/clock.h"

#include "container.h"
#include "detach.h"
#include "lease.h"
#include "lease_fixture.h"
#include "repair.h"

enum { FAR_MS = 60000 };

static char data[] = "data";

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

/* The last event is a detach, with this in its sentence. */
static void expect_told(struct fixture *fixture, const char *detail)
{
	static const struct hv_events_request all = {0};

	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 5) {
		hv_auto_events struct hv_events events = {0};
		struct hv_error err = {0};
		const struct hv_attachment_event *last;

		assert_int_equal(
			hv_attachments_events(fixture->attacher, &all, &events, &err), HV_OK);
		assert_true(events.count > 0);
		last = &events.items[events.count - 1];
		if (strcmp(last->action, "detach") == 0) {
			if (*detail)
				assert_non_null(strstr(last->detail, detail));
			else
				assert_string_equal(last->detail, "");
			return;
		}
		sleep_a_little();
	}
	fail_msg("no detach was told");
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
	lease_begin(fixture, 1, HV_GRACE_UNSAID);
	expect_state(fixture, "");
	assert_false(fixture->has_ended); /* and not with its container */
	expect_told(fixture, "its lease ended at 20");
}

RECONCILER_TEST(one_in_use_stays_until_it_is_released)
{
	int fd;

	start_engine(fixture);
	start_container(fixture);
	start_reconciler(fixture);
	lease_begin(fixture, 3, HV_GRACE_UNSAID);
	fd = lease_use(fixture);
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
	lease_begin(fixture, 3, 1);
	fd = lease_use(fixture);
	expect_state(fixture, "");
	expect_told(fixture, "its lease ended at 20");
	assert_int_equal(faccessat(fd, ".", R_OK, 0), 0); /* open files stay open */
	close(fd);
}

RECONCILER_TEST(without_a_grace_it_is_lazy_at_once)
{
	int fd;

	start_engine(fixture);
	start_container(fixture);
	lease_begin(fixture, HOUR, 0);
	fd = lease_use(fixture);
	assert_int_equal(lease_expire(fixture), 0);
	lease_end(fixture, 1, 0);
	assert_int_equal(lease_expire(fixture), 1);
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
	lease_begin(fixture, HOUR, 600);
	lease_look(fixture, &seen);
	assert_false(seen.is_lease_over);
	assert_int_equal(seen.lease_ms, 60000);
	fd = lease_use(fixture);
	lease_end(fixture, 2, 600);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lease_expire(fixture), 0);
		assert_true(lease_read(fixture, &record));
		assert_int_equal(record.problem, HV_PROBLEM_LEASE);
		assert_int_equal(record.view.state, HV_ATTACHED);
		assert_false(record.is_ending);
		assert_non_null(record.view.problem);
		hv_record_done(&record);
		seen = HV_SEEN_NONE;
		lease_look(fixture, &seen);
		assert_true(seen.is_lease_over);
		assert_true(seen.lease_ms >= 200 && seen.lease_ms <= 5000);
	}
	expect_problem(fixture, "attached its lease ended at ");
	close(fd);
	assert_int_equal(lease_expire(fixture), 1);
	assert_false(lease_read(fixture, &record));
	seen = HV_SEEN_NONE;
	lease_look(fixture, &seen);
	assert_true(!seen.is_lease_over && seen.lease_ms < 0);
}

/* The daemon was killed between the two. */
RECONCILER_TEST(one_that_was_unmounted_and_not_recorded_ends)
{
	struct hv_record record = {0};
	struct hv_seen seen = HV_SEEN_NONE;

	start_engine(fixture);
	start_container(fixture);
	lease_begin(fixture, HOUR, 600);
	lease_end(fixture, 1, 600);
	unmount_inside(fixture, fixture->target);
	lease_look(fixture, &seen);
	assert_true(seen.is_lease_over);
	assert_int_equal(lease_expire(fixture), 1);
	assert_false(lease_read(fixture, &record));
	expect_told(fixture, "its lease ended at 20");
}

RECONCILER_TEST(one_that_ended_while_no_daemon_ran_is_detached_by_the_next)
{
	start_engine(fixture);
	start_container(fixture);
	lease_begin(fixture, HOUR, 600);
	assert_int_equal(count_mounts(fixture), 1);
	lease_end(fixture, HOUR, 600);
	start_reconciler(fixture);
	expect_state(fixture, "");
}

RECONCILER_TEST(one_that_ended_while_the_machine_was_off_is_not_attached_again)
{
	struct hv_error err = {0};

	start_engine(fixture);
	start_container(fixture);
	lease_begin(fixture, HOUR, 600);
	lease_end(fixture, HOUR, 600);
	stop_container(fixture);
	assert_int_equal(hv_store_attachment_boot(fixture->world->store, "the next", &err), HV_OK);
	start_container(fixture);
	start_reconciler(fixture);
	expect_state(fixture, "");
}

/* Between the look and the detach. */
RECONCILER_TEST(one_that_was_renewed_meanwhile_is_kept)
{
	struct hv_record record = {0};
	struct hv_error err = {0};
	bool is_kept = false;

	start_engine(fixture);
	start_container(fixture);
	lease_begin(fixture, HOUR, 600);
	assert_true(lease_read(fixture, &record));
	assert_int_equal(
		hv_detach_expired(fixture->attacher, record.view.id, &is_kept, &err), HV_OK);
	assert_true(is_kept);
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(hv_detach_expired(fixture->attacher, "ffffffffffff", &is_kept, &err),
		HV_OK); /* gone is as well */
	hv_record_done(&record);
}

/* The mount of another is a use of it. */
RECONCILER_TEST(one_below_another_ends_first)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char container[] = ID, *below = NULL;

	start_engine(fixture);
	start_container(fixture);
	start_reconciler(fixture);
	lease_begin(fixture, 1, HV_GRACE_UNSAID);
	assert_true(asprintf(&below, "%s/below", fixture->target) > 0);
	request.volume = data;
	request.container = container;
	request.target = below;
	request.lease_seconds = 1;
	assert_int_equal(hv_attach(fixture->attacher, &request, &attachment, &err), HV_OK);
	for (int left_ms = PATIENCE_MS; left_ms > 0 && *state_of(fixture, fixture->target);
		left_ms -= 5)
		sleep_a_little();
	assert_string_equal(state_of(fixture, below), "");
	assert_int_equal(count_mounts(fixture), 0);
	assert_int_equal(count_mounts_at(fixture, below), 0);
	hv_attachment_done(&attachment);
	free(below);
}

/* By the Engine's event, and while it is held. */
RECONCILER_TEST(no_start_attaches_it_when_it_is_over)
{
	for (int is_held = 0; is_held < 2; is_held++) {
		bool is_wanted = true, is_required = true;
		struct hv_record record = {0};
		struct hv_error err = {0};

		start_engine(fixture);
		lease_begin(fixture, HOUR, 600); /* pending */
		lease_end(fixture, 1, 600);
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
		assert_false(lease_read(fixture, &record));
		assert_int_equal(count_mounts(fixture), 0);
		stop_container(fixture);
		stop_engine(fixture);
	}
}

RECONCILER_TEST(the_record_of_a_stopped_container_is_dropped)
{
	start_engine(fixture);
	start_reconciler(fixture);
	lease_begin(fixture, 1, HV_GRACE_UNSAID);
	expect_state(fixture, "");
	expect_told(fixture, "its lease ended at 20");
}

RECONCILER_TEST(a_request_that_detaches_it_after_its_end_is_told_as_such)
{
	start_engine(fixture);
	start_container(fixture);
	lease_begin(fixture, HOUR, 600);
	lease_end(fixture, 1, 600);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	expect_told(fixture, "");
}

RECONCILER_TEST(it_goes_on_over_a_restart_of_the_container)
{
	struct hv_attachment attachment = {0};
	struct hv_record record = {0};

	start_engine(fixture);
	start_container(fixture);
	lease_attach(fixture, HOUR, 7, false, &attachment);
	stop_container(fixture);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_true(lease_read(fixture, &record));
	assert_string_equal(record.view.until, attachment.until);
	assert_int_equal(record.view.grace_seconds, 7);
	hv_record_done(&record);
	hv_attachment_done(&attachment);
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* Leases that are asked for again, or of required attachments. */
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "container.h"
#include "lease_fixture.h"
#include "refuse.h"
#include "siblings.h"

#define START_PATH "/containers/" ID "/start"

static char data[] = "data";

/* Attach once more, and expect the same attachment with this end: "" for none. */
static void attach_again(struct fixture *fixture, const struct hv_attachment *before,
	long long lease_seconds, const char *until, size_t warnings)
{
	struct hv_attachment now = {0};
	struct hv_record record = {0};

	lease_attach(fixture, lease_seconds, HV_GRACE_UNSAID, false, &now);
	assert_string_equal(now.id, before->id);
	assert_int_equal(now.warnings.count, warnings);
	assert_true(lease_read(fixture, &record));
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
		lease_attach(fixture, HOUR, 7, false, &attachment);
		assert_non_null(attachment.until);
		assert_int_equal(attachment.grace_seconds, 7);
		attach_again(fixture, &attachment, 0, attachment.until, 1);
		attach_again(fixture, &attachment, 2LL * HOUR, NULL, 0);
		assert_true(lease_read(fixture, &record));
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
	lease_attach(fixture, HOUR, 600, false, &attachment);
	fd = lease_use(fixture);
	lease_end(fixture, 2, 600);
	assert_int_equal(lease_expire(fixture), 0);
	attach_again(fixture, &attachment, 0, "", 0);
	assert_string_equal(state_of(fixture, fixture->target), "attached");
	close(fd);
	assert_int_equal(lease_expire(fixture), 0);
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
	lease_attach(fixture, HOUR, 600, false, &before);
	start_container(fixture);
	lease_attach(fixture, 0, HV_GRACE_UNSAID, false, &now);
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
	lease_begin(fixture, HV_LEASE_MAX_SECONDS, HV_LEASE_MAX_SECONDS);
}

RECONCILER_TEST(a_start_does_not_need_it_when_it_is_over)
{
	struct hv_attachment attachment = {0};
	struct hv_records siblings = {0};
	struct hv_repaired repaired = {0};
	struct mc_ns ns = MC_NS_NONE;
	struct hv_error err = {0};

	start_engine(fixture);
	lease_attach(fixture, HOUR, 600, true, &attachment);
	hv_attachment_done(&attachment);
	lease_end(fixture, 1, 600);
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
	lease_attach(fixture, HOUR, 600, true, &attachment);
	hv_attachment_done(&attachment);
	assert_true(lease_read(fixture, &record));
	record.refusal = HV_REFUSAL_AWAITED;
	assert_int_equal(hv_store_attachment_note(fixture->world->store, &record, &err), HV_OK);
	hv_record_done(&record);
	lease_end(fixture, 1, 600);
	fake_engine_set(fixture->fake, INSPECT_PATH, stopped);
	fake_engine_set(fixture->fake, START_PATH, HEAD("204 No Content") CLOSED);
	lease_look(fixture, &seen);
	assert_int_equal(seen.repaired.awaited, 1);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(hv_attachments_restart(fixture->attacher, ID, &restart, &err), HV_OK);
	assert_int_equal(restart.is, HV_RESTART_DONE);
	assert_int_equal(fake_engine_posts(fixture->fake), 1);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_false(lease_read(fixture, &record));
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
		lease_begin(fixture, 2LL * HOUR, HV_GRACE_UNSAID);
	}
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* An Engine that does not know a container (any more). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"

#include "reconciler_fixture.h"

#define UNKNOWN HEAD("404 Not Found") CLOSED "{\"message\":\"No such container: " ID "\"}"

RECONCILER_TEST(a_container_that_is_gone_takes_its_attachments_along)
{
	char wanted[4096];

	begin(fixture);
	stop_container(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_send(fixture->fake, EVENT("destroy"));
	expect_state(fixture, "");
	snprintf(wanted, sizeof(wanted), "web data %s", fixture->target);
	/* It is told after the record has ended. */
	for (int left_ms = PATIENCE_MS; left_ms > 0 && !fixture->has_ended; left_ms -= 5)
		sleep_a_little();
	assert_string_equal(fixture->ended, wanted); /* so that one can put it back */
}

/* Wait for it, and that the problem has this in it. */
static void expect_problem(struct fixture *fixture, const char *state, const char *text)
{
	const struct hv_record_filter all = {0};
	bool is_told = false;

	for (int left_ms = PATIENCE_MS; left_ms > 0 && !is_told; left_ms -= 5) {
		struct hv_records records = {0};
		struct hv_error err = {0};

		assert_int_equal(
			hv_store_attachment_list(fixture->world->store, &all, &records, &err),
			HV_OK);
		assert_int_equal(records.count, 1);
		is_told = records.items->view.problem &&
			  strstr(records.items->view.problem, text) &&
			  strcmp(hv_attachment_state_name(records.items->view.state), state) == 0;
		hv_records_done(&records);
		sleep_a_little();
	}
	assert_true(is_told);
}

static enum hv_code release(struct fixture *fixture)
{
	struct hv_error err = {0};
	enum hv_code code = hv_attachments_release_volume(fixture->attacher, "data", &err);

	hv_error_done(&err);
	return code;
}

RECONCILER_TEST(an_engine_that_is_another_ends_nothing)
{
	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	stop_container(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_set(fixture->fake, "/info", INFO("CD", "3"));
	start_reconciler(fixture); /* only now: it asks both, and one of them before */
	expect_problem(fixture, "pending", "is not the one that container 'web' belongs to");
	assert_int_equal(release(fixture), HV_VOLUME_IN_USE);
	fake_engine_set(fixture->fake, "/info", INFO("AB", "3"));
	fake_engine_send(fixture->fake, EVENT("destroy")); /* or by the next look at all */
	expect_state(fixture, "");
}

RECONCILER_TEST(an_engine_that_is_known_again_clears_the_doubt)
{
	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_set(fixture->fake, "/info", INFO("CD", "3"));
	start_reconciler(fixture);
	expect_problem(fixture, "pending", "is not the one");
	fake_engine_set(fixture->fake, "/info", INFO("AB", "3"));
	start_container(fixture);
	fake_engine_send(fixture->fake, EVENT("start"));
	expect_state(fixture, "attached");
}

RECONCILER_TEST(a_container_that_lives_keeps_its_attachments)
{
	const struct hv_list_request all = {0};
	struct hv_attachment *list = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	begin(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_send(fixture->fake, EVENT("destroy"));
	expect_problem(fixture, "attached", "which runs and has the volume");
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(release(fixture), HV_VOLUME_IN_USE);
	assert_int_equal(hv_attachments_list(fixture->attacher, &all, &list, &count, &err), HV_OK);
	assert_int_equal(count, 1);
	assert_non_null(list->problem);
	hv_attachments_free(list, count);
	stop_container(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	expect_state(fixture, "");
}

/* dockerd over a disk that is not mounted. */
RECONCILER_TEST(an_engine_without_containers_must_have_told_of_the_end)
{
	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_set(fixture->fake, "/info", INFO("AB", "0"));
	start_reconciler(fixture);
	expect_problem(fixture, "pending", "has no containers at all");
	assert_int_equal(release(fixture), HV_VOLUME_IN_USE);
	fake_engine_send(fixture->fake, EVENT("destroy"));
	expect_state(fixture, "");
}

enum { OTHERS = 2 * HV_ENDED_MAX };

/* Those with records count only: on a host where containers come and go all the time, too. */
RECONCILER_TEST(the_ends_of_other_containers_hide_none)
{
	char other_id[65];

	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	hv_attacher_container_destroyed(fixture->attacher, ID);
	for (unsigned i = 0; i < OTHERS; i++) {
		snprintf(other_id, sizeof(other_id), "%08x%056x", i + 1, 0U);
		hv_attacher_container_destroyed(fixture->attacher, other_id);
	}
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_set(fixture->fake, "/info", INFO("AB", "0"));
	assert_int_equal(repair(fixture), HV_OK);
	assert_string_equal(state_of(fixture, fixture->target), "");
}

/* It is not tried again and again, each time with questions to the Engine: only that can end it. */
RECONCILER_TEST(doubt_is_no_failure)
{
	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_set(fixture->fake, "/info", INFO("CD", "3"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(repair(fixture), HV_OK);
		assert_non_null(strstr(state_of(fixture, fixture->target),
			"is not the one that container 'web' belongs to"));
	}
}

RECONCILER_TEST(another_container_of_that_name_is_not_the_one)
{
	begin(fixture);
	stop_container(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH,
		HEAD("200 OK") CLOSED
		"{\"Id\":\"00\",\"Name\":\"/" ID
		"\",\"State\":{\"Running\":false,\"Pid\":0,\"StartedAt\":\"x\"}}");
	fake_engine_send(fixture->fake, EVENT("start"));
	expect_state(fixture, "");
}

TEST_MAIN_IN_NAMESPACE()

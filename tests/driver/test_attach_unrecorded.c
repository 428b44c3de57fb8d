/* SPDX-License-Identifier: Apache-2.0 */
/* An attach or a detach whose last commit fails is brought to its end as after a crash: the record
 * of what was begun says how. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "db.h"
#include "reconciler_fixture.h"
#include "rows.h"
#include "scratch.h"

enum { FOR_EVER = 1000 };

static char other[] = "other", anyhow[] = "nonatomic";

/* Which commits of the store fail. */
static struct failing {
	int skip;
	int count;
} failing;

static int fail_commit(void *context)
{
	struct failing *left = context;

	if (left->skip > 0) {
		left->skip--;
		return 0;
	}
	if (left->count == 0)
		return 0;
	left->count--;
	return 1;
}

/* The first `skip` commits from now on work, then `count` fail. */
static void fail_commits(struct fixture *fixture, int skip, int count)
{
	failing = (struct failing){skip, count};
	sqlite3_commit_hook(fixture->world->store->db, fail_commit, &failing);
}

static void look(struct fixture *fixture, enum hv_code wanted)
{
	struct hv_repaired repaired = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_attachments_settle(fixture->attacher, ID, &repaired, &err), wanted);
	hv_error_done(&err);
}

static void begin_attached(struct fixture *fixture)
{
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(world_create(fixture->world, other, NULL, NULL), HV_OK);
	world_write(fixture->world, "state/volumes/other/_data/new", "");
	assert_int_equal(attach(fixture, true), HV_OK);
}

static bool has_new(struct fixture *fixture)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/new", fixture->target);
	return is_inside(fixture, path);
}

static bool is_recorded(struct fixture *fixture, const char *volume)
{
	return row_count_records(fixture->world->store, NULL, volume, NULL) > 0;
}

RECONCILER_TEST(a_commit_that_fails_once_is_made_again)
{
	begin_attached(fixture);
	fail_commits(fixture, 1, 1);
	assert_int_equal(attach_to(fixture, other, fixture->target, true, anyhow), HV_OK);
	assert_true(has_new(fixture));
	assert_false(is_recorded(fixture, "data"));
	fail_commits(fixture, 1, 1);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_int_equal(count_mounts(fixture), 0);
	assert_false(is_recorded(fixture, other));
}

RECONCILER_TEST(a_replacement_that_cannot_be_recorded_stands_and_is_recorded_later)
{
	begin_attached(fixture);
	fail_commits(fixture, 1, FOR_EVER);
	assert_int_equal(
		attach_to(fixture, other, fixture->target, true, anyhow), HV_STATE_UNREADABLE);
	assert_true(has_new(fixture));
	assert_int_equal(count_mounts(fixture), 1);
	look(fixture, HV_STATE_UNREADABLE);
	assert_true(has_new(fixture));
	fail_commits(fixture, 0, 0);
	look(fixture, HV_OK);
	assert_true(has_new(fixture));
	assert_false(is_recorded(fixture, "data"));
	assert_string_equal(state_of(fixture, fixture->target), "attached");
}

/* A crash lost the new mount after the former one was unmounted for it.  A look before the repair
 * must not report the former one as unmounted by others. */
RECONCILER_TEST(a_replacement_that_was_cut_short_is_made_whoever_looks_first)
{
	struct hv_seen seen = HV_SEEN_NONE;
	struct hv_error err = {0};

	begin_attached(fixture);
	fail_commits(fixture, 1, FOR_EVER);
	assert_int_equal(
		attach_to(fixture, other, fixture->target, true, anyhow), HV_STATE_UNREADABLE);
	unmount_inside(fixture, fixture->target);
	fail_commits(fixture, 0, 0);
	assert_int_equal(hv_attachments_sync(fixture->attacher, ID, &seen, &err), HV_OK);
	hv_seen_done(&seen);
	look(fixture, HV_OK);
	assert_true(is_recorded(fixture, other));
	assert_false(is_recorded(fixture, "data"));
}

RECONCILER_TEST(an_attach_that_cannot_be_recorded_stands_and_is_recorded_later)
{
	start_engine(fixture);
	start_container(fixture);
	fail_commits(fixture, 1, FOR_EVER);
	assert_int_equal(attach(fixture, true), HV_STATE_UNREADABLE);
	assert_int_equal(count_mounts(fixture), 1);
	fail_commits(fixture, 0, 0);
	/* The same request again is answered with what is there. */
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_string_equal(state_of(fixture, fixture->target), "attached");
}

RECONCILER_TEST(an_attach_of_which_not_even_the_intent_is_recorded_is_refused)
{
	begin_attached(fixture);
	fail_commits(fixture, 0, FOR_EVER);
	assert_int_equal(
		attach_to(fixture, other, fixture->target, true, anyhow), HV_STATE_UNREADABLE);
	assert_false(has_new(fixture));
	assert_int_equal(count_mounts(fixture), 1);
	assert_string_equal(state_of(fixture, fixture->target), "attached");
	assert_int_equal(detach_from(fixture, fixture->target), HV_STATE_UNREADABLE);
	assert_int_equal(count_mounts(fixture), 1);
	fail_commits(fixture, 0, 0);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
}

RECONCILER_TEST(a_detach_that_cannot_be_recorded_is_not_attached_again)
{
	begin_attached(fixture);
	fail_commits(fixture, 1, FOR_EVER);
	assert_int_equal(detach_from(fixture, fixture->target), HV_STATE_UNREADABLE);
	assert_int_equal(count_mounts(fixture), 0);
	stop_container(fixture);
	look(fixture, HV_STATE_UNREADABLE);
	start_container(fixture);
	assert_int_not_equal(repair(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 0);
	fail_commits(fixture, 0, 0);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 0);
	assert_string_equal(state_of(fixture, fixture->target), "");
}

static void *detach_waiting(void *context)
{
	struct fixture *fixture = context;
	char container[] = ID;
	const struct hv_detach_request request = {
		.container = container, .target = fixture->target, .wait_seconds = 60};
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	enum hv_code code = hv_detach(fixture->attacher, &request, &attachment, &err);

	hv_attachment_done(&attachment);
	hv_error_done(&err);
	return code == HV_OK ? fixture : NULL;
}

static bool is_ending(struct fixture *fixture)
{
	const struct hv_record_filter all = {0};
	struct hv_records records = {0};
	struct hv_error err = {0};
	bool is_so;

	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &all, &records, &err), HV_OK);
	is_so = records.count > 0 && records.items->is_ending;
	hv_records_done(&records);
	return is_so;
}

RECONCILER_TEST(what_is_unmounted_while_a_detach_waits_is_detached)
{
	char path[PATH_MAX];
	pthread_t thread;
	void *done = NULL;
	int busy;

	begin_attached(fixture);
	snprintf(path, sizeof(path), "/proc/%d/root%s", fixture->pid, fixture->target);
	busy = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(busy >= 0);
	assert_int_equal(pthread_create(&thread, NULL, detach_waiting, fixture), 0);
	while (!is_ending(fixture))
		sleep_a_little();
	unmount_inside(fixture, fixture->target);
	look(fixture, HV_OK);
	assert_int_equal(pthread_join(thread, &done), 0);
	assert_ptr_equal(done, fixture);
	assert_false(is_recorded(fixture, "data"));
	close(busy);
}

RECONCILER_TEST(an_attach_that_loses_to_a_remove_finds_no_volume)
{
	start_engine(fixture);
	start_container(fixture);
	fixture->removes = true;
	assert_int_equal(attach(fixture, true), HV_NO_SUCH_VOLUME);
	assert_int_equal(count_mounts(fixture), 0);
}

TEST_MAIN_IN_NAMESPACE()

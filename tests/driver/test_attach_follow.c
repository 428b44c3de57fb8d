/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment that follows its path becomes what that leads to, with what is attached below it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "reconciler_fixture.h"
#include "scratch.h"

static char linked[] = "linked", data[] = "data";
static unsigned told; /* changes */

/* The path of the volume "linked" is this symlink. */
static void lead_to(struct fixture *fixture, const char *name)
{
	char *path = scratch_path(fixture->world->dir, "link");

	(void)unlink(path);
	assert_int_equal(symlink(name, path), 0);
	free(path);
}

/* Attached, with its ID. */
static void begin_following(struct fixture *fixture, char ret[static HV_RECORD_ID_SIZE])
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char container[] = ID, anyhow[] = "nonatomic"; /* kernels before 6.5 */

	world_mkdir(fixture->world, "one/in");
	world_mkdir(fixture->world, "two/in");
	world_write(fixture->world, "one/first", "");
	world_write(fixture->world, "two/second", "");
	lead_to(fixture, "one");
	assert_int_equal(world_create(fixture->world, linked, "path=%s/link", NULL), HV_OK);
	start_engine(fixture);
	start_container(fixture);
	request.volume = linked;
	request.container = container;
	request.target = fixture->target;
	request.replace = anyhow;
	request.follow = true;
	if (hv_attach(fixture->attacher, &request, &attachment, &err) != HV_OK)
		fail_msg("%s", hv_error_text(&err));
	snprintf(ret, HV_RECORD_ID_SIZE, "%s", attachment.id);
	hv_attachment_done(&attachment);
}

static void expect_follow(struct fixture *fixture, const char *id, enum hv_follow_is wanted)
{
	enum hv_follow_is is = HV_FOLLOW_OVER;
	struct hv_error err = {0};

	if (hv_attachment_follow(fixture->attacher, id, &is, &err) != HV_OK)
		fail_msg("%s", hv_error_text(&err));
	assert_int_equal(is, wanted);
}

RECONCILER_TEST(one_becomes_what_its_symlink_leads_to)
{
	char id[HV_RECORD_ID_SIZE];

	begin_following(fixture, id);
	assert_true(has_inside(fixture, "first"));
	expect_follow(fixture, id, HV_FOLLOW_SAME);
	lead_to(fixture, "two");
	expect_follow(fixture, id, HV_FOLLOW_DONE);
	assert_true(has_inside(fixture, "second"));
	assert_int_equal(count_mounts(fixture), 1);
	expect_follow(fixture, id, HV_FOLLOW_SAME);
	lead_to(fixture, "nowhere");
	expect_follow(fixture, id, HV_FOLLOW_GONE);
	assert_true(has_inside(fixture, "second"));
}

RECONCILER_TEST(one_below_is_put_back_on_top)
{
	char *inner = scratch_path(fixture->target, "in");
	char id[HV_RECORD_ID_SIZE];

	begin_following(fixture, id);
	assert_int_equal(attach_to(fixture, data, inner, true, NULL), HV_OK);
	lead_to(fixture, "two");
	expect_follow(fixture, id, HV_FOLLOW_DONE);
	assert_true(has_inside(fixture, "second"));
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(count_mounts_at(fixture, inner), 1);
	assert_string_equal(state_of(fixture, inner), "attached");
	free(inner);
}

static void note_change(void *context, const char *container_id, bool is_undone)
{
	(void)context;
	(void)container_id;
	(void)is_undone;
	told++;
}

static const struct hv_attacher_listener listener = {.on_change = note_change}, nobody;

/* As a detach leaves it that a crash interrupted before the unmount. */
static void begin_ending(struct fixture *fixture, const char *id)
{
	const struct hv_record_filter filter = {.id = id};
	struct hv_records records = {0};
	struct hv_error err = {0};

	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &filter, &records, &err), HV_OK);
	assert_int_equal(records.count, 1);
	records.items->is_ending = true;
	assert_int_equal(
		hv_store_attachment_update(fixture->world->store, records.items, &err), HV_OK);
	hv_records_done(&records);
}

RECONCILER_TEST(one_that_was_not_detached_after_all_is_told)
{
	struct hv_repaired repaired = {0};
	struct hv_error err = {0};
	char id[HV_RECORD_ID_SIZE];

	begin_following(fixture, id);
	begin_ending(fixture, id);
	expect_follow(fixture, id, HV_FOLLOW_OVER);
	told = 0;
	hv_attacher_listen(fixture->attacher, &listener);
	assert_int_equal(hv_attachments_settle(fixture->attacher, ID, &repaired, &err), HV_OK);
	hv_attacher_listen(fixture->attacher, &nobody);
	assert_true(told > 0);
	expect_follow(fixture, id, HV_FOLLOW_SAME);
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* The former mount at the target of a new attach stays as it is until the new one is there, then
 * goes completely.  Entries created for targets go with the last attachment that needs them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "reconciler_fixture.h"
#include "scratch.h"

static char outer_name[] = "outer", data[] = "data", other[] = "other";
static char anyhow[] = "nonatomic";

static void begin_with_volumes(struct fixture *fixture)
{
	world_mkdir(fixture->world, "source/sub");
	assert_int_equal(world_create(fixture->world, outer_name, "path=%s/source", NULL), HV_OK);
	assert_int_equal(world_create(fixture->world, other, NULL, NULL), HV_OK);
	start_engine(fixture);
	start_container(fixture);
}

/* fixture->target/NAME */
static char *place(struct fixture *fixture, const char *name)
{
	return scratch_path(fixture->target, name);
}

/* --- a new one that fails behind its intent --- */

struct refusal {
	struct fixture *fixture;
	char *outer; /* a read-only attachment */
	char *inner; /* in it; its directory is gone, and cannot be made */
};

static void attach_read_only(struct fixture *fixture, char *target)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char container[] = ID;

	request.volume = outer_name;
	request.container = container;
	request.target = target;
	request.read_only = true;
	assert_int_equal(hv_attach(fixture->attacher, &request, &attachment, &err), HV_OK);
	hv_attachment_done(&attachment);
}

static void remove_inner_directory(struct refusal *self)
{
	char *path = scratch_path(self->fixture->world->dir, "source/sub");

	assert_int_equal(rmdir(path), 0);
	free(path);
}

/* "data" was attached at `inner`, and somebody unmounted it. */
static void begin_missing(struct refusal *self, struct fixture *fixture)
{
	self->fixture = fixture;
	begin_with_volumes(fixture);
	self->outer = place(fixture, "o");
	self->inner = place(fixture, "o/sub");
	attach_read_only(fixture, self->outer);
	assert_int_equal(attach_to(fixture, data, self->inner, true, NULL), HV_OK);
	unmount_inside(fixture, self->inner);
}

static void end_missing(struct refusal *self)
{
	free(self->outer);
	free(self->inner);
}

/* How many records of "data" there are, and of "other". */
static void expect_records(struct fixture *fixture, size_t of_data, size_t of_other)
{
	const char *const names[] = {data, other};
	const size_t wanted[] = {of_data, of_other};

	for (size_t i = 0; i < 2; i++) {
		const struct hv_record_filter filter = {.volume = names[i]};
		struct hv_records records = {0};
		struct hv_error err = {0};

		assert_int_equal(
			hv_store_attachment_list(fixture->world->store, &filter, &records, &err),
			HV_OK);
		assert_int_equal(records.count, wanted[i]);
		hv_records_done(&records);
	}
}

#define MISSING "missing it was unmounted, or its mountpoint was removed"

RECONCILER_TEST(one_that_fails_over_a_missing_one_leaves_nothing)
{
	struct refusal self;

	begin_missing(&self, fixture);
	remove_inner_directory(&self);
	for (int i = 0; i < 2; i++) {
		char *replace = i == 0 ? NULL : anyhow;

		assert_int_equal(attach_to(self.fixture, other, self.inner, true, replace),
			HV_TARGET_MISSING);
		expect_records(self.fixture, 1, 0);
		assert_string_equal(state_of(self.fixture, self.inner), MISSING);
	}
	assert_int_equal(detach_from(self.fixture, self.inner), HV_OK);
	expect_records(self.fixture, 0, 0);
	end_missing(&self);
}

/* As an earlier version, or an interrupted attach, may leave it. */
static void record_twice(struct fixture *fixture)
{
	const struct hv_record_filter filter = {.volume = data};
	struct hv_records records = {0};
	struct hv_error err = {0};

	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &filter, &records, &err), HV_OK);
	assert_int_equal(records.count, 1);
	free(records.items->view.id);
	records.items->view.id = strdup("ffffffffffff");
	assert_int_equal(
		hv_store_attachment_put(fixture->world->store, records.items, &err), HV_OK);
	hv_records_done(&records);
}

RECONCILER_TEST(all_records_of_a_place_stay_until_the_new_one_is_there)
{
	struct refusal self;

	begin_missing(&self, fixture);
	record_twice(self.fixture);
	remove_inner_directory(&self);
	assert_int_equal(attach_to(self.fixture, other, self.inner, true, NULL), HV_TARGET_MISSING);
	expect_records(self.fixture, 2, 0);
	world_mkdir(self.fixture->world, "source/sub");
	assert_int_equal(attach_to(self.fixture, other, self.inner, true, NULL), HV_OK);
	expect_records(self.fixture, 0, 1);
	assert_int_equal(count_mounts_at(self.fixture, self.inner), 1);
	end_missing(&self);
}

RECONCILER_TEST(the_sentence_names_the_read_only_volume_in_the_way)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char container[] = ID, wanted[1024];
	struct refusal self;

	begin_missing(&self, fixture);
	remove_inner_directory(&self);
	request.volume = other;
	request.container = container;
	request.target = self.inner;
	assert_int_equal(
		hv_attach(self.fixture->attacher, &request, &attachment, &err), HV_TARGET_MISSING);
	snprintf(wanted, sizeof(wanted),
		"there is no directory %s in container 'web', and volume 'outer' is read-only at %s",
		self.inner, self.outer);
	assert_string_equal(hv_error_text(&err), wanted);
	snprintf(wanted, sizeof(wanted),
		"create the directory in the volume on the host: mkdir -p %s/source/sub",
		self.fixture->world->dir);
	assert_string_equal(err.hint, wanted);
	hv_error_done(&err);
	end_missing(&self);
}

/* Its directory was renamed, with the mount: the new one is at the former path. */
RECONCILER_TEST(what_is_replaced_does_not_stay_where_it_was_moved)
{
	char *at, *moved, *from, *to;

	begin_with_volumes(fixture);
	at = place(fixture, "a/data");
	moved = place(fixture, "b/data");
	from = place(fixture, "a");
	to = place(fixture, "b");
	assert_int_equal(attach_to(fixture, data, at, true, NULL), HV_OK);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(count_mounts_at(fixture, moved), 1);
	assert_int_equal(attach_to(fixture, other, at, true, anyhow), HV_OK);
	assert_int_equal(count_mounts_at(fixture, at), 1);
	assert_int_equal(count_mounts_at(fixture, moved), 0);
	expect_records(fixture, 0, 1);
	free(at);
	free(moved);
	free(from);
	free(to);
}

/* --- created entries --- */

/* No other container has the file system there: created entries may be deleted. */
static void begin_on_own(struct fixture *fixture)
{
	fixture->own_mount = fixture->target;
	begin_with_volumes(fixture);
}

static void attach_at(struct fixture *fixture, char *volume, const char *name)
{
	char *target = place(fixture, name);

	assert_int_equal(attach_to(fixture, volume, target, true, anyhow), HV_OK);
	free(target);
}

static void detach_at(struct fixture *fixture, const char *name, bool lazy)
{
	char *target = place(fixture, name);
	char container[] = ID;
	const struct hv_detach_request request = {
		.container = container, .target = target, .lazy = lazy};
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_detach(fixture->attacher, &request, &attachment, &err), HV_OK);
	hv_attachment_done(&attachment);
	free(target);
}

static void expect_left(struct fixture *fixture, const char *name, bool wanted)
{
	char *path = place(fixture, name);

	assert_int_equal(is_inside(fixture, path), wanted);
	free(path);
}

RECONCILER_TEST(what_was_made_below_an_outer_one_goes_with_both)
{
	begin_on_own(fixture);
	for (int i = 0; i < 2; i++) {
		attach_at(fixture, data, "d/x");
		attach_at(fixture, outer_name, "d");
		if (i == 0)
			detach_at(fixture, "d/x", false);
		detach_at(fixture, "d", true);
		if (i == 1)
			detach_at(fixture, "d/x", false);
		expect_left(fixture, "d", false);
	}
}

RECONCILER_TEST(what_was_made_below_several_goes_with_the_last)
{
	begin_on_own(fixture);
	attach_at(fixture, data, "d/x/y");
	attach_at(fixture, outer_name, "d/x");
	attach_at(fixture, other, "d");
	attach_at(fixture, data, "d"); /* in its place */
	detach_at(fixture, "d/x/y", false);
	detach_at(fixture, "d/x", false);
	expect_left(fixture, "d", true);
	detach_at(fixture, "d", false);
	expect_left(fixture, "d", false);
}

RECONCILER_TEST(what_was_made_for_two_goes_with_the_last)
{
	begin_on_own(fixture);
	for (int i = 0; i < 2; i++) {
		attach_at(fixture, data, "n/m/a");
		attach_at(fixture, other, "n/b");
		detach_at(fixture, i == 0 ? "n/m/a" : "n/b", false);
		expect_left(fixture, "n/m", i == 1);
		expect_left(fixture, "n", true);
		detach_at(fixture, i == 0 ? "n/b" : "n/m/a", false);
		expect_left(fixture, "n", false);
	}
}

/* --- who waits below --- */

static bool is_to_be_repaired;

static void note_change(void *context, const char *container_id, bool is_undone)
{
	(void)context;
	(void)container_id;
	is_to_be_repaired = is_to_be_repaired || is_undone;
}

static const struct hv_attacher_listener listener = {.on_change = note_change};

static void begin_waiting(struct fixture *fixture, char *away, char *source, size_t size)
{
	struct hv_seen seen;
	struct hv_error err = {0};

	begin_with_volumes(fixture);
	attach_at(fixture, outer_name, "o");
	attach_at(fixture, data, "o/sub");
	snprintf(source, size, "%s/source", fixture->world->dir);
	snprintf(away, size, "%s/away", fixture->world->dir);
	assert_int_equal(rename(source, away), 0);
	stop_container(fixture);
	assert_int_equal(hv_attachments_sync(fixture->attacher, ID, &seen, &err), HV_OK);
	start_container(fixture);
	assert_int_not_equal(repair(fixture), HV_OK);
	hv_attacher_listen(fixture->attacher, &listener);
	is_to_be_repaired = false;
}

RECONCILER_TEST(one_that_waits_is_attached_as_soon_as_the_outer_one_is)
{
	char away[300], source[300];
	char *inner = place(fixture, "o/sub");

	begin_waiting(fixture, away, source, sizeof(away));
	assert_int_equal(rename(away, source), 0);
	attach_at(fixture, outer_name, "o");
	assert_true(is_to_be_repaired);
	assert_int_equal(repair(fixture), HV_OK);
	assert_string_equal(state_of(fixture, inner), "attached");
	is_to_be_repaired = false;
	attach_at(fixture, other, "elsewhere");
	assert_false(is_to_be_repaired); /* nothing waits */
	free(inner);
}

RECONCILER_TEST(one_that_waits_is_attached_as_soon_as_the_outer_one_is_detached)
{
	char away[300], source[300];
	char *inner = place(fixture, "o/sub");

	begin_waiting(fixture, away, source, sizeof(away));
	detach_at(fixture, "o", false);
	assert_true(is_to_be_repaired);
	assert_int_equal(repair(fixture), HV_OK);
	assert_string_equal(state_of(fixture, inner), "attached");
	free(inner);
}

TEST_MAIN_IN_NAMESPACE()

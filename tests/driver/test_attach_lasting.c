/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded attachments come back: at targets where something is mounted already, at targets below
 * each other, over the restarts of a container. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"
#include "wire/metrics.h"

#include "reconciler_fixture.h"
#include "scratch.h"

static char atomically[] = "true", anyhow[] = "nonatomic";
static char data[] = "data", other[] = "other";

/* Its end is noticed before the next start: the kernel uses the numbers of namespaces again. */
static void stop(struct fixture *fixture)
{
	struct hv_seen seen;
	struct hv_error err = {0};

	stop_container(fixture);
	assert_int_equal(hv_attachments_sync(fixture->attacher, ID, &seen, &err), HV_OK);
}

static void restart(struct fixture *fixture)
{
	stop(fixture);
	start_container(fixture);
}

static void begin_on_own_mount(struct fixture *fixture)
{
	fixture->own_mount = fixture->target;
	assert_int_equal(world_create(fixture->world, other, NULL, NULL), HV_OK);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_TARGET_EXISTS);
}

RECONCILER_TEST(what_covers_a_mount_of_the_container_is_back_after_a_restart)
{
	begin_on_own_mount(fixture);
	assert_int_equal(attach_to(fixture, data, fixture->target, true, atomically), HV_OK);
	assert_int_equal(count_mounts(fixture), 2);
	for (int i = 0; i < 2; i++) {
		restart(fixture);
		assert_int_equal(repair(fixture), HV_OK);
		assert_string_equal(state_of(fixture, fixture->target), "attached");
		assert_int_equal(count_mounts(fixture), 2);
	}
	/* Another of ours in its place: the container's own stays. */
	assert_int_equal(attach_to(fixture, other, fixture->target, true, anyhow), HV_OK);
	assert_int_equal(count_mounts(fixture), 2);
	restart(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 2);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_string_equal(state_of(fixture, fixture->target), "");
}

RECONCILER_TEST(what_is_to_cover_waits_for_the_start)
{
	begin_on_own_mount(fixture);
	stop(fixture);
	assert_int_equal(attach(fixture, true), HV_OK); /* to be refused at the start */
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_TARGET_EXISTS);
	assert_int_equal(count_mounts(fixture), 1);
	stop(fixture);
	assert_int_equal(attach_to(fixture, data, fixture->target, true, atomically), HV_OK);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_string_equal(state_of(fixture, fixture->target), "attached");
	assert_int_equal(count_mounts(fixture), 2);
	/* The same wish again is answered with what is there. */
	assert_int_equal(attach_to(fixture, data, fixture->target, true, atomically), HV_OK);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(count_mounts(fixture), 2);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
}

/* The kernel gives the next mounts the numbers that are free again. */
RECONCILER_TEST(one_unmounted_inside_is_missing_whatever_is_mounted_then)
{
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	unmount_inside(fixture, fixture->target);
	for (int i = 0; i < 32; i++)
		mount_inside(fixture, fixture->target);
	/* Before 6.8 a mount that has the number cannot be told from ours. */
	if (mc_core_features(fixture->world->core) & MC_FEATURE_UNIQUE_ID)
		assert_string_equal(state_of(fixture, fixture->target),
			"missing it was unmounted, or its mountpoint was removed");
	for (int i = 0; i < 32; i++)
		unmount_inside(fixture, fixture->target);
}

static unsigned long long count_timings(enum hv_timing timing)
{
	unsigned long long count = 0;
	struct hv_timing_counts counts;

	hv_timing_read(timing, &counts);
	for (size_t i = 0; i <= HV_TIMING_BUCKETS; i++)
		count += counts.in[i];
	return count;
}

/* The actions at `target`, each with a blank behind it. */
static void expect_events(struct fixture *fixture, const char *target, const char *wanted)
{
	static const struct hv_events_request all = {0};
	hv_auto_events struct hv_events events = {0};
	struct hv_error err = {0};
	char text[512] = "";

	assert_int_equal(hv_attachments_events(fixture->attacher, &all, &events, &err), HV_OK);
	for (size_t i = 0; i < events.count; i++) {
		size_t used = strlen(text);

		if (strcmp(events.items[i].target, target) == 0)
			snprintf(text + used, sizeof(text) - used, "%s ", events.items[i].action);
	}
	assert_string_equal(text, wanted);
}

RECONCILER_TEST(a_restart_is_told_and_counted_as_late)
{
	unsigned long long requests = count_timings(HV_TIME_ATTACH_REQUEST),
			   starts = count_timings(HV_TIME_ATTACH_START),
			   late = hv_counter_read(HV_COUNT_LATE_STARTS);

	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(attach(fixture, true), HV_OK); /* which makes no mount */
	restart(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(repair(fixture), HV_OK); /* which finds nothing to do */
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	expect_events(fixture, fixture->target, "attach pending reattach late detach ");
	assert_int_equal(count_timings(HV_TIME_ATTACH_REQUEST) - requests, 1);
	assert_int_equal(count_timings(HV_TIME_ATTACH_START) - starts, 1);
	assert_int_equal(hv_counter_read(HV_COUNT_LATE_STARTS) - late, 1);
}

/* Two targets, one below the other, with the volumes "outer" and "inner"; "outer" has a file. */
struct nested {
	struct fixture *fixture;
	char outer[256];
	char inner[300];
	char source[256];
};

static char outer_name[] = "outer", inner_name[] = "inner";

static void begin_nested(struct nested *self, struct fixture *fixture)
{
	self->fixture = fixture;
	snprintf(self->outer, sizeof(self->outer), "%s/o", fixture->target);
	snprintf(self->inner, sizeof(self->inner), "%s/sub", self->outer);
	snprintf(self->source, sizeof(self->source), "%s/source", fixture->world->dir);
	world_mkdir(fixture->world, "source");
	world_write(fixture->world, "source/of-outer", "");
	assert_int_equal(world_create(fixture->world, outer_name, "path=%s/source", NULL), HV_OK);
	assert_int_equal(world_create(fixture->world, inner_name, NULL, NULL), HV_OK);
	world_write(fixture->world, "state/volumes/inner/_data/of-inner", "");
	start_engine(fixture);
	start_container(fixture);
}

static void remove_source_file(struct nested *self)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/sub", self->source);
	assert_int_equal(unlink(path), 0);
}

static void attach_outer(struct nested *self)
{
	assert_int_equal(attach_to(self->fixture, outer_name, self->outer, true, NULL), HV_OK);
}

static void attach_inner(struct nested *self)
{
	assert_int_equal(attach_to(self->fixture, inner_name, self->inner, true, NULL), HV_OK);
}

static void expect_both(struct nested *self)
{
	char path[400];

	assert_string_equal(state_of(self->fixture, self->outer), "attached");
	assert_string_equal(state_of(self->fixture, self->inner), "attached");
	snprintf(path, sizeof(path), "%s/of-outer", self->outer);
	assert_true(is_inside(self->fixture, path));
	snprintf(path, sizeof(path), "%s/of-inner", self->inner);
	assert_true(is_inside(self->fixture, path));
	assert_int_equal(count_mounts_at(self->fixture, self->outer), 1);
	assert_int_equal(count_mounts_at(self->fixture, self->inner), 1);
}

RECONCILER_TEST(outer_ones_are_attached_first_whatever_came_first)
{
	struct nested self;

	begin_nested(&self, fixture);
	attach_inner(&self);
	attach_outer(&self);
	expect_both(&self);
	for (int i = 0; i < 2; i++) {
		restart(self.fixture);
		assert_int_equal(repair(self.fixture), HV_OK);
		expect_both(&self);
	}
	assert_int_equal(detach_from(self.fixture, self.outer), HV_BUSY);
	expect_both(&self);
	assert_int_equal(detach_from(self.fixture, self.inner), HV_OK);
	assert_int_equal(detach_from(self.fixture, self.outer), HV_OK);
}

RECONCILER_TEST(an_inner_one_waits_for_the_outer_one)
{
	char away[300], wanted[400];
	struct nested self;

	begin_nested(&self, fixture);
	attach_outer(&self);
	attach_inner(&self);
	snprintf(away, sizeof(away), "%s.away", self.source);
	assert_int_equal(rename(self.source, away), 0);
	restart(self.fixture);
	assert_int_not_equal(repair(self.fixture), HV_OK);
	snprintf(wanted, sizeof(wanted), "pending waits for volume 'outer' at %s", self.outer);
	assert_string_equal(state_of(self.fixture, self.inner), wanted);
	assert_int_equal(count_mounts_at(self.fixture, self.inner), 0);
	assert_int_equal(rename(away, self.source), 0);
	assert_int_equal(repair(self.fixture), HV_OK);
	expect_both(&self);
}

/* Which is attached by hand meanwhile. */
RECONCILER_TEST(an_outer_one_that_comes_late_goes_below_the_inner_one)
{
	char away[300];
	struct nested self;

	begin_nested(&self, fixture);
	attach_outer(&self);
	snprintf(away, sizeof(away), "%s.away", self.source);
	assert_int_equal(rename(self.source, away), 0);
	restart(self.fixture);
	assert_int_not_equal(repair(self.fixture), HV_OK);
	attach_inner(&self);
	assert_string_equal(state_of(self.fixture, self.inner), "attached");
	assert_int_equal(rename(away, self.source), 0);
	assert_int_equal(repair(self.fixture), HV_OK);
	expect_both(&self);
	/* It was taken out for a moment: that is told, and is not late. */
	expect_events(self.fixture, self.inner, "attach pending reattach ");
}

RECONCILER_TEST(an_outer_one_that_is_replaced_keeps_the_inner_one)
{
	struct nested self;
	char path[400];

	begin_nested(&self, fixture);
	assert_int_equal(world_create(self.fixture->world, other, NULL, NULL), HV_OK);
	attach_outer(&self);
	attach_inner(&self);
	assert_int_equal(attach_to(self.fixture, other, self.outer, true, anyhow), HV_OK);
	assert_string_equal(state_of(self.fixture, self.inner), "attached");
	snprintf(path, sizeof(path), "%s/of-inner", self.inner);
	assert_true(is_inside(self.fixture, path));
	assert_int_equal(attach_to(self.fixture, outer_name, self.outer, true, anyhow), HV_OK);
	expect_both(&self);
}

/* The outer one cannot have the inner one's target: that one is told to wait, and the attach of the
 * outer one is no failure. */
RECONCILER_TEST(an_inner_one_that_cannot_be_put_back_is_pending)
{
	struct nested self;

	begin_nested(&self, fixture);
	attach_inner(&self);
	world_write(self.fixture->world, "source/sub", "a file");
	attach_outer(&self);
	assert_string_equal(state_of(self.fixture, self.outer), "attached");
	assert_non_null(strstr(state_of(self.fixture, self.inner), "pending "));
	assert_int_equal(count_mounts_at(self.fixture, self.inner), 0);
	remove_source_file(&self);
	assert_int_equal(repair(self.fixture), HV_OK);
	expect_both(&self);
}

/* A mount of the container's own over it, or above it. */
RECONCILER_TEST(what_cannot_be_reached_is_covered_and_says_by_what)
{
	char wanted[400];
	struct nested self;

	begin_nested(&self, fixture);
	attach_inner(&self);
	mount_inside(self.fixture, self.outer);
	snprintf(wanted, sizeof(wanted), "covered covered by a mount at %s (tmpfs)", self.outer);
	assert_string_equal(state_of(self.fixture, self.inner), wanted);
	assert_int_equal(detach_from(self.fixture, self.inner), HV_BUSY);
	assert_int_equal(
		attach_to(self.fixture, inner_name, self.inner, true, NULL), HV_TARGET_EXISTS);
	/* Another one of ours on that: the container's own is what covers all the same. */
	assert_int_equal(attach_to(self.fixture, outer_name, self.outer, true, anyhow), HV_OK);
	assert_string_equal(state_of(self.fixture, self.inner), wanted);
	assert_int_equal(detach_from(self.fixture, self.outer), HV_OK);
	unmount_inside(self.fixture, self.outer);
	assert_string_equal(state_of(self.fixture, self.inner), "attached");
	assert_int_equal(detach_from(self.fixture, self.inner), HV_OK);
}

/* Give the inner one the state in which a daemon killed while unmounting leaves it. */
static void note_lifted(struct nested *self)
{
	const struct hv_record_filter filter = {.volume = inner_name};
	struct hv_records records = {0};
	struct hv_error err = {0};

	assert_int_equal(
		hv_store_attachment_list(self->fixture->world->store, &filter, &records, &err),
		HV_OK);
	assert_int_equal(records.count, 1);
	records.items->view.state = HV_PENDING;
	assert_int_equal(
		hv_store_attachment_note(self->fixture->world->store, records.items, &err), HV_OK);
	hv_records_done(&records);
}

RECONCILER_TEST(an_inner_one_that_was_being_taken_out_at_a_crash_is_there)
{
	struct nested self;

	begin_nested(&self, fixture);
	attach_outer(&self);
	attach_inner(&self);
	note_lifted(&self); /* and not yet taken out */
	assert_int_equal(repair(self.fixture), HV_OK);
	expect_both(&self);
	note_lifted(&self);
	unmount_inside(self.fixture, self.inner);
	assert_int_equal(repair(self.fixture), HV_OK);
	expect_both(&self);
}

static struct hv_attach_request outer_request(struct nested *self)
{
	static char container[] = ID;
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;

	request.volume = outer_name;
	request.container = container;
	request.target = self->outer;
	return request;
}

static void expect_warnings(struct nested *self, const struct hv_texts *warnings)
{
	char wanted[800];

	assert_int_equal(warnings->count, 2);
	if (!warnings->items) {
		fail_msg("there are none");
		return;
	}
	snprintf(wanted, sizeof(wanted),
		"volume 'inner' at %s is taken out and attached again on top of volume 'outer'",
		self->inner);
	assert_string_equal(warnings->items[0], wanted);
	snprintf(wanted, sizeof(wanted),
		"the mount at %s/own (tmpfs) is hidden until volume 'outer' is detached from %s",
		self->outer, self->outer);
	assert_string_equal(warnings->items[1], wanted);
}

RECONCILER_TEST(what_an_attach_hides_is_told)
{
	struct hv_attachment attachment = {0};
	struct hv_attach_request request;
	struct hv_texts below = {0};
	struct hv_check *checks = NULL;
	struct hv_error err = {0};
	struct nested self;
	size_t count = 0;
	char own[400];

	begin_nested(&self, fixture);
	request = outer_request(&self);
	attach_inner(&self);
	world_mkdir(self.fixture->world, "inside/o/own");
	snprintf(own, sizeof(own), "%s/own", self.outer);
	mount_inside(self.fixture, own);
	assert_int_equal(
		hv_attach_check(self.fixture->attacher, &request, &checks, &count, &err), HV_OK);
	for (size_t i = 0; i < count; i++)
		if (strcmp(checks[i].name, "below") == 0)
			assert_int_equal(hv_texts_add(&below, checks[i].detail), 0);
	expect_warnings(&self, &below);
	hv_texts_done(&below);
	hv_checks_free(checks, count);
	assert_int_equal(hv_attach(self.fixture->attacher, &request, &attachment, &err), HV_OK);
	expect_warnings(&self, &attachment.warnings);
	hv_attachment_done(&attachment);
	expect_both(&self);
}

static long long late_of(struct fixture *fixture, const char *target)
{
	const struct hv_list_request all = {0};
	struct hv_attachment *list = NULL;
	struct hv_error err = {0};
	size_t count = 0;
	long long late_ms = -2;

	assert_int_equal(hv_attachments_list(fixture->attacher, &all, &list, &count, &err), HV_OK);
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].target, target) == 0)
			late_ms = list[i].late_ms;
	hv_attachments_free(list, count);
	return late_ms;
}

/* The Engine that tells of these starts is ahead: 1 is the least of what is late. */
RECONCILER_TEST(lateness_is_that_of_the_last_start)
{
	struct nested self;

	begin_nested(&self, fixture);
	attach_inner(&self);
	attach_outer(&self); /* which takes the inner one out for a moment */
	assert_int_equal(late_of(self.fixture, self.inner), HV_LATE_UNKNOWN);
	assert_int_equal(late_of(self.fixture, self.outer), HV_LATE_UNKNOWN);
	restart(self.fixture);
	assert_int_equal(repair(self.fixture), HV_OK);
	assert_int_equal(late_of(self.fixture, self.inner), 1);
	assert_int_equal(late_of(self.fixture, self.outer), 1);
	assert_int_equal(repair(self.fixture), HV_OK);
	assert_int_equal(world_create(self.fixture->world, other, NULL, NULL), HV_OK);
	assert_int_equal(attach_to(self.fixture, other, self.outer, true, anyhow), HV_OK);
	assert_int_equal(late_of(self.fixture, self.inner), 1);
	assert_int_equal(late_of(self.fixture, self.outer), HV_LATE_UNKNOWN);
}

RECONCILER_TEST(a_file_of_the_volume_that_is_gone_is_named_in_the_problem)
{
	static char container[] = ID, file[] = "etc/app.conf";
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/state/volumes/data/_data/etc/app.conf",
		fixture->world->dir);
	start_engine(fixture);
	start_container(fixture);
	world_mkdir(fixture->world, "state/volumes/data/_data/etc");
	request.volume = data;
	request.container = container;
	request.target = fixture->target;
	request.subpath = file;
	world_mkdir(fixture->world, "state/volumes/data/_data/etc/app.conf");
	assert_int_equal(hv_attach(fixture->attacher, &request, &attachment, &err), HV_OK);
	hv_attachment_done(&attachment);
	stop(fixture);
	assert_int_equal(rmdir(path), 0);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_SOURCE_MISSING);
	assert_string_equal(state_of(fixture, fixture->target),
		"pending there is no such subpath in volume 'data': etc/app.conf");
	world_mkdir(fixture->world, "state/volumes/data/_data/etc/app.conf");
	assert_int_equal(repair(fixture), HV_OK);
	assert_string_equal(state_of(fixture, fixture->target), "attached");
}

/* In mount tables some characters are escaped. */
RECONCILER_TEST(targets_of_any_characters_last)
{
	static const char *const names[] = {"a b", " -x ", "f\xc3\xbcr", "\xe6\xbc\xa2\xe5\xad\x97",
		"\xf0\x9f\x98\x80", "a,b:c", "q'\"`", "100%s", "\\040", "#$*?", "a\\", "(deleted)"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	char targets[NAMES][256], file[PATH_MAX];

	world_write(fixture->world, "state/volumes/data/_data/file", "");
	start_engine(fixture);
	start_container(fixture);
	for (int i = 0; i < NAMES; i++) {
		snprintf(targets[i], sizeof(targets[i]), "%s/%s", fixture->target, names[i]);
		assert_int_equal(attach_to(fixture, data, targets[i], true, NULL), HV_OK);
		assert_string_equal(state_of(fixture, targets[i]), "attached");
	}
	restart(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	for (int i = 0; i < NAMES; i++) {
		assert_string_equal(state_of(fixture, targets[i]), "attached");
		snprintf(file, sizeof(file), "%s/file", targets[i]);
		assert_true(is_inside(fixture, file));
		assert_int_equal(detach_from(fixture, targets[i]), HV_OK);
		assert_false(is_inside(fixture, file));
	}
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* A list of attachments, by looks at their mounts where the kernel has them, and by mount tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/mount_look.h"
#include "mountcore/source_look.h"
#include "support/hv_test.h"

#include "attachments.h"
#include "reconciler_fixture.h"

/* Directories on the root mount, as every system has them. */
static char first[] = "/mnt", second[] = "/srv", third[] = "/opt";

static bool is_old; /* as before Linux 6.12 */
static unsigned tables, sources;

void __real_mc_mounts_look(
	struct mc_core *core, int ns_fd, struct mc_mount_look *looks, size_t count);
void __wrap_mc_mounts_look(
	struct mc_core *core, int ns_fd, struct mc_mount_look *looks, size_t count);
int __real_mc_mounts_read(
	struct mc_core *core, int ns_fd, struct mc_mounts **ret, struct mc_err *err);
int __wrap_mc_mounts_read(
	struct mc_core *core, int ns_fd, struct mc_mounts **ret, struct mc_err *err);
int __real_mc_source_look(struct mc_core *core, const struct mc_source_args *args,
	struct mc_source_look **ret, struct mc_err *err);
int __wrap_mc_source_look(struct mc_core *core, const struct mc_source_args *args,
	struct mc_source_look **ret, struct mc_err *err);

void __wrap_mc_mounts_look(
	struct mc_core *core, int ns_fd, struct mc_mount_look *looks, size_t count)
{
	if (!is_old) {
		__real_mc_mounts_look(core, ns_fd, looks, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		looks[i].is = MC_MOUNT_UNSURE;
}

int __wrap_mc_mounts_read(
	struct mc_core *core, int ns_fd, struct mc_mounts **ret, struct mc_err *err)
{
	tables++;
	return __real_mc_mounts_read(core, ns_fd, ret, err);
}

int __wrap_mc_source_look(struct mc_core *core, const struct mc_source_args *args,
	struct mc_source_look **ret, struct mc_err *err)
{
	sources++;
	return __real_mc_source_look(core, args, ret, err);
}

static void attach_at(struct fixture *fixture, char *target)
{
	char volume[] = "data";

	assert_int_equal(attach_to(fixture, volume, target, true, NULL), HV_OK);
}

static void open_list(struct fixture *fixture)
{
	is_old = false;
	start_engine(fixture);
	start_container(fixture);
	attach_at(fixture, first);
	attach_at(fixture, second);
	attach_at(fixture, third);
	assert_string_equal(state_of(fixture, first), "attached"); /* the host's table is read */
}

RECONCILER_TEST(list_of_attachments_that_are_there_reads_no_table)
{
	const unsigned needed = MC_FEATURE_STATMOUNT_NS | MC_FEATURE_CACHED;

	open_list(fixture);
	if ((mc_core_features(fixture->world->core) & needed) != needed)
		return;
	/* A mount anywhere on the machine may make one look unsure. */
	for (int left = 100; left > 0 && (left == 100 || tables > 0); left--) {
		tables = 0;
		assert_string_equal(state_of(fixture, second), "attached");
	}
	assert_int_equal(tables, 0);
	is_old = true;
	assert_string_equal(state_of(fixture, second), "attached");
	assert_true(tables > 0);
}

RECONCILER_TEST(list_of_attachments_of_one_source_looks_at_it_once)
{
	open_list(fixture);
	for (int old = 0; old < 2; old++) {
		is_old = old;
		sources = 0;
		assert_string_equal(state_of(fixture, third), "attached");
		assert_int_equal(sources, 1);
	}
}

/* The same by a look as by the table. */
static void expect(struct fixture *fixture, const char *target, const char *wanted)
{
	for (int old = 0; old < 2; old++) {
		const char *state;

		is_old = old;
		state = state_of(fixture, target);
		if (strncmp(state, wanted, strlen(wanted)) != 0)
			fail_msg("%s is \"%s\", not \"%s\"", target, state, wanted);
	}
}

RECONCILER_TEST(list_says_what_became_of_each_by_looks_and_by_tables)
{
	open_list(fixture);
	expect(fixture, first, "attached");
	mount_inside(fixture, first);
	expect(fixture, first, "covered covered by a mount at /mnt (tmpfs)");
	expect(fixture, second, "attached");
	unmount_inside(fixture, first);
	expect(fixture, first, "attached");
	world_mkdir(fixture->world, "state/volumes/data/_data/sub");
	mount_inside(fixture, "/mnt/sub");
	expect(fixture, first, "attached"); /* it may mount there */
	unmount_inside(fixture, "/mnt/sub");
	unmount_inside(fixture, first);
	expect(fixture, first, "missing it was unmounted");
	expect(fixture, third, "attached");
	stop_container(fixture);
	expect(fixture, third, "pending");
}

RECONCILER_TEST(list_says_that_the_source_was_replaced_by_looks_and_by_tables)
{
	char path[4096], old[4100 + 1];

	open_list(fixture);
	snprintf(path, sizeof(path), "%s/volumes/data/_data", fixture->world->state);
	snprintf(old, sizeof(old), "%s.old", path);
	assert_int_equal(rename(path, old), 0);
	expect(fixture, first, "attached source-replaced: ");
	assert_int_equal(mkdir(path, 0755), 0);
	expect(fixture, first, "attached source-replaced: ");
	expect(fixture, third, "attached source-replaced: ");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(old, path), 0);
	expect(fixture, third, "attached");
}

/* They would push out the events of others. */
RECONCILER_TEST(hear_keeps_no_event_of_our_own_mounts)
{
	struct hv_attacher *attacher = fixture->attacher;
	HV_AUTO(hv_seen_done) struct hv_seen seen = HV_SEEN_NONE;
	hv_auto_error struct hv_error err = {0};
	unsigned others = 0, before;

	if (hv_attacher_mounts_fd(attacher) < 0)
		return; /* before Linux 6.15 */
	start_engine(fixture);
	start_container(fixture);
	attach_at(fixture, first);
	assert_int_equal(hv_attachments_sync(attacher, ID, &seen, &err), HV_OK); /* watch it */
	(void)hv_attachments_hear(attacher, &others);
	before = attacher->witness.count;
	others = 0;
	attach_at(fixture, second);
	assert_true(hv_attachments_hear(attacher, &others) > 0);
	assert_int_equal(others, 0);
	assert_int_equal(attacher->witness.count, before);
	mount_inside(fixture, second);
	(void)hv_attachments_hear(attacher, &others);
	assert_true(others > 0);
	assert_true(attacher->witness.count > before);
}

TEST_MAIN_PRIVILEGED()

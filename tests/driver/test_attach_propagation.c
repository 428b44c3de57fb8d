/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment with propagation slave: later mounts of the host appear in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mountcore/attach.h"
#include "support/hv_test.h"

#include "reconciler_fixture.h"
#include "scratch.h"

static char shared[] = "shared", slave[] = "slave", data[] = "data";

static void (*before_prepare)(void);

int __real_mc_attach_prepare(struct mc_core *core, const struct mc_attach_args *args,
	struct mc_attach **ret, struct mc_err *err);
int __wrap_mc_attach_prepare(struct mc_core *core, const struct mc_attach_args *args,
	struct mc_attach **ret, struct mc_err *err);

int __wrap_mc_attach_prepare(struct mc_core *core, const struct mc_attach_args *args,
	struct mc_attach **ret, struct mc_err *err)
{
	if (before_prepare)
		before_prepare();
	return __real_mc_attach_prepare(core, args, ret, err);
}

/* The host's directories are on a shared mount, which the container's copy is no part of. */
static void set_propagation(const struct fixture *fixture, unsigned long propagation)
{
	assert_int_equal(mount(NULL, fixture->world->dir, NULL, propagation, NULL), 0);
}

static enum hv_code attach_as(
	struct fixture *fixture, const struct hv_attach_request *wish, struct hv_error *err)
{
	struct hv_attach_request request = *wish;
	struct hv_attachment attachment = {0};
	char container[] = ID;
	enum hv_code code;

	request.volume = shared;
	request.container = container;
	request.target = fixture->target;
	request.propagation = slave;
	code = hv_attach(fixture->attacher, &request, &attachment, err);
	if (code == HV_OK)
		assert_true(attachment.is_slave);
	hv_attachment_done(&attachment);
	return code;
}

static void begin_world(struct fixture *fixture)
{
	world_mkdir(fixture->world, "one/sub");
	world_write(fixture->world, "one/first", "");
	assert_int_equal(world_create(fixture->world, shared, "path=%s/one", NULL), HV_OK);
	start_engine(fixture);
	start_container(fixture);
}

static void begin_slave(struct fixture *fixture)
{
	struct hv_error err = {0};

	begin_world(fixture);
	set_propagation(fixture, MS_SHARED);
	if (attach_as(fixture, &HV_ATTACH_REQUEST_INIT, &err) != HV_OK)
		fail_msg("%s", hv_error_text(&err));
}

static void end_slave(struct fixture *fixture)
{
	if (fixture->pid > 0)
		assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	set_propagation(fixture, MS_PRIVATE);
}

static void mount_at(struct fixture *fixture, const char *name, const char *file)
{
	char *path = scratch_path(fixture->world->dir, name);

	assert_int_equal(mount("disk", path, "tmpfs", 0, NULL), 0);
	world_write(fixture->world, file, "");
	free(path);
}

static void unmount_at(struct fixture *fixture, const char *name)
{
	char *path = scratch_path(fixture->world->dir, name);

	assert_int_equal(umount(path), 0);
	free(path);
}

/* It has what the host mounted at `source` since, and goes with that. */
static void expect_and_end(struct fixture *fixture, const char *name, const char *source)
{
	assert_true(has_inside(fixture, name));
	assert_string_equal(state_of(fixture, fixture->target), "attached");
	end_slave(fixture);
	assert_int_equal(count_mounts(fixture), 0);
	unmount_at(fixture, source);
}

RECONCILER_TEST(a_mount_below_its_directory_is_no_change)
{
	begin_slave(fixture);
	mount_at(fixture, "one/sub", "one/sub/new");
	expect_and_end(fixture, "sub/new", "one/sub");
}

RECONCILER_TEST(a_mount_on_its_directory_is_no_cover)
{
	begin_slave(fixture);
	mount_at(fixture, "one", "one/disk");
	assert_true(has_inside(fixture, "disk"));
	assert_string_equal(state_of(fixture, fixture->target), "attached");
	assert_int_equal(attach_to(fixture, data, fixture->target, true, (char[]){"true"}),
		HV_TARGET_EXISTS);
	assert_true(has_inside(fixture, "disk"));
	end_slave(fixture);
	assert_int_equal(count_mounts(fixture), 0);
	unmount_at(fixture, "one");
}

RECONCILER_TEST(a_mount_of_the_container_on_that_is_a_cover)
{
	begin_slave(fixture);
	mount_at(fixture, "one", "one/disk");
	mount_inside(fixture, fixture->target);
	assert_int_equal(strncmp(state_of(fixture, fixture->target), "covered", 7), 0);
	assert_int_equal(detach_from(fixture, fixture->target), HV_BUSY);
	unmount_inside(fixture, fixture->target);
	assert_string_equal(state_of(fixture, fixture->target), "attached");
	end_slave(fixture);
	unmount_at(fixture, "one");
}

/* The kernel puts the host's mount beneath the container's, and it is the newer one. */
RECONCILER_TEST(a_mount_of_the_container_that_was_there_before_is_a_cover)
{
	begin_slave(fixture);
	mount_inside(fixture, fixture->target);
	mount_at(fixture, "one", "one/disk");
	assert_false(has_inside(fixture, "disk"));
	assert_int_equal(strncmp(state_of(fixture, fixture->target), "covered", 7), 0);
	unmount_inside(fixture, fixture->target);
	expect_and_end(fixture, "disk", "one");
}

static struct fixture *scene;

static void mount_once(void)
{
	before_prepare = NULL;
	mount_at(scene, "one", "one/disk");
}

RECONCILER_TEST(a_mount_on_its_directory_during_a_replacement_is_noticed)
{
	begin_slave(fixture);
	scene = fixture;
	before_prepare = mount_once;
	assert_int_equal(attach_to(fixture, data, fixture->target, true, (char[]){"true"}),
		HV_TARGET_EXISTS);
	assert_null(before_prepare);
	expect_and_end(fixture, "disk", "one");
}

static void begin_linked(struct fixture *fixture)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_error err = {0};
	char subpath[] = "current", *link;

	begin_world(fixture);
	set_propagation(fixture, MS_SHARED);
	world_mkdir(fixture->world, "one/releases/1/sub");
	link = scratch_path(fixture->world->dir, "one/current");
	assert_int_equal(symlink("releases/1", link), 0);
	free(link);
	request.subpath = subpath;
	if (attach_as(fixture, &request, &err) != HV_OK)
		fail_msg("%s", hv_error_text(&err));
}

RECONCILER_TEST(a_mount_where_a_link_of_its_subpath_leads_is_no_cover)
{
	begin_linked(fixture);
	mount_at(fixture, "one/releases/1", "one/releases/1/disk");
	expect_and_end(fixture, "disk", "one/releases/1");
}

RECONCILER_TEST(a_mount_below_a_link_of_its_subpath_is_not_busy)
{
	begin_linked(fixture);
	mount_at(fixture, "one/releases/1/sub", "one/releases/1/sub/new");
	expect_and_end(fixture, "sub/new", "one/releases/1/sub");
}

RECONCILER_TEST(a_start_attaches_it_as_a_slave_again)
{
	begin_slave(fixture);
	stop_container(fixture);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	mount_at(fixture, "one/sub", "one/sub/new");
	assert_true(has_inside(fixture, "sub/new"));
	end_slave(fixture);
	unmount_at(fixture, "one/sub");
}

RECONCILER_TEST(a_volume_that_is_read_only_is_refused)
{
	struct hv_error err = {0};

	begin_world(fixture);
	set_propagation(fixture, MS_SHARED);
	assert_int_equal(world_set(fixture->world, shared, "ro=true", NULL), HV_OK);
	assert_int_equal(attach_as(fixture, &HV_ATTACH_REQUEST_INIT, &err), HV_UNSUPPORTED);
	assert_non_null(strstr(hv_error_text(&err), "cannot be attached read-only"));
	hv_error_done(&err);
	assert_int_equal(count_mounts(fixture), 0);
	set_propagation(fixture, MS_PRIVATE);
}

RECONCILER_TEST(a_mount_that_becomes_private_is_told)
{
	begin_slave(fixture);
	set_propagation(fixture, MS_PRIVATE);
	assert_non_null(strstr(state_of(fixture, fixture->target), "attached propagation-lost"));
	end_slave(fixture);
}

RECONCILER_TEST(a_source_on_a_private_mount_is_refused)
{
	struct hv_error err = {0};

	begin_world(fixture);
	assert_int_equal(attach_as(fixture, &HV_ATTACH_REQUEST_INIT, &err), HV_SOURCE_REFUSED);
	assert_non_null(strstr(hv_error_text(&err), "is on a private mount"));
	hv_error_done(&err);
	assert_int_equal(count_mounts(fixture), 0);
}

RECONCILER_TEST(options_that_a_later_mount_would_not_have_are_refused)
{
	struct hv_attach_request wishes[4] = {HV_ATTACH_REQUEST_INIT, HV_ATTACH_REQUEST_INIT,
		HV_ATTACH_REQUEST_INIT, HV_ATTACH_REQUEST_INIT};
	char as[] = "1000";

	begin_world(fixture);
	set_propagation(fixture, MS_SHARED);
	wishes[0].read_only = true;
	wishes[1].no_suid = HV_TRUE;
	wishes[2].no_exec = true;
	wishes[3].as = as;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct hv_error err = {0};

		assert_int_equal(attach_as(fixture, &wishes[i], &err), HV_BAD_REQUEST);
		assert_non_null(strstr(hv_error_text(&err), "contradicts"));
		hv_error_done(&err);
	}
	assert_int_equal(count_mounts(fixture), 0);
	set_propagation(fixture, MS_PRIVATE);
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* Options that change. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/host.h"
#include "support/hv_test.h"

#include "scratch.h"
#include "world.h"

static void expect_owner(struct volume_fixture *world, const char *name, uid_t uid, mode_t mode)
{
	char *path = scratch_path(world->dir, name);
	struct stat is;

	assert_int_equal(lstat(path, &is), 0);
	assert_int_equal(is.st_uid, uid);
	assert_int_equal(is.st_mode & 07777, mode);
	free(path);
}

static bool has_option(struct volume_fixture *world, const char *name, const char *key)
{
	struct hv_volume volume = {0};
	bool has;

	assert_int_equal(hv_store_volume_get(world->store, name, &volume, &world->err), HV_OK);
	has = hv_opts_get(&volume.opts, key) != NULL;
	hv_volume_done(&volume);
	return has;
}

static bool is_read_only(struct volume_fixture *world, const char *name)
{
	struct hv_volume volume = {0};
	bool is;

	assert_int_equal(hv_store_volume_get(world->store, name, &volume, &world->err), HV_OK);
	is = volume.read_only;
	hv_volume_done(&volume);
	return is;
}

/* On a file system without quota. */
WORLD_TEST(a_size_that_is_refused_changes_no_owner)
{
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_int_equal(world_set(world, "data", "uid=5", "size=1g"), HV_UNSUPPORTED);
	expect_owner(world, "state/volumes/data/_data", 0, 0755);
	assert_false(has_option(world, "data", "uid") || has_option(world, "data", "size"));
	assert_int_equal(world_set(world, "data", "uid=5", "mode=0700"), HV_OK);
	expect_owner(world, "state/volumes/data/_data", 5, 0700);
}

/* The mounts that stand would have another owner than those to come. */
WORLD_TEST(as_is_changed_while_nobody_has_the_volume)
{
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_OK);
	assert_int_equal(world_set(world, "data", "as=1000:1000", NULL), HV_OK);
	assert_true(has_option(world, "data", "as"));
	assert_int_equal(world_set(world, "data", "as=www-data", NULL), HV_BAD_REQUEST);
	assert_true(world_told(world, "option as=www-data"));
	assert_int_equal(world_set(world, "data", "as=", NULL), HV_OK);
	assert_false(has_option(world, "data", "as"));
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(world_set(world, "data", "as=1000", NULL), HV_VOLUME_IN_USE);
	assert_true(world_told(
		world, "option as of volume 'data' cannot be changed while a container uses it"));
	assert_int_equal(world_set(world, "data", "as=", "mode=0750"), HV_OK); /* the same */
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=data", NULL), HV_OK);
	assert_int_equal(world_set(world, "data", "as=1000", NULL), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "'alias'"));
	assert_int_equal(world_set(world, "alias", "as=1000", NULL), HV_OK);
}

/* With files limited to a byte the record cannot be written. */
WORLD_TEST(a_change_that_cannot_be_recorded_is_taken_back)
{
	struct rlimit before, limit;

	assert_int_equal(world_create(world, "data", "uid=7", NULL), HV_OK);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){.rlim_cur = 1, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(world_set(world, "data", "uid=5", "mode=0700"), HV_STATE_UNREADABLE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	expect_owner(world, "state/volumes/data/_data", 7, 0755);
	assert_false(has_option(world, "data", "mode"));
}

WORLD_TEST(an_owner_that_cannot_be_given_is_not_recorded)
{
	char *path = scratch_path(world->dir, "srv");

	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_OK);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(world_set(world, "data", "uid=5", "ro=true"), HV_SOURCE_MISSING);
	assert_false(has_option(world, "data", "uid") || has_option(world, "data", "ro"));
	assert_false(is_read_only(world, "data"));
	free(path);
}

WORLD_TEST(an_owner_is_changed_only_where_volumes_may_be)
{
	char *allowed = scratch_path(world->dir, "allowed");

	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=data", NULL), HV_OK);
	assert_int_equal(world_create(world, "own", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "own-alias", "from=own", NULL), HV_OK);
	world->allow[0] = allowed;
	assert_int_equal(world_set(world, "data", "uid=5", NULL), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "HOSTVOL_ALLOW"));
	assert_int_equal(world_set(world, "alias", "uid=5", NULL), HV_SOURCE_REFUSED);
	expect_owner(world, "srv", 0, 0755);
	assert_int_equal(world_set(world, "data", "ro=true", NULL), HV_VOLUME_IN_USE);
	assert_int_equal(world_set(world, "own", "uid=5", NULL), HV_OK);
	assert_int_equal(world_set(world, "own-alias", "uid=6", NULL), HV_OK);
	expect_owner(world, "state/volumes/own/_data", 6, 0755);
	free(allowed);
}

WORLD_TEST(a_mount_that_is_required_must_be_there)
{
	char *disk = scratch_new(), *option = NULL;

	assert_true(asprintf(&option, "path=%s", disk) >= 0);
	assert_int_equal(world_create(world, "data", option, NULL), HV_OK);
	if (mc_host_is_on_mount(world->core, disk) == 0) {
		assert_int_equal(
			world_set(world, "data", "require-mount=true", NULL), HV_SOURCE_MISSING);
		assert_false(has_option(world, "data", "require-mount"));
	}
	assert_int_equal(mount("disk", disk, "tmpfs", 0, NULL), 0);
	assert_int_equal(world_set(world, "data", "require-mount=true", NULL), HV_OK);
	assert_int_equal(umount(disk), 0);
	if (mc_host_is_on_mount(world->core, disk) == 0) /* not of what is beneath */
		assert_int_equal(world_set(world, "data", "mode=0700", NULL), HV_SOURCE_MISSING);
	assert_int_equal(world_set(world, "data", "require-mount=false", NULL), HV_OK);
	scratch_free(disk);
	free(option);
}

WORLD_TEST(ro_says_what_is_in_its_way)
{
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=data", NULL), HV_OK);
	assert_int_equal(world_set(world, "data", "ro=true", NULL), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "cannot become read-only while 'alias' is another name"));
	assert_false(is_read_only(world, "data"));
}

WORLD_TEST(what_stays_read_only_is_not_said_to_be_writable)
{
	struct hv_opts opts = {0};
	char *srv = scratch_path(world->dir, "srv");

	world_mkdir(world, "srv");
	assert_int_equal(hv_opts_add(&opts, "type", "none"), 0);
	assert_int_equal(hv_opts_add(&opts, "device", srv), 0);
	assert_int_equal(hv_opts_add(&opts, "o", "bind,ro"), 0);
	assert_int_equal(hv_volume_create(world->volumes, "bound", &opts, &world->err), HV_OK);
	assert_int_equal(world_set(world, "bound", "ro=false", NULL), HV_BAD_REQUEST);
	assert_true(world_told(world, "option o has ro"));
	assert_int_equal(world_create(world, "alias", "from=bound", NULL), HV_OK);
	assert_int_equal(world_set(world, "alias", "ro=0", NULL), HV_BAD_REQUEST);
	assert_true(world_told(world, "another name for 'bound'"));
	assert_int_equal(world_set(world, "alias", "ro=true", NULL), HV_OK);
	assert_true(is_read_only(world, "alias"));
	hv_opts_done(&opts);
	free(srv);
}

/* By the volume between, not by the one that has the data. */
WORLD_TEST(another_change_leaves_ro_as_it_is)
{
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "between", "from=data", "ro=true"), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=between", NULL), HV_OK);
	assert_true(is_read_only(world, "alias"));
	assert_int_equal(world_set(world, "alias", "uid=5", NULL), HV_OK);
	assert_true(is_read_only(world, "alias"));
}

/* A dockerd that was killed never unmounts. */
WORLD_TEST(ro_changes_once_references_without_a_container_are_forgiven)
{
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_OK);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(
		hv_volume_forgive(world->volumes, "data", 1, &world->err), HV_VOLUME_IN_USE);
	assert_int_equal(world_set(world, "data", "ro=true", NULL), HV_VOLUME_IN_USE);
	assert_int_equal(hv_volume_forgive(world->volumes, "data", 2, &world->err), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0); /* it was writable */
	assert_int_equal(world_set(world, "data", "ro=true", NULL), HV_OK);
	assert_true(is_read_only(world, "data"));
}

TEST_MAIN_IN_NAMESPACE()

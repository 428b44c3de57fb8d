/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign mounts at a volume's mountpoint: hostvol unmounts only its own. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hv_test.h"
#include "volume/mount_root.h"

#include "rows.h"
#include "scratch.h"
#include "world.h"

static void make_data(struct volume_fixture *world)
{
	world_mkdir(world, "srv");
	world_write(world, "srv/file", "text");
	world_mkdir(world, "other");
	world_write(world, "other/precious", "text");
	assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_OK);
}

static void bind_in(struct volume_fixture *world, const char *from, const char *to)
{
	char *one = scratch_path(world->dir, from), *two = scratch_path(world->dir, to);

	assert_int_equal(mount(one, two, NULL, MS_BIND, NULL), 0);
	free(one);
	free(two);
}

static void umount_in(struct volume_fixture *world, const char *name)
{
	char *path = scratch_path(world->dir, name);

	assert_int_equal(umount2(path, MNT_DETACH), 0);
	free(path);
}

static void recover(struct volume_fixture *world)
{
	world_restart(world);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
}

/* A container that starts now would get the top mount. */
static void expect_left(struct volume_fixture *world, unsigned mounts)
{
	assert_int_equal(world_count_mounts(world, "data"), mounts);
	assert_int_equal(world_mount(world, "data", "b"), HV_TARGET_EXISTS);
	assert_true(world_told(world, "mounts/data"));
	assert_true(world_told(world, "umount"));
	assert_int_equal(world_count_mounts(world, "data"), mounts);
}

WORLD_TEST(another_s_on_top_is_left_and_named)
{
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	bind_in(world, "other", "mounts/data");
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK); /* Docker would stop there */
	expect_left(world, 2);
	assert_int_equal(hv_mount_root_tell(world->volumes, &world->err), HV_TARGET_EXISTS);
	assert_true(world_told(world, "umount"));
	hv_error_done(&world->err);
	assert_true(world_has(world, "mounts/data/precious"));
	assert_int_equal(world_remove(world, "data"), HV_TARGET_EXISTS);
	assert_true(world_told(world, "umount"));
	recover(world);
	expect_left(world, 2);
	umount_in(world, "mounts/data");
	assert_int_equal(hv_mount_root_tell(world->volumes, &world->err), HV_OK);
	assert_int_equal(world_mount(world, "data", "b"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 1);
	assert_true(world_has(world, "mounts/data/file"));
	assert_int_equal(world_unmount(world, "data", "b"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
	assert_false(world_has(world, "mounts/data"));
}

WORLD_TEST(another_s_of_the_same_directory_is_left)
{
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	bind_in(world, "srv", "mounts/data");
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 2);
	umount_in(world, "mounts/data");
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
}

WORLD_TEST(another_s_in_the_place_of_ours_is_left)
{
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	world_mkdir(world, "mounts/data");
	bind_in(world, "other", "mounts/data");
	expect_left(world, 1);
	recover(world);
	expect_left(world, 1);
	assert_int_equal(world_unmount(world, "data", "x"), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_TARGET_EXISTS);
	assert_true(world_has(world, "mounts/data/precious"));
}

WORLD_TEST(another_s_is_left_when_the_directory_was_replaced)
{
	char *from = scratch_path(world->dir, "srv"), *to = scratch_path(world->dir, "old");

	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(rename(from, to), 0);
	world_mkdir(world, "srv");
	bind_in(world, "other", "mounts/data");
	expect_left(world, 2);
	free(from);
	free(to);
}

/* As after a SIGKILL of the plugin: its mount namespace is a new one. */
WORLD_TEST(ours_is_known_by_another_mount_id)
{
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	recover(world);
	assert_int_equal(world_count_mounts(world, "data"), 1);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
}

/* A daemon that was killed while it replaced one: the former is on top of the present. */
static void leave_both(struct volume_fixture *world)
{
	const char *const names[] = {"srv", "other"};
	struct hv_mounted_roots roots = {.count = 2};

	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	umount_in(world, "mounts/data");
	for (size_t i = 0; i < 2; i++) {
		char *path = scratch_path(world->dir, names[i]);
		struct stat is;

		assert_int_equal(stat(path, &is), 0);
		roots.items[i].dev = is.st_dev;
		roots.items[i].ino = is.st_ino;
		bind_in(world, names[i], "mounts/data");
		free(path);
	}
	assert_int_equal(hv_store_mounted_set(world->store, "data", &roots, &world->err), HV_OK);
	recover(world);
}

WORLD_TEST(both_of_ours_go_after_a_crash)
{
	leave_both(world);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
}

WORLD_TEST(the_present_one_is_there_after_a_crash)
{
	leave_both(world);
	assert_int_equal(world_mount(world, "data", "b"), HV_OK);
	assert_true(world_has(world, "mounts/data/file"));
	assert_int_equal(world_count_mounts(world, "data"), 1);
	assert_int_equal(world_unmount(world, "data", "b"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
}

/* An older version recorded none. */
WORLD_TEST(ours_of_an_older_version_goes)
{
	struct hv_mounted_roots roots = {.count = 1};

	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(hv_store_mounted_set(world->store, "data", &roots, &world->err), HV_OK);
	recover(world);
	assert_int_equal(world_mount(world, "data", "b"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "b"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* Failure sweeps of what goes beyond a plain attach: replacing, files on a read-only root, users
 * mapped and attributes locked.  The tables say what is tolerated by design. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "scratch.h"
#include "sweep.h"

/* Lazily: it is still held by `prepared`. */
static void take_out(struct attach_fixture *scene)
{
	assert_int_equal(scene_detach(scene, true), 0);
}

static void set_up_file(struct attach_fixture *scene)
{
	struct mc_attach_args args = scene_args(scene, "/opt/a/file");

	assert_int_equal(box_run(&scene->box, in_remount_read_only, "/"), 0);
	args.source = SOURCE "/file";
	args.may_be_file = true;
	assert_int_equal(round_prepare(scene, &args), 0);
}

static void check_file(const struct attach_fixture *scene, int rc)
{
	assert_int_equal(box_has_file(&scene->box, "/opt/a/file"), rc == 0);
	assert_int_equal(scratch_exists(box_path(&scene->box, "/opt")), rc == 0);
	assert_int_equal(scratch_try_write(box_path(&scene->box, "/x")), -EROFS);
}

NS_TEST(committing_a_file_on_a_read_only_root_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		{"openat2", -ESTALE, "cannot be verified, so it is taken out", false},
		{"statx", -ESTALE, "cannot be verified, so it is taken out", false},
		{"statx", -EROFS, "not known to be the root, so it is not written to", false},
		{"open_tree", -EROFS, "no writable clone", false},
		{"mount_setattr", -EROFS, "no writable clone", false},
		{"close", 0, "a descriptor is closed even so", false},
		{0},
	};
	const struct sweep sweep = {set_up_file, round_commit, check_file, take_out, exceptions,
		.mounts_on_success = true};

	sweep_run(&sweep, 30);
}

static void set_up_mapped(struct attach_fixture *scene)
{
	scene_map_users(scene);
}

static int prepare_mapped(struct attach_fixture *scene)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");
	int rc = mc_attr_add(&args.attr, "ro");

	args.source = DISK_SOURCE; /* tmpfs can be mapped from 6.3 on */
	args.idmap = mc_core_features(scene->core) & MC_FEATURE_MOUNT_SETATTR;
	args.lock = true;
	return rc < 0 ? rc : round_prepare(scene, &args);
}

NS_TEST(preparing_a_mapped_and_locked_tree_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		{"poll_pri", 0, "the host's table is read again, to be safe", false},
		HELPER_EXCEPTIONS,
		{0},
	};
	const struct sweep sweep = {set_up_mapped, prepare_mapped, round_check_prepared,
		round_release, exceptions, .removed = NULL};

	disk_open();
	sweep_run(&sweep, 35);
	disk_close();
}

static int prepare_as(struct attach_fixture *scene)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	args.source = DISK_SOURCE;
	args.idmap = mc_core_features(scene->core) & MC_FEATURE_MOUNT_SETATTR;
	if (args.idmap) /* refused without */
		args.as_uid = args.as_gid = 1001;
	return round_prepare(scene, &args);
}

NS_TEST(preparing_a_tree_with_another_owner_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		{"poll_pri", 0, "the host's table is read again, to be safe", false},
		HELPER_EXCEPTIONS,
		{0},
	};
	const struct sweep sweep = {set_up_mapped, prepare_as, round_check_prepared, round_release,
		exceptions, .removed = NULL};

	disk_open();
	sweep_run(&sweep, 20);
	disk_close();
}

static void set_up_user_tmpfs(struct attach_fixture *scene)
{
	struct mc_attach_args args;

	scene_map_users(scene);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	args = scene_args(scene, "/mnt/a/b"); /* of the new namespaces */
	assert_int_equal(round_prepare(scene, &args), 0);
}

static void set_up_user_root(struct attach_fixture *scene)
{
	struct mc_attach_args args;

	scene_map_users(scene);
	args = scene_args(scene, "/mnt/a/b"); /* of the new namespaces */
	assert_int_equal(round_prepare(scene, &args), 0);
}

static void check_made(const struct attach_fixture *scene, int rc)
{
	assert_int_equal(box_has_file(&scene->box, "/mnt/a/b/file"), rc == 0);
	assert_int_equal(scratch_exists(box_path(&scene->box, "/mnt/a")), rc == 0);
}

static const struct sweep_exception commit_exceptions[] = {
	{"openat2", -ESTALE, "cannot be verified, so it is taken out", false},
	{"statx", -ESTALE, "cannot be verified, so it is taken out", false},
	HELPER_EXCEPTIONS,
	{0},
};

NS_TEST(committing_as_the_container_s_root_survives_each_failing_call)
{
	const struct sweep sweep = {set_up_user_tmpfs, round_commit, check_made, take_out,
		commit_exceptions, .mounts_on_success = true};

	sweep_run(&sweep, 25);
}

NS_TEST(giving_directories_away_survives_each_failing_call)
{
	const struct sweep sweep = {set_up_user_root, round_commit, check_made, take_out,
		commit_exceptions, .mounts_on_success = true};

	sweep_run(&sweep, 20);
}

static void set_up_replacing(struct attach_fixture *scene, enum mc_replace replace)
{
	struct mc_attach_args args = scene_args(scene, "/mnt");
	struct mc_own own;

	if (!scratch_exists("/tmp/other")) {
		scratch_mkdir("/tmp/other");
		scratch_write("/tmp/other/old");
	}
	args.source = "/tmp/other";
	assert_int_equal(scene_attach_args(scene, &args), 0);
	own = (struct mc_own){scene->info.mount_id, scene->info.source};
	args.source = SOURCE;
	args.replace = replace;
	args.own = &own;
	args.own_count = 1;
	assert_int_equal(round_prepare(scene, &args), 0);
}

static void set_up_atomic(struct attach_fixture *scene)
{
	set_up_replacing(scene, MC_REPLACE_ATOMIC);
}

static void set_up_anyhow(struct attach_fixture *scene)
{
	set_up_replacing(scene, MC_REPLACE_ANYHOW);
}

/* After a failure the old mount is there and nothing else; or, if it was the one that could not be
 * taken out, no mount at all. */
static void check_replaced(const struct attach_fixture *scene, int rc)
{
	char *text = read_mounts(scene->box.pid);
	const char *first = strstr(text, " /mnt ");
	bool is_old = scratch_exists(box_path(&scene->box, "/mnt/old"));

	assert_int_equal(box_has_file(&scene->box, "/mnt/file"), rc == 0);
	assert_int_equal(first != NULL, rc == 0 || is_old);
	assert_true(!first || !strstr(first + 1, " /mnt "));
	free(text);
}

static void sweep_replacing(void (*set_up)(struct attach_fixture *scene))
{
	const struct sweep sweep = {set_up, round_commit, check_replaced, take_out,
		commit_exceptions, .mounts_on_success = true, .may_lose_mount = true};

	sweep_run(&sweep, 8);
}

NS_TEST(replacing_atomically_survives_each_failing_call)
{
	if (scratch_kernel_goes_beneath()) /* else test_features sees it refused */
		sweep_replacing(set_up_atomic);
}

NS_TEST(replacing_anyhow_survives_each_failing_call)
{
	sweep_replacing(set_up_anyhow);
}

static void set_up_detach_file(struct attach_fixture *scene)
{
	set_up_file(scene);
	assert_int_equal(round_commit(scene), 0);
	round_release(scene);
}

static void check_detached(const struct attach_fixture *scene, int rc)
{
	if (scene->err.step != MC_STEP_HELPER) /* after one, not known */
		assert_int_equal(box_has_file(&scene->box, "/opt/a/file"), rc < 0);
	assert_int_equal(scratch_try_write(box_path(&scene->box, "/x")), -EROFS);
}

NS_TEST(detaching_from_a_read_only_root_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		REMOVAL_EXCEPTIONS,
		{"open_tree", 0, "no writable clone: it stays", true},
		{"mount_setattr", 0, "no writable clone: it stays", true},
		{"fchdir", 0, "the way out; setns home leaves it too", false},
		{"close", 0, "a descriptor is closed even so", false},
		{0},
	};
	const struct sweep sweep = {set_up_detach_file, round_detach, check_detached, round_nothing,
		exceptions, .mounts_on_success = true, .removed = "/opt"};

	sweep_run(&sweep, 30);
}

TEST_MAIN_PRIVILEGED()

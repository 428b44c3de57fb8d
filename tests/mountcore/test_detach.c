/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/mounts.h"

#include "box.h"
#include "scratch.h"

static void expect(struct attach_fixture *scene, bool lazy, enum mc_step step, int code)
{
	char *before = read_mounts(scene->box.pid), *after;
	unsigned fds = hv_count_fds();

	assert_int_equal(scene_detach(scene, lazy), code);
	assert_int_equal(scene->err.code, code);
	assert_string_equal(mc_step_name(scene->err.step), mc_step_name(step));
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	assert_int_equal(hv_count_fds(), fds);
	free(before);
	free(after);
}

SCENE_TEST(what_something_is_mounted_over_is_not_ours_to_take)
{
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	expect(scene, false, MC_STEP_IDENTITY, -ESTALE);
	expect(scene, true, MC_STEP_IDENTITY, -ESTALE);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt"), 0);
	assert_int_equal(scene_detach(scene, false), 0);
}

SCENE_TEST(a_mount_in_the_place_of_ours_stays)
{
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt"), 0);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	expect(scene, true, MC_STEP_IDENTITY, -ESTALE);
}

static void busy_by(box_fn fn, const char *path, const char *elsewhere)
{
	struct attach_fixture scene;

	scene_open(&scene);
	assert_int_equal(scene_attach(&scene, "/mnt/a"), 0);
	assert_int_equal(box_run(&scene.box, fn, path), 0);
	expect(&scene, false, MC_STEP_UMOUNT, -EBUSY);
	assert_true(box_has_file(&scene.box, "/mnt/a/file"));
	assert_int_equal(box_run(&scene.box, fn, elsewhere), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_false(scratch_exists(box_path(&scene.box, "/mnt/a")));
	scene_close(&scene);
}

NS_TEST(an_open_file_makes_a_strict_detach_busy)
{
	busy_by(in_hold, "/mnt/a/file", "");
}

NS_TEST(a_working_directory_makes_a_strict_detach_busy)
{
	busy_by(in_stand, "/mnt/a", "/");
}

NS_TEST(a_lazy_detach_does_not_mind_open_files)
{
	struct attach_fixture scene;

	scene_open(&scene);
	assert_int_equal(scene_attach(&scene, "/mnt/a"), 0);
	assert_int_equal(box_run(&scene.box, in_hold, "/mnt/a/file"), 0);
	assert_int_equal(scene_detach(&scene, true), 0);
	assert_false(scratch_exists(box_path(&scene.box, "/mnt/a")));
	scene_close(&scene);
}

SCENE_TEST(the_second_detach_finds_nothing)
{
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	assert_int_equal(scene_detach(scene, false), 0);
	expect(scene, false, MC_STEP_IDENTITY, -ENOENT);
	expect(scene, true, MC_STEP_IDENTITY, -ENOENT);
	assert_int_equal(scene_attach(scene, "/mnt/a/b"), 0);
	assert_int_equal(scene_detach(scene, false), 0);
	expect(scene, false, MC_STEP_IDENTITY, -ENOENT);
}

/* The container took our mount out itself. */
SCENE_TEST(directories_are_removed_also_when_the_mount_is_gone_already)
{
	assert_int_equal(scene_attach(scene, "/mnt/a/b"), 0);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt/a/b"), 0);
	expect(scene, false, MC_STEP_IDENTITY, -ENOENT);
	assert_false(scratch_exists(box_path(&scene->box, "/mnt/a")));
}

SCENE_TEST(a_directory_made_that_is_not_empty_stays)
{
	assert_int_equal(scene_attach(scene, "/mnt/a/b/c"), 0);
	scratch_write(box_path(&scene->box, "/mnt/a/kept"));
	assert_int_equal(scene_detach(scene, false), 0);
	assert_true(scratch_exists(box_path(&scene->box, "/mnt/a/kept")));
	assert_false(scratch_exists(box_path(&scene->box, "/mnt/a/b")));
}

SCENE_TEST(a_directory_that_was_replaced_stays)
{
	assert_int_equal(scene_attach(scene, "/mnt/a/b"), 0);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt/a/b"), 0);
	/* Renamed and not removed: a file system may use the inode number again. */
	assert_int_equal(
		rename(box_path(&scene->box, "/mnt/a/b"), box_path(&scene->box, "/mnt/a/old")), 0);
	scratch_mkdir(box_path(&scene->box, "/mnt/a/b"));
	expect(scene, false, MC_STEP_IDENTITY, -ENOENT);
	assert_true(scratch_exists(box_path(&scene->box, "/mnt/a/b")));
	assert_true(scratch_exists(box_path(&scene->box, "/mnt/a/old")));
}

SCENE_TEST(identity_zero_takes_what_is_on_top)
{
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	scene->info.mount_id = 0;
	assert_int_equal(scene_detach(scene, false), 0);
	expect(scene, false, MC_STEP_IDENTITY, -ENOENT);
}

SCENE_TEST(a_symlink_is_not_followed)
{
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/sys"), 0);
	assert_int_equal(symlink("/sys", box_path(&scene->box, "/mnt/link")), 0);
	snprintf(scene->info.path, sizeof(scene->info.path), "/mnt/link");
	expect(scene, true, MC_STEP_IDENTITY, -ENOENT);
	snprintf(scene->info.path, sizeof(scene->info.path), "/mnt/link/x");
	expect(scene, true, MC_STEP_IDENTITY, -ELOOP);
}

NS_TEST(an_exited_container_is_no_process_and_leaks_nothing)
{
	struct attach_fixture scene;
	struct mc_ns again = MC_NS_NONE;
	unsigned fds;

	scene_open(&scene);
	assert_int_equal(scene_attach(&scene, "/mnt"), 0);
	assert_true(mc_ns_is_alive(&scene.ns));
	box_close(&scene.box);
	assert_false(mc_ns_is_alive(&scene.ns));
	fds = hv_count_fds();
	scene.err = (struct mc_err){0};
	assert_int_equal(mc_ns_open(scene.core, scene.box.pid, &again, &scene.err), -ESRCH);
	assert_int_equal(scene.err.step, MC_STEP_PROCESS);
	assert_int_equal(hv_count_fds(), fds);
	/* The descriptor keeps the namespace, so what is in it can still be taken out. */
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(scene_attach(&scene, "/mnt"), 0);
	assert_int_equal(hv_count_fds(), fds);
	mc_ns_close(&scene.ns);
	mc_core_close(scene.core);
}

SCENE_TEST(a_mount_is_told_from_the_next_with_its_number)
{
	uint64_t mount_id, mountinfo_id;
	bool has_id;

	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	mount_id = scene->info.mount_id;
	mountinfo_id = scene->info.mountinfo_id;
	assert_int_equal(
		mc_mount_has_id(scene->core, scene->ns.ns_fd, mountinfo_id, mount_id, &has_id), 0);
	assert_true(has_id);
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(scene_attach(scene, "/mnt"), 0); /* it may have the number of the first */
	assert_int_equal(mc_mount_has_id(scene->core, scene->ns.ns_fd, scene->info.mountinfo_id,
				 mount_id, &has_id),
		0);
	/* Before 6.8 a mount has no other number. */
	assert_true(has_id == !(mc_core_features(scene->core) & MC_FEATURE_STATMOUNT));
}

TEST_MAIN_PRIVILEGED()

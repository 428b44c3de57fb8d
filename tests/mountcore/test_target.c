/* SPDX-License-Identifier: Apache-2.0 */
/* Targets that are refused, and targets that change between prepare and commit. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box.h"
#include "scratch.h"

/* State that a failure must not change. */
struct snapshot {
	unsigned fds;
	unsigned files;
	char *mounts;
};

static void snapshot_take(struct snapshot *ret, const struct attach_fixture *scene)
{
	ret->files = box_count_files(&scene->box);
	ret->mounts = read_mounts(scene->box.pid);
	ret->fds = hv_count_fds();
}

static void snapshot_compare(const struct snapshot *before, const struct attach_fixture *scene)
{
	struct snapshot after;

	snapshot_take(&after, scene);
	assert_int_equal(after.fds, before->fds);
	assert_int_equal(after.files, before->files);
	assert_string_equal(after.mounts, before->mounts);
	free(after.mounts);
	free(before->mounts);
}

static void expect_args(struct attach_fixture *scene, const struct mc_attach_args *args,
	enum mc_step step, int code)
{
	struct snapshot before;

	snapshot_take(&before, scene);
	assert_int_equal(scene_attach_args(scene, args), code);
	assert_int_equal(scene->err.code, code);
	assert_string_equal(mc_step_name(scene->err.step), mc_step_name(step));
	snapshot_compare(&before, scene);
}

static void expect(struct attach_fixture *scene, const char *target, enum mc_step step, int code)
{
	const struct mc_attach_args args = scene_args(scene, target);

	expect_args(scene, &args, step, code);
}

SCENE_TEST(the_root_and_the_kernel_s_trees_are_refused_also_through_symlinks)
{
	scratch_mkdir(box_path(&scene->box, "/dev/shm"));
	assert_int_equal(symlink("/proc", box_path(&scene->box, "/to_proc")), 0);
	assert_int_equal(symlink("dev", box_path(&scene->box, "/to_dev")), 0);
	assert_int_equal(symlink("/", box_path(&scene->box, "/to_root")), 0);
	expect(scene, "/", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/proc", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/proc/sys", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/sys", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/sys/new/below", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/dev", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/dev/shm", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/dev/new", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/to_proc", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/to_proc/tty", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/to_dev", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/to_dev/new", MC_STEP_REFUSED, -EACCES);
	expect(scene, "/to_root", MC_STEP_REFUSED, -EACCES);
}

SCENE_TEST(magic_dangling_and_circular_links_are_refused)
{
	assert_int_equal(symlink("/proc/self/root/mnt", box_path(&scene->box, "/magic")), 0);
	assert_int_equal(symlink("/nowhere", box_path(&scene->box, "/dangling")), 0);
	assert_int_equal(symlink("round", box_path(&scene->box, "/round")), 0);
	expect(scene, "/magic", MC_STEP_TARGET, -ELOOP);
	expect(scene, "/magic/new", MC_STEP_TARGET, -ELOOP);
	expect(scene, "/proc/self/root/mnt", MC_STEP_TARGET, -ELOOP);
	expect(scene, "/dangling", MC_STEP_TARGET, -ELOOP);
	expect(scene, "/dangling/new", MC_STEP_TARGET, -ELOOP);
	expect(scene, "/round", MC_STEP_TARGET, -ELOOP);
}

SCENE_TEST(what_is_no_directory_or_missing_without_mkdir_is_refused)
{
	struct mc_attach_args args;

	scratch_write(box_path(&scene->box, "/mnt/file"));
	assert_int_equal(symlink("file", box_path(&scene->box, "/mnt/link")), 0);
	assert_int_equal(mkfifo(box_path(&scene->box, "/mnt/fifo"), 0600), 0);
	expect(scene, "/mnt/file", MC_STEP_TYPE, -ENOTDIR);
	expect(scene, "/mnt/link", MC_STEP_TYPE, -ENOTDIR);
	expect(scene, "/mnt/fifo", MC_STEP_TYPE, -ENOTDIR);
	expect(scene, "/mnt/file/below", MC_STEP_TARGET, -ENOTDIR);
	args = scene_args(scene, "/mnt/missing");
	args.mkdir = false;
	expect_args(scene, &args, MC_STEP_TARGET, -ENOENT);
	args = scene_args(scene, "mnt");
	expect_args(scene, &args, MC_STEP_TARGET, -EINVAL);
}

SCENE_TEST(a_target_with_a_mount_on_it_is_occupied)
{
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	expect(scene, "/mnt", MC_STEP_OCCUPIED, -EBUSY);
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	expect(scene, "/mnt", MC_STEP_OCCUPIED, -EBUSY);
}

SCENE_TEST(a_shared_parent_mount_is_refused)
{
	assert_int_equal(box_run(&scene->box, in_share, "/"), 0);
	expect(scene, "/mnt", MC_STEP_SHARED, -EINVAL);
	expect(scene, "/mnt/new", MC_STEP_SHARED, -EINVAL);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	expect(scene, "/mnt/new", MC_STEP_SHARED, -EINVAL); /* is a peer's child, shared too */
}

/* Two components that can be made, then one that cannot. */
NS_TEST(a_component_that_is_too_long_leaves_no_directory)
{
	char target[512] = "/mnt/a/b/";
	struct attach_fixture scene;

	memset(target + strlen(target), 'x', 256);
	scene_open(&scene);
	expect(&scene, target, MC_STEP_MKDIR, -ENAMETOOLONG);
	scene_close(&scene);
}

NS_TEST(too_many_missing_directories_are_refused_and_none_is_left)
{
	char target[512] = "/mnt";
	struct attach_fixture scene;

	for (unsigned i = 0; i <= MC_MADE_MAX; i++)
		memcpy(target + strlen(target), "/d", 3);
	scene_open(&scene);
	expect(&scene, target, MC_STEP_MKDIR, -E2BIG);
	target[strlen(target) - 2] = '\0';
	assert_int_equal(scene_attach(&scene, target), 0);
	assert_int_equal(scene.info.made.count, MC_MADE_MAX);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_false(scratch_exists(box_path(&scene.box, "/mnt/d")));
	scene_close(&scene);
}

static struct mc_attach *prepare(struct attach_fixture *scene, const char *target)
{
	const struct mc_attach_args args = scene_args(scene, target);
	struct mc_attach *attach = NULL;

	scene->err = (struct mc_err){0};
	assert_int_equal(mc_attach_prepare(scene->core, &args, &attach, &scene->err), 0);
	return attach;
}

static void expect_commit(
	struct attach_fixture *scene, struct mc_attach *attach, enum mc_step step, int code)
{
	char *before = read_mounts(scene->box.pid), *after;
	unsigned files = box_count_files(&scene->box);

	assert_int_equal(mc_attach_commit(attach, &scene->err), code);
	assert_int_equal(scene->err.code, code);
	assert_string_equal(mc_step_name(scene->err.step), mc_step_name(step));
	mc_attach_free(attach);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	assert_int_equal(box_count_files(&scene->box), files);
	free(before);
	free(after);
}

SCENE_TEST(a_target_removed_after_prepare_fails_and_leaves_nothing)
{
	struct mc_attach *attach;

	scratch_mkdir(box_path(&scene->box, "/mnt/x"));
	attach = prepare(scene, "/mnt/x");
	assert_int_equal(rmdir(box_path(&scene->box, "/mnt/x")), 0);
	expect_commit(scene, attach, MC_STEP_MOVE, -ENOENT);

	scratch_mkdir(box_path(&scene->box, "/mnt/x"));
	attach = prepare(scene, "/mnt/x/a/b");
	assert_int_equal(rmdir(box_path(&scene->box, "/mnt/x")), 0);
	expect_commit(scene, attach, MC_STEP_MKDIR, -ENOENT);
}

SCENE_TEST(a_target_renamed_after_prepare_fails_and_leaves_nothing)
{
	struct mc_attach *attach;

	scratch_mkdir(box_path(&scene->box, "/mnt/x"));
	attach = prepare(scene, "/mnt/x");
	assert_int_equal(
		rename(box_path(&scene->box, "/mnt/x"), box_path(&scene->box, "/mnt/y")), 0);
	expect_commit(scene, attach, MC_STEP_VERIFY, -ESTALE);
}

SCENE_TEST(an_ancestor_renamed_after_prepare_leaves_no_directory)
{
	struct mc_attach *attach;

	scratch_mkdir(box_path(&scene->box, "/mnt/x"));
	attach = prepare(scene, "/mnt/x/a/b");
	assert_int_equal(
		rename(box_path(&scene->box, "/mnt/x"), box_path(&scene->box, "/mnt/y")), 0);
	expect_commit(scene, attach, MC_STEP_VERIFY, -ESTALE);
}

/* Somebody else makes the first missing directory: it is used, and not removed later. */
SCENE_TEST(a_directory_that_appears_after_prepare_is_used_and_a_link_refused)
{
	struct mc_attach *attach;

	attach = prepare(scene, "/mnt/a/b");
	scratch_mkdir(box_path(&scene->box, "/mnt/a"));
	assert_int_equal(mc_attach_commit(attach, &scene->err), 0);
	scene->info = *mc_attach_info(attach);
	mc_attach_free(attach);
	assert_int_equal(scene->info.made.count, 1);
	assert_true(box_has_file(&scene->box, "/mnt/a/b/file"));
	assert_int_equal(scene_detach(scene, false), 0);
	assert_true(scratch_exists(box_path(&scene->box, "/mnt/a")));
	assert_false(scratch_exists(box_path(&scene->box, "/mnt/a/b")));

	attach = prepare(scene, "/mnt/a/c");
	assert_int_equal(symlink("/proc", box_path(&scene->box, "/mnt/a/c")), 0);
	expect_commit(scene, attach, MC_STEP_MKDIR, -ELOOP);
}

SCENE_TEST(a_parent_covered_after_prepare_fails_and_leaves_nothing)
{
	struct mc_attach *attach;

	scratch_mkdir(box_path(&scene->box, "/mnt/x"));
	attach = prepare(scene, "/mnt/x");
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	expect_commit(scene, attach, MC_STEP_VERIFY, -ESTALE);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt"), 0);
	assert_false(scratch_exists(box_path(&scene->box, "/mnt/x/file")));
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* Containers with a user namespace of their own: owners, locked attributes, their file systems. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/user.h"

#include "box.h"
#include "disk.h"
#include "scratch.h"

enum { OVERFLOW_ID = 65534 };

static void check_owner(const struct attach_fixture *scene, const char *path, unsigned id)
{
	struct stat found;

	assert_int_equal(lstat(box_path(&scene->box, path), &found), 0);
	assert_int_equal(found.st_uid, id);
	assert_int_equal(found.st_gid, id);
}

static void open_mapped(struct attach_fixture *ret)
{
	scene_open(ret);
	scene_map_users(ret);
	assert_true(ret->ns.userns_fd >= 0);
	assert_int_equal(ret->ns.uid, BOX_ROOT_ID);
	assert_int_equal(ret->ns.gid, BOX_ROOT_ID);
	assert_int_equal(mc_ns_has_user(ret->core, ret->box.pid, BOX_ROOT_ID), 1);
	assert_int_equal(mc_ns_has_user(ret->core, ret->box.pid, 0), 0);
	assert_int_equal(mc_ns_has_user(ret->core, ret->box.pid, BOX_ROOT_ID - 1), 0);
	assert_int_equal(mc_ns_has_user(ret->core, getpid(), 0), 1);
}

NS_TEST(mc_user_of_tells_the_container_s_numbers)
{
	struct attach_fixture scene;
	struct mc_user user;
	uint32_t uid = BOX_ROOT_ID + 5, gid = 3;

	scene_open(&scene);
	assert_int_equal(mc_user_of(scene.core, scene.box.pid, &user), 0);
	assert_int_equal(user.uid, 0);
	assert_true(user.group_count > 0 && user.groups[0] == 0);
	assert_int_equal(mc_user_numbers(scene.core, scene.box.pid, &uid, &gid), 0);
	assert_true(uid == BOX_ROOT_ID + 5 && gid == 3);
	scene_map_users(&scene);
	assert_int_equal(mc_user_of(scene.core, scene.box.pid, &user), 0);
	assert_int_equal(user.uid, 0);
	assert_true(user.group_count > 0 && user.groups[0] == 0);
	assert_int_equal(mc_user_numbers(scene.core, scene.box.pid, &uid, &gid), 0);
	assert_true(uid == 5 && gid == OVERFLOW_ID);
	assert_int_equal(mc_user_of(scene.core, INT32_MAX, &user), -ESRCH);
	scene_close(&scene);
}

/* Without mount_setattr nothing can be mapped, and that is said. */
static bool refuses_idmap(struct attach_fixture *scene, const struct mc_attach_args *args)
{
	if (mc_core_features(scene->core) & MC_FEATURE_MOUNT_SETATTR)
		return false;
	assert_int_equal(scene_attach_args(scene, args), -ENOSYS);
	assert_int_equal(scene->err.step, MC_STEP_IDMAP);
	return true;
}

NS_TEST(mapped_owners_are_the_container_s_own)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	struct stat written;
	unsigned files;

	disk_open(); /* tmpfs can be mapped from 6.3 on */
	open_mapped(&scene);
	files = box_count_files(&scene.box);
	args = scene_args(&scene, "/mnt/a/b");
	args.source = DISK_SOURCE;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/b/file"), OVERFLOW_ID);
	assert_int_equal(box_run(&scene.box, scratch_try_write, "/mnt/a/b/new"), -EACCES);
	assert_int_equal(scene_detach(&scene, false), 0);

	args.idmap = true;
	if (refuses_idmap(&scene, &args)) {
		assert_int_equal(box_count_files(&scene.box), files);
		scene_close(&scene);
		return;
	}
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/b/file"), 0);
	assert_int_equal(box_run(&scene.box, scratch_try_write, "/mnt/a/b/new"), 0);
	assert_int_equal(stat(DISK_SOURCE "/new", &written), 0);
	assert_int_equal(written.st_uid, 0);
	assert_int_equal(written.st_gid, 0);
	check_owner(&scene, "/mnt/a", BOX_ROOT_ID);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(box_count_files(&scene.box), files);
	scene_close(&scene);
}

/* From 7.3 on it can be mapped. */
NS_TEST(an_overlay_is_mapped_or_refused)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	struct stat written;

	scratch_mkdir("/tmp/low");
	scratch_write("/tmp/low/file");
	scratch_mount_overlay("/tmp/low", "/tmp/over");
	open_mapped(&scene);
	args = scene_args(&scene, "/mnt/a");
	args.source = "/tmp/over";
	args.idmap = true;
	if (refuses_idmap(&scene, &args)) {
		scene_close(&scene);
		return;
	}
	if (!scratch_kernel_is_from(7, 3)) {
		scene_expect_refused(&scene, &args, MC_STEP_IDMAP, -EINVAL);
		scene_close(&scene);
		return;
	}
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/file"), 0);
	assert_int_equal(box_run(&scene.box, scratch_try_write, "/mnt/a/new"), 0);
	assert_int_equal(stat("/tmp/over/new", &written), 0);
	assert_true(written.st_uid == 0 && written.st_gid == 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	scene_close(&scene);
}

/* The map of the container's users, after the exchange. */
NS_TEST(as_is_composed_with_the_container_s_map)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	struct stat written;

	disk_open();
	scratch_write(DISK_SOURCE "/user");
	assert_int_equal(chown(DISK_SOURCE "/user", 1000, 1000), 0);
	scratch_write(DISK_SOURCE "/third");
	assert_int_equal(chown(DISK_SOURCE "/third", 7, 7), 0);
	open_mapped(&scene);
	args = scene_args(&scene, "/mnt/a");
	args.source = DISK_SOURCE;
	args.idmap = true;
	args.as_uid = args.as_gid = 1001;
	if (refuses_idmap(&scene, &args)) {
		scene_close(&scene);
		return;
	}
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a"), 1000);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/file"), 1000);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/user"), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/third"), 7);
	assert_int_equal(box_run(&scene.box, scratch_try_write, "/mnt/a/new"), 0);
	assert_int_equal(stat(DISK_SOURCE "/new", &written), 0);
	assert_int_equal(written.st_uid, 1000);
	assert_int_equal(written.st_gid, 1000);
	assert_int_equal(scene_detach(&scene, false), 0);

	args.as_uid = args.as_gid = 1; /* the owner already */
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/file"), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/user"), 1000);
	assert_int_equal(scene_detach(&scene, false), 0);

	args.as_uid = 70001;
	scene_expect_refused(&scene, &args, MC_STEP_USERNS, -ERANGE);
	args.place.pid = 0;
	scene_expect_refused(&scene, &args, MC_STEP_SETUP, -EINVAL);
	args.place.pid = (uint64_t)getpid(); /* of another user namespace */
	scene_expect_refused(&scene, &args, MC_STEP_PROCESS, -ESRCH);
	scene_close(&scene);
}

/* A source of the container's users is not mapped: the exchange alone. */
NS_TEST(as_without_a_map_is_an_id_of_the_container)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	struct stat written;

	disk_open();
	assert_int_equal(chown(DISK_SOURCE, BOX_ROOT_ID, BOX_ROOT_ID), 0);
	scratch_write(DISK_SOURCE "/user");
	assert_int_equal(chown(DISK_SOURCE "/user", BOX_ROOT_ID + 1000, BOX_ROOT_ID + 1000), 0);
	open_mapped(&scene);
	args = scene_args(&scene, "/mnt/a");
	args.source = DISK_SOURCE;
	args.as_uid = args.as_gid = 1001;
	if (refuses_idmap(&scene, &args)) {
		scene_close(&scene);
		return;
	}
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a"), 1000);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/user"), 0);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a/file"), OVERFLOW_ID);
	assert_int_equal(box_run(&scene.box, scratch_try_write, "/mnt/a/new"), 0);
	assert_int_equal(stat(DISK_SOURCE "/new", &written), 0);
	assert_int_equal(written.st_uid, BOX_ROOT_ID + 1000);
	assert_int_equal(written.st_gid, BOX_ROOT_ID + 1000);
	assert_int_equal(scene_detach(&scene, false), 0);
	args.as_uid = 70001;
	scene_expect_refused(&scene, &args, MC_STEP_USERNS, -ERANGE);
	scene_close(&scene);
}

NS_TEST(what_is_made_belongs_to_the_container_s_root)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	unsigned files;

	open_mapped(&scene);
	files = box_count_files(&scene.box);
	args = scene_args(&scene, "/mnt/a/b");
	args.source = SOURCE "/file";
	args.may_be_file = true;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	check_owner(&scene, "/mnt/a", BOX_ROOT_ID);
	assert_int_equal(box_run(&scene.box, scratch_owner, "/mnt/a"), 0);
	check_owner(&scene, "/mnt/a/b", 0); /* the source, not mapped */
	assert_int_equal(box_run(&scene.box, in_umount, "/mnt/a/b"), 0);
	check_owner(&scene, "/mnt/a/b", BOX_ROOT_ID);
	assert_int_equal(scene_detach(&scene, false), -ENOENT);
	assert_int_equal(box_count_files(&scene.box), files);
	scene_close(&scene);
}

static void check_lock(struct attach_fixture *scene, bool lock, int remounted)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");
	unsigned fds = hv_count_fds();
	char *before = read_mounts(getpid()), *after;

	assert_int_equal(mc_attr_add(&args.attr, "ro"), 0);
	args.lock = lock;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_true(box_has_file(&scene->box, "/mnt/a/file"));
	assert_int_equal(scratch_try_write(box_path(&scene->box, "/mnt/a/x")), -EROFS);
	assert_int_equal(box_run(&scene->box, in_remount_writable, "/mnt/a"), remounted);
	assert_int_equal(
		scratch_try_write(box_path(&scene->box, "/mnt/a/x")), remounted ? -EROFS : 0);
	assert_int_equal(scene_detach(scene, false), 0);
	assert_false(scratch_exists(box_path(&scene->box, "/mnt/a")));
	after = read_mounts(getpid());
	assert_string_equal(before, after);
	assert_int_equal(hv_count_fds(), fds);
	free(before);
	free(after);
}

NS_TEST(locked_read_only_stays_read_only)
{
	struct attach_fixture scene;

	open_mapped(&scene);
	check_lock(&scene, true, -EPERM);
	check_lock(&scene, false, 0);
	scene_close(&scene);
}

NS_TEST(submounts_and_files_are_locked_and_mapped_too)
{
	struct attach_fixture scene;
	struct mc_attach_args args;

	disk_open();
	scratch_mkdir(DISK_SOURCE "/below");
	scratch_bind(DISK "/deep", DISK_SOURCE "/below");
	open_mapped(&scene);
	args = scene_args(&scene, "/mnt/a");
	args.source = DISK_SOURCE;
	assert_int_equal(mc_attr_add(&args.attr, "ro"), 0);
	args.lock = true;
	args.idmap = true;
	if (refuses_idmap(&scene, &args))
		args.idmap = false;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(
		box_run(&scene.box, scratch_owner, "/mnt/a/file"), args.idmap ? 0 : OVERFLOW_ID);
	assert_int_equal(box_run(&scene.box, in_remount_writable, "/mnt/a"), -EPERM);
	assert_int_equal(box_run(&scene.box, in_remount_writable, "/mnt/a/below"), -EPERM);
	assert_int_equal(scene_detach(&scene, true), 0);

	args.source = DISK_SOURCE "/file";
	args.may_be_file = true;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, in_remount_writable, "/mnt/a"), -EPERM);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_false(scratch_exists(box_path(&scene.box, "/mnt/a")));
	scene_close(&scene);
}

NS_TEST(a_file_system_of_the_container_s_users_takes_directories)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	unsigned files, fds, threads;
	char *before, *after;

	open_mapped(&scene);
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	files = box_count_files(&scene.box);
	fds = hv_count_fds();
	threads = scratch_count_threads();
	before = read_mounts(scene.box.pid);
	args = scene_args(&scene, "/mnt/a/b");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(scene.info.made.count, 2);
	assert_true(box_has_file(&scene.box, "/mnt/a/b/file"));
	check_owner(&scene, "/mnt/a", BOX_ROOT_ID);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_false(scratch_exists(box_path(&scene.box, "/mnt/a")));
	args.source = SOURCE "/file";
	args.may_be_file = true;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(box_has_file(&scene.box, "/mnt/a/b"));
	assert_int_equal(scene_detach(&scene, false), 0);
	after = read_mounts(scene.box.pid);
	assert_string_equal(before, after);
	assert_int_equal(box_count_files(&scene.box), files);
	assert_int_equal(hv_count_fds(), fds);
	assert_int_equal(scratch_count_threads(), threads);
	free(before);
	free(after);
	scene_close(&scene);
}

/* The root of the place is the container's file system: no helper until mkdir says EOVERFLOW. */
static int in_new_root(const char *path)
{
	int rc = in_mount_tmpfs(path);

	if (rc < 0)
		return rc;
	if (chdir(path) < 0 || mkdir("mnt", 0755) < 0 || mkdir("proc", 0755) < 0)
		return -errno;
	return chroot(".") < 0 ? -errno : 0;
}

NS_TEST(a_root_of_the_container_s_users_takes_directories)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	char root[64];
	int root_fd;

	open_mapped(&scene);
	assert_int_equal(box_run(&scene.box, in_new_root, "/mnt"), 0);
	snprintf(root, sizeof(root), "/proc/%d/root", (int)scene.box.pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root_fd >= 0);
	args = scene_args(&scene, "/mnt/a/b");
	args.place.root_fd = root_fd;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(box_has_file(&scene.box, "/mnt/a/b/file"));
	check_owner(&scene, "/mnt/a", BOX_ROOT_ID);
	close(root_fd);
	scene_close(&scene);
}

TEST_MAIN_PRIVILEGED()

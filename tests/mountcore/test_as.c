/* SPDX-License-Identifier: Apache-2.0 */
/* The owner of a source appears as another user, and that user as the owner. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "disk.h"
#include "scratch.h"

enum { USER = 1000, OTHER = 2000, THIRD = 7 };

/* As mc_attach_args has an ID. */
static uint64_t as(uint32_t id)
{
	return (uint64_t)id + 1;
}

static int in_uid(const char *path)
{
	struct stat found;

	return lstat(path, &found) < 0 ? -errno : (int)found.st_uid;
}

static int in_gid(const char *path)
{
	struct stat found;

	return lstat(path, &found) < 0 ? -errno : (int)found.st_gid;
}

static int make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? errno : close(fd);
}

/* Make a file as USER. */
static int in_make_as_user(const char *path)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(USER, USER, USER) < 0 ||
			setresuid(USER, USER, USER) < 0)
			_exit(errno);
		_exit(make(path));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static int in_make(const char *path)
{
	return -make(path);
}

static void check_host(const char *path, uid_t uid, gid_t gid)
{
	struct stat found;

	assert_int_equal(lstat(path, &found), 0);
	assert_int_equal(found.st_uid, uid);
	assert_int_equal(found.st_gid, gid);
}

static void check_inside(const struct attach_fixture *scene, const char *path, int uid, int gid)
{
	assert_int_equal(box_run(&scene->box, in_uid, path), uid);
	assert_int_equal(box_run(&scene->box, in_gid, path), gid);
}

static void write_owned(const char *path, uid_t id)
{
	scratch_write(path);
	assert_int_equal(chown(path, id, id), 0);
}

/* A source of root's, with a file each of root, USER and THIRD. */
static struct mc_attach_args open_disk(const struct attach_fixture *scene)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	disk_open(); /* tmpfs can be mapped from 6.3 on */
	write_owned(DISK_SOURCE "/user", USER);
	write_owned(DISK_SOURCE "/third", THIRD);
	args.source = DISK_SOURCE;
	args.as_uid = as(USER);
	args.as_gid = as(USER);
	return args;
}

/* Without mount_setattr nothing can be mapped, and that is said. */
static bool is_refused(struct attach_fixture *scene, const struct mc_attach_args *args)
{
	if (mc_core_features(scene->core) & MC_FEATURE_MOUNT_SETATTR)
		return false;
	scene_expect_refused(scene, args, MC_STEP_IDMAP, -ENOSYS);
	return true;
}

SCENE_TEST(as_exchanges_two_owners)
{
	struct mc_attach_args args = open_disk(scene);
	unsigned fds = hv_count_fds();

	if (is_refused(scene, &args))
		return;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(hv_count_fds(), fds);
	check_inside(scene, "/mnt/a", USER, USER);
	check_inside(scene, "/mnt/a/file", USER, USER);
	check_inside(scene, "/mnt/a/user", 0, 0);
	check_inside(scene, "/mnt/a/third", THIRD, THIRD);
	assert_int_equal(box_run(&scene->box, in_make_as_user, "/mnt/a/new"), 0);
	check_inside(scene, "/mnt/a/new", USER, USER);
	check_host(DISK_SOURCE "/new", 0, 0);
	assert_int_equal(box_run(&scene->box, in_make, "/mnt/a/root"), 0);
	check_inside(scene, "/mnt/a/root", 0, 0);
	check_host(DISK_SOURCE "/root", USER, USER);
	check_host(DISK_SOURCE, 0, 0);
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(hv_count_fds(), fds);
}

SCENE_TEST(as_without_a_group_leaves_groups)
{
	struct mc_attach_args args = open_disk(scene);

	args.as_gid = 0;
	if (is_refused(scene, &args))
		return;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a", USER, 0);
	check_inside(scene, "/mnt/a/user", 0, USER);
	assert_int_equal(box_run(&scene->box, in_make_as_user, "/mnt/a/new"), 0);
	check_host(DISK_SOURCE "/new", 0, USER);
	assert_int_equal(scene_detach(scene, false), 0);
	args.as_uid = 0;
	args.as_gid = as(USER);
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a", 0, USER);
	check_inside(scene, "/mnt/a/user", USER, 0);
	assert_int_equal(scene_detach(scene, false), 0);
}

SCENE_TEST(as_the_owner_needs_no_map)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	scratch_mkdir("/tmp/ram");
	assert_int_equal(mount("ramfs", "/tmp/ram", "ramfs", 0, "mode=0755"), 0);
	assert_int_equal(chown("/tmp/ram", USER, OTHER), 0);
	args.source = "/tmp/ram";
	args.as_uid = as(USER);
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a", USER, OTHER);
	assert_int_equal(scene_detach(scene, false), 0);
	args.as_gid = as(OTHER);
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a", USER, OTHER);
	assert_int_equal(scene_detach(scene, false), 0);
}

SCENE_TEST(as_on_a_file_system_without_maps_is_refused)
{
	struct mc_attach_args args = open_disk(scene);

	scratch_mkdir("/tmp/ram");
	assert_int_equal(mount("ramfs", "/tmp/ram", "ramfs", 0, "mode=0755"), 0);
	args.source = "/tmp/ram";
	if (is_refused(scene, &args))
		return;
	scene_expect_refused(scene, &args, MC_STEP_IDMAP, -EINVAL);
	/* A mount in it is a part of the tree. */
	scratch_mkdir(DISK_SOURCE "/below");
	scratch_bind("/tmp/ram", DISK_SOURCE "/below");
	args.source = DISK_SOURCE;
	scene_expect_refused(scene, &args, MC_STEP_IDMAP, -EINVAL);
	args.alone = true;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a", USER, USER);
	assert_int_equal(scene_detach(scene, false), 0);
}

/* From 7.3 on it can be mapped, copy-up included. */
SCENE_TEST(as_of_an_overlay_is_whole_or_refused)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	scratch_mkdir("/tmp/low");
	write_owned("/tmp/low/user", USER);
	scratch_write("/tmp/low/file");
	scratch_mount_overlay("/tmp/low", "/tmp/over");
	assert_int_equal(chmod("/tmp/over", 0755), 0);
	args.source = "/tmp/over";
	args.as_uid = args.as_gid = as(USER);
	if (is_refused(scene, &args))
		return;
	if (!scratch_kernel_is_from(7, 3)) {
		scene_expect_refused(scene, &args, MC_STEP_IDMAP, -EINVAL);
		return;
	}
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a", USER, USER);
	check_inside(scene, "/mnt/a/file", USER, USER);
	check_inside(scene, "/mnt/a/user", 0, 0);
	assert_int_equal(box_run(&scene->box, in_make_as_user, "/mnt/a/new"), 0);
	check_host("/tmp/over/new", 0, 0);
	assert_int_equal(chmod(box_path(&scene->box, "/mnt/a/user"), 0600), 0); /* copied up */
	check_inside(scene, "/mnt/a/user", 0, 0);
	check_host("/tmp/over/user", USER, USER);
	assert_int_equal(scene_detach(scene, false), 0);
}

SCENE_TEST(as_of_a_subpath_exchanges_the_source_s_owner)
{
	struct mc_attach_args args = open_disk(scene);

	assert_int_equal(chown(DISK_SOURCE, THIRD, THIRD), 0);
	scratch_mkdir(DISK_SOURCE "/sub");
	write_owned(DISK_SOURCE "/sub/third", THIRD);
	write_owned(DISK_SOURCE "/sub/user", USER);
	args.subpath = "sub";
	if (is_refused(scene, &args))
		return;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a", 0, 0);
	check_inside(scene, "/mnt/a/third", USER, USER);
	check_inside(scene, "/mnt/a/user", THIRD, THIRD);
	assert_int_equal(scene_detach(scene, false), 0);
}

SCENE_TEST(as_differs_between_two_mounts_of_one_source)
{
	struct mc_attach_args args = open_disk(scene), other = args;
	struct mc_attach_info first;

	if (is_refused(scene, &args))
		return;
	other.target = "/mnt/b";
	other.as_uid = other.as_gid = as(OTHER);
	assert_int_equal(scene_attach_args(scene, &args), 0);
	first = scene->info;
	assert_int_equal(scene_attach_args(scene, &other), 0);
	check_inside(scene, "/mnt/a/file", USER, USER);
	check_inside(scene, "/mnt/b/file", OTHER, OTHER);
	check_inside(scene, "/mnt/b/user", USER, USER);
	assert_int_equal(box_run(&scene->box, in_make_as_user, "/mnt/b/new"), -EACCES);
	assert_int_equal(box_run(&scene->box, in_make_as_user, "/mnt/a/new"), 0);
	check_inside(scene, "/mnt/b/new", OTHER, OTHER);
	assert_int_equal(scene_detach(scene, false), 0);
	scene->info = first;
	assert_int_equal(scene_detach(scene, false), 0);
}

SCENE_TEST(as_an_id_that_is_none_is_refused)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	args.as_uid = (uint64_t)UINT32_MAX + 1;
	scene_expect_refused(scene, &args, MC_STEP_SETUP, -EINVAL);
	args.as_uid = as(USER);
	args.as_gid = (uint64_t)UINT32_MAX + 1;
	scene_expect_refused(scene, &args, MC_STEP_SETUP, -EINVAL);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching without open_tree: by the source's block device, and by bind mounts in our own
 * namespace.  The disk is a loop device with ext4. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "box.h"
#include "disk.h"
#include "scratch.h"

enum { ROUNDS = 40 };

static struct mc_attach_args disk_args(const struct attach_fixture *scene, const char *target)
{
	struct mc_attach_args args = scene_args(scene, target);

	args.source = DISK_SOURCE;
	return args;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

NS_TEST(a_directory_of_a_disk_is_attached_and_nothing_is_left)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	unsigned files, fds, threads;
	char *before, *after, options[256];

	scene_open(&scene);
	disk_open();
	files = box_count_files(&scene.box);
	fds = hv_count_fds();
	threads = scratch_count_threads();
	before = read_mounts(scene.box.pid);
	args = disk_args(&scene, "/mnt/a/b");
	assert_string_equal(mc_core_engine(scene.core), "block-device");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(scene.info.made.count, 2);
	assert_int_not_equal(scene.info.mountinfo_id, 0);
	assert_true(is_same_file(box_path(&scene.box, "/mnt/a/b/file"), DISK "/deep/source/file"));
	assert_int_equal(scratch_try_write(box_path(&scene.box, "/mnt/a/b/new")), 0);
	assert_true(scratch_exists(DISK "/deep/source/new"));
	mount_options(scene.box.pid, "/mnt/a/b", options);
	assert_string_equal(options, "rw,relatime");
	assert_int_equal(scene_detach(&scene, false), 0);
	after = read_mounts(scene.box.pid);
	assert_string_equal(before, after);
	assert_int_equal(box_count_files(&scene.box), files);
	assert_int_equal(hv_count_fds(), fds);
	assert_int_equal(scratch_count_threads(), threads);
	free(before);
	free(after);
	scene_close(&scene);
	disk_close();
}

NS_TEST(attributes_are_set_and_the_source_s_kept)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	char options[256];

	scene_open(&scene);
	disk_open();
	assert_int_equal(mount(NULL, DISK, NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL), 0);
	args = disk_args(&scene, "/mnt/a");
	assert_int_equal(mc_attr_add(&args.attr, "ro"), 0);
	assert_int_equal(mc_attr_add(&args.attr, "nosuid"), 0);
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	mount_options(scene.box.pid, "/mnt/a", options);
	assert_string_equal(options, "ro,nosuid,noexec,relatime");
	assert_int_equal(scratch_try_write(box_path(&scene.box, "/mnt/a/new")), -EROFS);
	assert_int_equal(scratch_try_write(DISK "/deep/source/new"), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	scene_close(&scene);
	disk_close();
}

NS_TEST(files_roots_and_bind_mounts_are_sources)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	unsigned files;

	scene_open(&scene);
	disk_open();
	files = box_count_files(&scene.box);
	args = disk_args(&scene, "/mnt/new");
	args.source = DISK "/deep/source/file";
	args.may_be_file = true;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(is_same_file(box_path(&scene.box, "/mnt/new"), DISK "/deep/source/file"));
	assert_int_equal(scene_detach(&scene, false), 0);

	args.source = DISK; /* the file system's root */
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(is_same_file(box_path(&scene.box, "/mnt/new"), DISK));
	assert_int_equal(scene_detach(&scene, false), 0);

	scratch_mkdir("/tmp/bound"); /* a part of it, mounted elsewhere */
	assert_int_equal(mount(DISK "/deep", "/tmp/bound", NULL, MS_BIND, NULL), 0);
	args.source = "/tmp/bound/source";
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(is_same_file(box_path(&scene.box, "/mnt/new"), DISK "/deep/source"));
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(box_count_files(&scene.box), files);
	scratch_umount("/tmp/bound");
	scene_close(&scene);
	disk_close();
}

NS_TEST(a_target_below_a_mount_of_the_container_is_reached)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	char *before, *after;

	scene_open(&scene);
	disk_open();
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	before = read_mounts(scene.box.pid);
	args = disk_args(&scene, "/mnt/a/b");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(is_same_file(box_path(&scene.box, "/mnt/a/b/file"), DISK "/deep/source/file"));
	assert_int_equal(scene_detach(&scene, false), 0);
	after = read_mounts(scene.box.pid);
	assert_string_equal(before, after);
	free(before);
	free(after);
	scene_close(&scene);
	disk_close();
}

NS_TEST(what_it_cannot_do_is_refused)
{
	struct attach_fixture scene;
	struct mc_attach_args args;

	scene_open(&scene);
	disk_open();
	args = scene_args(&scene, "/mnt/a"); /* on a tmpfs */
	scene_expect_refused(&scene, &args, MC_STEP_CLONE, -EOPNOTSUPP);

	args = disk_args(&scene, "/mnt/a");
	args.place.may_mount = true;
	scene_expect_refused(&scene, &args, MC_STEP_CLONE, -EOPNOTSUPP);

	args = disk_args(&scene, "/mnt");
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	args.replace = MC_REPLACE_ANYHOW;
	scene_expect_refused(&scene, &args, MC_STEP_REPLACE, -ENOSYS);
	assert_int_equal(box_run(&scene.box, in_share, "/mnt"), 0);
	args = disk_args(&scene, "/mnt/a");
	scene_expect_refused(&scene, &args, MC_STEP_SHARED, -EINVAL);

	scratch_mkdir(DISK "/deep/source/below");
	scratch_mount_tmpfs(DISK "/deep/source/below");
	args = disk_args(&scene, "/opt");
	scene_expect_refused(&scene, &args, MC_STEP_CLONE, -EOPNOTSUPP);
	scratch_umount(DISK "/deep/source/below");
	scene_close(&scene);
	disk_close();
}

#ifndef __SANITIZE_THREAD__ /* has a thread of its own, so that unshare(CLONE_NEWUSER) fails */
NS_TEST(a_container_with_user_namespace_is_refused)
{
	struct attach_fixture scene;
	struct mc_attach_args args;

	scene_open(&scene);
	disk_open();
	scene_map_users(&scene);
	args = disk_args(&scene, "/mnt/a");
	scene_expect_refused(&scene, &args, MC_STEP_CLONE, -EOPNOTSUPP);
	scene_close(&scene);
	disk_close();
}

#endif

struct watch {
	pid_t pid;
	atomic_bool stop;
	unsigned looks;
	unsigned seen; /* mounts with more in them than was asked for */
};

static void *watch(void *argument)
{
	struct watch *self = argument;

	while (!atomic_load(&self->stop)) {
		char *mounts = read_mounts(self->pid);

		self->looks++;
		for (char *at = mounts; (at = strstr(at, " ext4 /dev/loop")); at++) {
			char *line = at;

			while (line > mounts && line[-1] != '\n')
				line--;
			self->seen += !strstr(line, " /deep/source ");
		}
		free(mounts);
	}
	return NULL;
}

NS_TEST(the_container_never_sees_the_rest_of_the_disk)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	struct watch self = {0};
	pthread_t thread;

	scene_open(&scene);
	disk_open();
	self.pid = scene.box.pid;
	assert_int_equal(pthread_create(&thread, NULL, watch, &self), 0);
	args = disk_args(&scene, "/mnt/a");
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(scene_attach_args(&scene, &args), 0);
		assert_int_equal(scene_detach(&scene, false), 0);
	}
	atomic_store(&self.stop, true);
	pthread_join(thread, NULL);
	assert_true(self.looks > 0);
	assert_int_equal(self.seen, 0);
	scene_close(&scene);
	disk_close();
}

SCENE_TEST(in_our_own_namespace_it_is_a_bind_mount)
{
	struct mc_attach_args args;
	char *before, *after, options[256];

	scratch_mkdir("/tmp/here");
	before = read_mounts(getpid());
	args = scene_args(scene, "/tmp/here/a");
	args.place = (struct mc_place){.ns_fd = MC_FD_NONE, .root_fd = MC_FD_NONE};
	assert_int_equal(mc_attr_add(&args.attr, "ro"), 0);
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_true(is_same_file("/tmp/here/a/file", SOURCE "/file"));
	mount_options(getpid(), "/tmp/here/a", options);
	assert_string_equal(options, "ro,relatime");
	assert_int_equal(scratch_try_write(SOURCE "/new"), 0);
	scratch_umount("/tmp/here/a");
	after = read_mounts(getpid());
	assert_string_equal(before, after);
	free(before);
	free(after);
}

int main(void)
{
	setenv("HOSTVOL_WITHOUT", "open_tree", 0);
	setenv("HOSTVOL_LEGACY", "1", 1);
	return hv_run_tests_privileged();
}

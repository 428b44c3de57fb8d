/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side: sources, mc_host_*. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"

#include "box.h"
#include "scratch.h"

static void expect_source(
	struct attach_fixture *scene, const char *source, enum mc_step step, int code)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/new");
	unsigned fds = hv_count_fds();

	args.source = source;
	assert_int_equal(scene_attach_args(scene, &args), code);
	assert_int_equal(scene->err.code, code);
	assert_string_equal(mc_step_name(scene->err.step), mc_step_name(step));
	assert_int_equal(hv_count_fds(), fds);
	assert_false(scratch_exists(box_path(&scene->box, "/mnt/new")));
}

SCENE_TEST(a_source_must_be_a_directory_without_symlink)
{
	scratch_mkdir("/tmp/real");
	scratch_mkdir("/tmp/real/below");
	scratch_write("/tmp/real/file");
	assert_int_equal(symlink("real", "/tmp/link"), 0);
	expect_source(scene, "/tmp/none", MC_STEP_SOURCE, -ENOENT);
	expect_source(scene, "/tmp/real/file", MC_STEP_SOURCE, -ENOTDIR);
	expect_source(scene, "/tmp/real/file/x", MC_STEP_SOURCE, -ENOTDIR);
	expect_source(scene, "/tmp/link", MC_STEP_SOURCE, -ELOOP);
	expect_source(scene, "/tmp/link/below", MC_STEP_SOURCE, -ELOOP);
	expect_source(scene, "tmp/real", MC_STEP_SOURCE, -EINVAL);
	scratch_mount_tmpfs("/tmp/real");
	scratch_make_unbindable("/tmp/real");
	expect_source(scene, "/tmp/real", MC_STEP_CLONE, -EINVAL);
}

SCENE_TEST(a_source_swapped_for_a_symlink_is_not_followed)
{
	char real[PATH_MAX];

	assert_int_equal(mc_host_resolve(scene->core, SOURCE, real, NULL, NULL), 0);
	assert_int_equal(rename(SOURCE, "/tmp/moved"), 0);
	assert_int_equal(symlink("/etc", SOURCE), 0);
	expect_source(scene, real, MC_STEP_SOURCE, -ELOOP);
	assert_int_equal(unlink(SOURCE), 0);
	expect_source(scene, real, MC_STEP_SOURCE, -ENOENT);
}

static void expect_resolve(struct mc_core *core, const char *path, bool make, const char *expected)
{
	char real[PATH_MAX] = "";
	struct mc_err err = {0};
	unsigned fds = hv_count_fds();

	assert_int_equal(make ? mc_host_make(core, path, false, real, NULL, &err)
			      : mc_host_resolve(core, path, real, NULL, &err),
		0);
	assert_string_equal(real, expected);
	assert_int_equal(err.code, 0);
	assert_int_equal(hv_count_fds(), fds);
}

static void expect_no_resolve(
	struct mc_core *core, const char *path, bool make, enum mc_step step, int code)
{
	char real[PATH_MAX] = "untouched";
	struct mc_err err = {0};

	assert_int_equal(make ? mc_host_make(core, path, false, real, NULL, &err)
			      : mc_host_resolve(core, path, real, NULL, &err),
		code);
	assert_int_equal(err.code, code);
	assert_string_equal(mc_step_name(err.step), mc_step_name(step));
	/* A missing path gives its future place. */
	assert_string_equal(real, code == -ENOENT && !make ? path : "untouched");
}

SCENE_TEST(host_paths_are_resolved_and_made)
{
	char path[512] = "/tmp/long/";

	scratch_mkdir("/tmp/real");
	assert_int_equal(symlink("/tmp/real", "/tmp/link"), 0);
	assert_int_equal(symlink("/tmp/void/x", "/tmp/dangling"), 0);
	scratch_write("/tmp/file");
	expect_resolve(scene->core, "/", false, "/");
	expect_resolve(scene->core, "/tmp//real/.", false, "/tmp/real");
	expect_resolve(scene->core, "/tmp/link", false, "/tmp/real");
	expect_no_resolve(scene->core, "/tmp/none", false, MC_STEP_SOURCE, -ENOENT);
	expect_no_resolve(scene->core, "tmp", false, MC_STEP_SOURCE, -EINVAL);
	expect_no_resolve(scene->core, "", false, MC_STEP_SOURCE, -EINVAL);
	expect_no_resolve(scene->core, "/tmp/file", false, MC_STEP_SOURCE, -ENOTDIR);
	expect_no_resolve(scene->core, "/tmp/file/x", true, MC_STEP_SOURCE, -ENOTDIR);
	expect_no_resolve(scene->core, "/proc/self/root/tmp", false, MC_STEP_SOURCE, -ELOOP);
	expect_resolve(scene->core, "/tmp/link/a/b", true, "/tmp/real/a/b");
	expect_resolve(scene->core, "/tmp/real/a/b", true, "/tmp/real/a/b");
	expect_no_resolve(scene->core, "/tmp/dangling", true, MC_STEP_MKDIR, -ELOOP);
	memset(path + strlen(path), 'x', 256);
	expect_no_resolve(scene->core, path, true, MC_STEP_MKDIR, -ENAMETOOLONG);
	assert_false(scratch_exists("/tmp/long"));
}

/* A path that was resolved before: a swap of a part creates nothing elsewhere. */
SCENE_TEST(nothing_is_made_through_a_symlink_that_a_known_path_has_by_now)
{
	char real[PATH_MAX] = "";

	scratch_mkdir("/tmp/real");
	scratch_mkdir("/tmp/elsewhere");
	assert_int_equal(symlink("/tmp/elsewhere", "/tmp/real/a"), 0);
	assert_int_equal(
		mc_host_make(scene->core, "/tmp/real/a/b", true, real, NULL, &scene->err), -ELOOP);
	assert_false(scratch_exists("/tmp/elsewhere/b"));
	assert_int_equal(unlink("/tmp/real/a"), 0);
	assert_int_equal(mc_host_make(scene->core, "/tmp/real/a/b", true, real, NULL, NULL), 0);
	assert_string_equal(real, "/tmp/real/a/b");
}

SCENE_TEST(directories_made_in_vain_are_removed)
{
	char path[512] = "/tmp/real";

	for (unsigned i = 0; i <= MC_MADE_MAX; i++)
		memcpy(path + strlen(path), "/d", 3);
	expect_no_resolve(scene->core, path, true, MC_STEP_MKDIR, -E2BIG);
	assert_false(scratch_exists("/tmp/real"));
	scratch_mkdir("/tmp/real");
	memcpy(path, "/tmp/real/a/b/", 15);
	memset(path + strlen(path), 'x', 256);
	path[14 + 256] = '\0';
	expect_no_resolve(scene->core, path, true, MC_STEP_MKDIR, -ENAMETOOLONG);
	assert_true(scratch_exists("/tmp/real"));
	assert_false(scratch_exists("/tmp/real/a"));
}

static void expect_owner(struct attach_fixture *scene, struct mc_owner owner, const char *told)
{
	struct stat is;
	char text[64];

	assert_int_equal(mc_host_own(scene->core, "/tmp/real", &owner, NULL), 0);
	assert_int_equal(stat("/tmp/real", &is), 0);
	snprintf(text, sizeof(text), "%u:%u %o", is.st_uid, is.st_gid, is.st_mode & 07777);
	assert_string_equal(text, told);
}

SCENE_TEST(a_host_directory_is_given_an_owner_and_a_mode)
{
	const struct mc_owner owner = {.uid = 1, .gid = 2, .mode = 0700};

	scratch_mkdir("/tmp/real");
	scratch_write("/tmp/file");
	assert_int_equal(symlink("/tmp/real", "/tmp/link"), 0);
	expect_owner(scene, (struct mc_owner){-1, -1, -1}, "0:0 755");
	expect_owner(scene, (struct mc_owner){33, -1, -1}, "33:0 755");
	expect_owner(scene, (struct mc_owner){33, 44, 02750}, "33:44 2750");
	expect_owner(scene, (struct mc_owner){-1, 45, 02750}, "33:45 2750");
	expect_owner(scene, (struct mc_owner){0, 0, 0}, "0:0 0");
	assert_int_equal(mc_host_own(scene->core, "/tmp/none", &owner, NULL), -ENOENT);
	assert_int_equal(mc_host_own(scene->core, "/tmp/file", &owner, NULL), -ENOTDIR);
	assert_int_equal(mc_host_own(scene->core, "/tmp/link", &owner, NULL), -ELOOP);
	assert_int_equal(mc_host_own(scene->core, "tmp", &owner, &scene->err), -EINVAL);
	assert_string_equal(mc_step_name(scene->err.step), mc_step_name(MC_STEP_SOURCE));
}

SCENE_TEST(an_owner_and_a_mode_that_it_has_are_not_set_again)
{
	const struct mc_owner other = {.uid = -1, .gid = -1, .mode = 0700};

	scratch_mkdir("/tmp/real");
	scratch_mount_tmpfs("/tmp/real");
	assert_int_equal(chmod("/tmp/real", 02555), 0);
	assert_int_equal(chown("/tmp/real", 5, 6), 0);
	assert_int_equal(chmod("/tmp/real", 02555), 0);
	assert_int_equal(mount(NULL, "/tmp/real", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	expect_owner(scene, (struct mc_owner){5, 6, 02555}, "5:6 2555");
	expect_owner(scene, (struct mc_owner){-1, -1, 02555}, "5:6 2555");
	assert_int_equal(mc_host_own(scene->core, "/tmp/real", &other, &scene->err), -EROFS);
	assert_string_equal(mc_step_name(scene->err.step), mc_step_name(MC_STEP_OWNER));
}

SCENE_TEST(whether_a_path_is_on_a_mount_of_its_own_is_known)
{
	scratch_mkdir("/tmp/disk");
	scratch_mount_tmpfs("/tmp/disk");
	assert_int_equal(mc_host_is_on_mount(scene->core, "/tmp/disk"), 1);
	assert_int_equal(mc_host_is_on_mount(scene->core, "/tmp/disk/a/b"), 1);
	assert_int_equal(mc_host_is_on_mount(scene->core, "/"), 0);
	assert_int_equal(mc_host_is_on_mount(scene->core, "/nowhere"), 0);
}

SCENE_TEST(a_host_path_is_opened)
{
	mc_auto_fd fd = MC_FD_NONE;

	assert_int_equal(symlink(SOURCE "/file", "/tmp/link"), 0);
	fd = mc_host_open(scene->core, "/tmp/link");
	assert_true(fd >= 0);
	assert_int_equal(mc_host_open(scene->core, "/tmp/none"), -ENOENT);
}

/* A process in a mount namespace of its own, where what is mounted here is seen or not. */
static pid_t start_elsewhere(unsigned long propagation)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
			mount("none", "/tmp/shared", NULL, propagation, NULL) < 0 ||
			write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void end_elsewhere(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

SCENE_TEST(whether_another_process_sees_a_mount_is_known)
{
	static const char path[] = "/tmp/shared/volume";
	pid_t slave, apart;

	scratch_mkdir("/tmp/shared");
	scratch_mount_tmpfs("/tmp/shared");
	scratch_make_shared("/tmp/shared");
	scratch_mkdir(path);
	slave = start_elsewhere(MS_SLAVE);
	apart = start_elsewhere(MS_PRIVATE);
	assert_int_equal(mc_host_is_seen(scene->core, apart, path), 1); /* nothing is mounted yet */
	scratch_mount_tmpfs(path);
	assert_int_equal(mc_host_is_seen(scene->core, getpid(), path), 1);
	assert_int_equal(mc_host_is_seen(scene->core, slave, path), 1);
	assert_int_equal(mc_host_is_seen(scene->core, apart, path), 0);
	scratch_umount(path);
	scratch_umount("/tmp/shared");
	assert_int_equal(mc_host_is_seen(scene->core, apart, path), -ENOENT);
	scratch_mkdir(path);
	assert_int_equal(mc_host_is_seen(scene->core, slave, path), 0);
	end_elsewhere(slave);
	end_elsewhere(apart);
	assert_int_equal(mc_host_is_seen(scene->core, apart, path), -ENOENT);
	assert_int_equal(mc_host_is_seen(scene->core, 0, path), -ENOENT);
}

static void slow_by_mount(void)
{
	struct attach_fixture scene;
	int fuse;

	scene_open(&scene);
	scratch_mkdir("/tmp/silent");
	scratch_mkdir("/tmp/silent2");
	assert_false(mc_host_is_slow(scene.core, "/tmp/silent"));
	fuse = scratch_mount_silent("/tmp/silent");
	assert_true(fuse >= 0);
	assert_true(mc_host_is_slow(scene.core, "/tmp/silent"));
	assert_true(mc_host_is_slow(scene.core, "/tmp/silent/x"));
	assert_false(mc_host_is_slow(scene.core, "/tmp/silent2"));
	assert_false(mc_host_is_slow(scene.core, "/tmp"));
	close(fuse);
	scratch_umount("/tmp/silent");
	assert_false(mc_host_is_slow(scene.core, "/tmp/silent"));
	scene_close(&scene);
}

static void need_fuse(void)
{
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		skip();
}

TEST(a_fuse_mount_made_later_is_noticed)
{
	need_fuse();
	hv_in_namespace(slow_by_mount);
}

/* Nobody answers: a look into it ends at the helper's deadline. */
static void silent_source(void)
{
	const struct mc_core_args args = {.workers = 1, .helper_timeout_ms = 200};
	struct attach_fixture scene;
	char *before, *after;
	int fuse;

	scene_open(&scene);
	mc_core_close(scene.core);
	assert_int_equal(mc_core_open(&args, &scene.core, NULL), 0);
	scratch_mkdir("/tmp/silent");
	fuse = scratch_mount_silent("/tmp/silent");
	assert_true(fuse >= 0);
	before = read_mounts(scene.box.pid);
	expect_source(&scene, "/tmp/silent/x", MC_STEP_HELPER, -ETIMEDOUT);
	expect_no_resolve(scene.core, "/tmp/silent/x", true, MC_STEP_HELPER, -ETIMEDOUT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* the box; no helper is left */
	after = read_mounts(scene.box.pid);
	assert_string_equal(before, after);
	assert_int_equal(scene_attach(&scene, "/mnt"), 0);
	free(before);
	free(after);
	close(fuse);
	scene_close(&scene);
}

TEST(a_source_behind_a_silent_server_ends_at_the_deadline)
{
	need_fuse();
	hv_in_namespace(silent_source);
}

static void silent_target(void)
{
	const struct mc_core_args args = {.workers = 1, .helper_timeout_ms = 200};
	struct mc_attach_args attach;
	struct attach_fixture scene;

	scene_open(&scene);
	mc_core_close(scene.core);
	assert_int_equal(mc_core_open(&args, &scene.core, NULL), 0);
	assert_int_equal(mknod(box_path(&scene.box, "/dev/fuse"), S_IFCHR | 0600, 0xae5), 0);
	assert_int_equal(box_run(&scene.box, in_mount_silent, "/mnt"), 0);
	attach = scene_args(&scene, "/mnt/x");
	assert_int_equal(scene_attach_args(&scene, &attach), -ETIMEDOUT);
	assert_int_equal(scene.err.step, MC_STEP_HELPER);
	snprintf(scene.info.path, sizeof(scene.info.path), "/mnt/x");
	assert_int_equal(scene_detach(&scene, false), -ETIMEDOUT);
	assert_int_equal(scene.err.step, MC_STEP_HELPER);
	assert_int_equal(scene_attach(&scene, "/beside"), 0); /* the worker is free */
	scene_close(&scene);
}

TEST(a_target_behind_a_silent_server_ends_at_the_deadline)
{
	need_fuse();
	hv_in_namespace(silent_target);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* A source on a mount that maps owners itself: it is attached with both maps where the kernel can
 * (6.15), and else refused. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "disk.h"
#include "scratch.h"

#define MAPPED "/tmp/mapped"

enum { USER = 1000, OTHER = 2000 };

/* Root and USER exchanged, as X-mount.idmap would have it. */
static const char exchange[] = "0 1000 1\n1 1 999\n1000 0 1\n1001 1001 64535\n";

static void write_to(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_userns(void)
{
	char path[64];
	int ends[2], fd;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)!write(ends[1], unshare(CLONE_NEWUSER) == 0 ? "y" : "n", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], path, 1), 1);
	assert_int_equal(path[0], 'y');
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	write_to(path, exchange);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	write_to(path, exchange);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	return fd;
}

/* The disk's source once more at MAPPED.  Returns false if the kernel maps no mount. */
static bool mount_mapped(void)
{
	/* Of linux/mount.h, which clashes with sys/mount.h. */
	enum { CLONE = 1, EMPTY_FROM = 4, SETATTR = 442, IDMAP = 0x100000 };
	struct {
		uint64_t set, clear, propagation, userns_fd;
	} attr = {.set = IDMAP};
	int tree, userns;

	disk_open();
	scratch_write(DISK_SOURCE "/user");
	assert_int_equal(chown(DISK_SOURCE "/user", USER, USER), 0);
	scratch_mkdir(MAPPED);
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, DISK_SOURCE, CLONE | O_CLOEXEC);
	assert_true(tree >= 0);
	userns = make_userns();
	attr.userns_fd = (uint64_t)userns;
	if (syscall(SETATTR, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) {
		close(tree);
		close(userns);
		return false;
	}
	assert_int_equal(syscall(SYS_move_mount, tree, "", AT_FDCWD, MAPPED, EMPTY_FROM), 0);
	close(tree);
	close(userns);
	return true;
}

static void check_inside(const struct attach_fixture *scene, const char *path, int id)
{
	assert_int_equal(box_run(&scene->box, scratch_owner, path), id);
}

/* Where it is refused, nothing is left of it. */
static bool is_refused(struct attach_fixture *scene, const struct mc_attach_args *args)
{
	const unsigned needed = MC_FEATURE_OPEN_TREE_ATTR | MC_FEATURE_STATMOUNT_NS;

	if ((mc_core_features(scene->core) & needed) == needed)
		return false;
	scene_expect_refused(scene, args, MC_STEP_IDMAP, -EPERM);
	return true;
}

SCENE_TEST(a_mapped_source_is_mapped_for_the_container_too)
{
	struct mc_attach_args args;
	unsigned fds;

	if (!mount_mapped())
		return;
	assert_int_equal(scratch_owner(MAPPED "/file"), USER);
	assert_int_equal(scratch_owner(MAPPED "/user"), 0);
	scene_map_users(scene);
	args = scene_args(scene, "/mnt/a");
	args.source = MAPPED;
	args.idmap = true;
	if (is_refused(scene, &args))
		return;
	fds = hv_count_fds();
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(hv_count_fds(), fds);
	/* The numbers that the host sees, as the container numbers them. */
	check_inside(scene, "/mnt/a/file", USER);
	check_inside(scene, "/mnt/a/user", 0);
	assert_int_equal(chmod(DISK_SOURCE, 0777), 0);
	assert_int_equal(box_run(&scene->box, scratch_try_write, "/mnt/a/new"), 0);
	check_inside(scene, "/mnt/a/new", 0);
	assert_int_equal(scratch_owner(MAPPED "/new"), 0);
	assert_int_equal(scratch_owner(DISK_SOURCE "/new"), USER);
	assert_int_equal(scene_detach(scene, false), 0);
}

SCENE_TEST(the_owner_of_a_mapped_source_appears_as_another)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	if (!mount_mapped())
		return;
	args.source = MAPPED;
	args.as_uid = args.as_gid = OTHER + 1;
	if (is_refused(scene, &args))
		return;
	assert_int_equal(mc_attr_add(&args.attr, "ro"), 0);
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a", OTHER);
	check_inside(scene, "/mnt/a/file", OTHER);
	check_inside(scene, "/mnt/a/user", 0);
	assert_int_equal(box_run(&scene->box, scratch_try_write, "/mnt/a/new"), -EROFS);
	assert_int_equal(scene_detach(scene, false), 0);
}

/* As for the managed plugin: there a tree is not cloned again where it was not made. */
SCENE_TEST(the_host_may_be_in_another_namespace)
{
	struct mc_core_args core_args = scene_core_args();
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	if (!mount_mapped())
		return;
	core_args.host_pid = fork_host(NULL);
	mc_core_close(scene->core);
	assert_int_equal(mc_core_open(&core_args, &scene->core, &scene->err), 0);
	args.source = MAPPED;
	args.as_uid = args.as_gid = OTHER + 1;
	if (!is_refused(scene, &args)) {
		if (scene_attach_args(scene, &args) < 0)
			fail_msg("%s: %s", mc_step_name(scene->err.step),
				strerror(-scene->err.code));
		check_inside(scene, "/mnt/a/file", OTHER);
		check_inside(scene, "/mnt/a/user", 0);
		assert_int_equal(scene_detach(scene, false), 0);
	}
	assert_int_equal(kill(core_args.host_pid, SIGKILL), 0);
	assert_int_equal(waitpid(core_args.host_pid, NULL, 0), core_args.host_pid);
}

/* Whose map may be another. */
SCENE_TEST(a_mapped_source_with_a_mount_in_it_is_refused)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	if (!mount_mapped())
		return;
	scratch_mkdir(DISK_SOURCE "/below");
	scratch_bind(DISK_SOURCE "/below", MAPPED "/below");
	args.source = MAPPED;
	args.as_uid = args.as_gid = OTHER + 1;
	scene_expect_refused(scene, &args, MC_STEP_IDMAP, -EPERM);
	args.alone = true;
	if (is_refused(scene, &args))
		return;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	check_inside(scene, "/mnt/a/file", OTHER);
	assert_int_equal(scene_detach(scene, false), 0);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* The users of a mount, and trees with submounts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/busy.h"

#include "box.h"
#include "scratch.h"

enum { SUBMOUNTS = 20 };

static const char box_name[] = "in the box";

static int in_take_name(const char *name)
{
	return prctl(PR_SET_NAME, name) < 0 ? -errno : 0;
}

static int in_chroot(const char *path)
{
	static int home = -1;

	if (home < 0)
		home = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*path)
		return chroot(path) < 0 ? -errno : 0;
	return fchdir(home) < 0 || chroot(".") < 0 ? -errno : 0;
}

static int in_map(const char *path)
{
	static void *mapped;
	int fd;

	if (!*path)
		return munmap(mapped, 1) < 0 ? -errno : 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	mapped = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return mapped == MAP_FAILED ? -ENOMEM : 0;
}

static int detach_tree(struct attach_fixture *scene, const char *source, struct mc_busy *ret_busy)
{
	const struct mc_detach_args args = {
		.place = {.ns_fd = scene->ns.ns_fd, .root_fd = -1, .key = scene->ns.ino},
		.path = scene->info.path,
		.mount_id = scene->info.mount_id,
		.mountinfo_id = scene->info.mountinfo_id,
		.source = source,
		.made = &scene->info.made,
	};

	scene->err = (struct mc_err){0};
	return mc_detach(scene->core, &args, ret_busy, &scene->err);
}

static void check_entry(
	const struct attach_fixture *scene, const struct mc_busy *busy, enum mc_busy_why why)
{
	assert_int_equal(busy->count, 1);
	assert_int_equal(busy->entries[0].pid, scene->box.pid);
	assert_string_equal(mc_busy_why_name(busy->entries[0].why), mc_busy_why_name(why));
	assert_string_equal(busy->entries[0].command, box_name);
}

static void check_busy(struct attach_fixture *scene, box_fn fn, const char *path,
	const char *elsewhere, enum mc_busy_why why)
{
	const uint64_t ids[] = {1, scene->info.mountinfo_id};
	struct mc_busy busy = {0};

	assert_int_equal(box_run(&scene->box, fn, path), 0);
	assert_int_equal(mc_busy_find(scene->core, scene->ns.ino, ids, 2, &busy), 0);
	check_entry(scene, &busy, why);
	busy = (struct mc_busy){0};
	assert_int_equal(detach_tree(scene, SOURCE, &busy), -EBUSY);
	assert_int_equal(scene->err.step, MC_STEP_UMOUNT);
	check_entry(scene, &busy, why);
	assert_int_equal(mc_busy_find(scene->core, scene->ns.ino + 1, ids, 2, &busy), 0);
	assert_int_equal(busy.count, 0);
	assert_int_equal(mc_busy_find(scene->core, scene->ns.ino, ids, 1, &busy), 0);
	assert_int_equal(busy.count, 0);
	assert_int_equal(box_run(&scene->box, fn, elsewhere), 0);
	assert_int_equal(mc_busy_find(scene->core, scene->ns.ino, ids, 2, &busy), 0);
	assert_int_equal(busy.count, 0);
}

SCENE_TEST(each_reason_is_named_with_its_process)
{
	unsigned fds;

	assert_int_equal(box_run(&scene->box, in_take_name, box_name), 0);
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	fds = hv_count_fds();
	check_busy(scene, in_stand, "/mnt", "/", MC_BUSY_CWD);
	check_busy(scene, in_chroot, "/mnt", "", MC_BUSY_ROOT);
	check_busy(scene, in_hold, "/mnt/file", "", MC_BUSY_FILE);
	check_busy(scene, in_map, "/mnt/file", "", MC_BUSY_MAPPING);
	assert_int_equal(hv_count_fds(), fds);
	assert_int_equal(detach_tree(scene, SOURCE, NULL), 0);
}

static void open_with_submounts(struct attach_fixture *ret)
{
	char path[64];

	scratch_mkdir(SOURCE);
	scratch_mkdir(SOURCE "/plain");
	for (int i = 0; i < SUBMOUNTS; i++) {
		snprintf(path, sizeof(path), SOURCE "/sub%d", i);
		scratch_mkdir(path);
		scratch_mount_tmpfs(path);
		snprintf(path, sizeof(path), SOURCE "/sub%d/there", i);
		scratch_write(path);
	}
	scene_open(ret);
	assert_int_equal(box_run(&ret->box, in_take_name, box_name), 0);
	assert_int_equal(scene_attach(ret, "/mnt/a/b"), 0);
	assert_true(scratch_exists(box_path(&ret->box, "/mnt/a/b/sub7/there")));
}

NS_TEST(a_tree_with_submounts_is_detached_strictly)
{
	struct attach_fixture scene;
	struct mc_busy busy = {.count = 5};
	char options[256];

	open_with_submounts(&scene);
	assert_int_equal(detach_tree(&scene, SOURCE, &busy), 0);
	assert_false(scratch_exists(box_path(&scene.box, "/mnt/a")));
	mount_options(scene.box.pid, "/mnt/a/b/sub7", options);
	assert_string_equal(options, "");
	assert_true(scratch_exists(SOURCE "/sub7/there"));
	scene_close(&scene);
}

NS_TEST(a_used_submount_keeps_the_tree_and_is_told)
{
	struct attach_fixture scene;
	struct mc_busy busy = {0};
	char *before, *after;

	open_with_submounts(&scene);
	before = read_mounts(scene.box.pid);
	assert_int_equal(box_run(&scene.box, in_hold, "/mnt/a/b/sub7/there"), 0);
	assert_int_equal(detach_tree(&scene, SOURCE, &busy), -EBUSY);
	assert_int_equal(scene.err.step, MC_STEP_UMOUNT);
	check_entry(&scene, &busy, MC_BUSY_FILE);
	after = read_mounts(scene.box.pid);
	assert_string_equal(before, after);
	assert_int_equal(box_run(&scene.box, in_hold, ""), 0);
	assert_int_equal(detach_tree(&scene, SOURCE, &busy), 0);
	free(before);
	free(after);
	scene_close(&scene);
}

static void expect_foreign(struct attach_fixture *scene, const char *source)
{
	struct mc_busy busy = {.count = 5};
	char *before = read_mounts(scene->box.pid), *after;

	assert_int_equal(detach_tree(scene, source, &busy), -EBUSY);
	assert_int_equal(scene->err.step, MC_STEP_UMOUNT);
	assert_int_equal(busy.count, 0);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

NS_TEST(a_mount_that_the_container_made_below_stays)
{
	struct attach_fixture scene;

	open_with_submounts(&scene);
	expect_foreign(&scene, NULL); /* nothing to know them by */
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt/a/b/plain"), 0);
	expect_foreign(&scene, SOURCE);
	assert_int_equal(box_run(&scene.box, in_umount, "/mnt/a/b/plain"), 0);
	/* Over one of the source's own: another file system at a known place. */
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt/a/b/sub7"), 0);
	expect_foreign(&scene, SOURCE);
	assert_int_equal(box_run(&scene.box, in_umount, "/mnt/a/b/sub7"), 0);
	assert_int_equal(detach_tree(&scene, SOURCE, NULL), 0);
	scene_close(&scene);
}

SCENE_TEST(the_mount_of_a_working_directory_is_told)
{
	uint64_t before = 0, now = 0;
	pid_t pid;

	pid = scene->box.pid;
	assert_int_equal(box_run(&scene->box, in_stand, "/mnt"), 0);
	assert_int_equal(mc_busy_cwd(scene->core, pid, "/mnt", &before), 1);
	assert_int_equal(mc_busy_cwd(scene->core, pid, "/", &now), 1);
	assert_int_equal(now, before);
	assert_int_equal(mc_busy_cwd(scene->core, pid, "/mnt/a", &now), 0);
	assert_int_equal(mc_busy_cwd(scene->core, pid, "/mn", &now), 0);
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	assert_int_equal(mc_busy_cwd(scene->core, pid, "/mnt", &now), 1);
	assert_int_equal(now, before); /* the covered one */
	assert_int_equal(box_run(&scene->box, in_stand, "/mnt"), 0);
	assert_int_equal(mc_busy_cwd(scene->core, pid, "/mnt", &now), 1);
	assert_int_equal(now, scene->info.mountinfo_id);
	assert_int_equal(box_run(&scene->box, in_stand, "/"), 0);
	box_close(&scene->box);
	assert_int_equal(mc_busy_cwd(scene->core, pid, "/", &now), -ESRCH);
	box_open(&scene->box);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* A look at one mount says the same as the table, or that it is not sure.  Before Linux 6.12 it is
 * never sure. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/mount_look.h"

#include "box.h"
#include "scratch.h"

/* By the table. */
static enum mc_mount_is read_table(const struct attach_fixture *scene, const char *path)
{
	const struct mc_attach_info *info = &scene->info;
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount, cover;
	bool is_it = false;

	assert_int_equal(mc_mounts_read(scene->core, scene->ns.ns_fd, &mounts, NULL), 0);
	if (mc_mounts_find(mounts, info->mountinfo_id, &mount) < 0)
		return MC_MOUNT_GONE;
	assert_int_equal(mc_mount_has_id(scene->core, scene->ns.ns_fd, info->mountinfo_id,
				 info->mount_id, &is_it),
		0);
	if (!is_it)
		return MC_MOUNT_GONE;
	return strcmp(mount.target, path) != 0 ||
			       mc_mounts_find_cover(mounts, info->mountinfo_id, &cover)
		       ? MC_MOUNT_UNSURE
		       : MC_MOUNT_THERE;
}

static bool is_possible(const struct attach_fixture *scene)
{
	const unsigned needed = MC_FEATURE_STATMOUNT_NS | MC_FEATURE_CACHED;

	return (mc_core_features(scene->core) & needed) == needed;
}

/* The look says `wanted`, where it can, and the table does not say otherwise.  A mount anywhere on
 * the machine may make one look unsure. */
static void expect(const struct attach_fixture *scene, enum mc_mount_is wanted)
{
	const char *path = scene->info.path;
	enum mc_mount_is is = MC_MOUNT_UNSURE;

	for (int left = 100; left > 0 && is == MC_MOUNT_UNSURE; left--)
		is = mc_mount_look(scene->core, scene->ns.ns_fd, scene->info.mount_id, path);
	assert_int_equal(is, is_possible(scene) ? wanted : MC_MOUNT_UNSURE);
	if (wanted != MC_MOUNT_UNSURE)
		assert_int_equal(read_table(scene, path), wanted);
}

static int in_mkdir(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int in_move_away(const char *text)
{
	(void)text;
	if (mkdir("/mnt/other", 0755) < 0 || mount("/mnt/data", "/mnt/other", NULL, MS_MOVE, NULL))
		return -errno;
	return 0;
}

static int in_umount_lazily(const char *path)
{
	return umount2(path, MNT_DETACH) < 0 ? -errno : 0;
}

static int in_chroot(const char *path)
{
	return chroot(path) < 0 || chdir("/") < 0 ? -errno : 0;
}

SCENE_TEST(one_that_is_there_and_one_that_is_gone)
{
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_THERE);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/dev"), 0); /* elsewhere */
	expect(scene, MC_MOUNT_THERE);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_GONE);
	if (!is_possible(scene))
		return; /* the table may have its number for another one by now */
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_GONE);
}

SCENE_TEST(at_the_top_and_deep_below)
{
	static const char *const targets[] = {"/data", "/mnt/a/b/c/data"};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		assert_int_equal(scene_attach(scene, targets[i]), 0);
		expect(scene, MC_MOUNT_THERE);
	}
}

SCENE_TEST(one_that_is_covered_by_a_mount_on_it)
{
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	for (int i = 0; i < 2; i++) /* a stack */
		assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_UNSURE);
	assert_int_equal(read_table(scene, "/mnt/data"), MC_MOUNT_UNSURE);
	for (int i = 0; i < 2; i++)
		assert_int_equal(box_run(&scene->box, in_umount, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_THERE);
}

SCENE_TEST(one_that_is_covered_at_a_directory_above)
{
	static const char *const covers[] = {"/mnt/a", "/mnt"};

	assert_int_equal(scene_attach(scene, "/mnt/a/data"), 0);
	for (size_t i = 0; i < sizeof(covers) / sizeof(covers[0]); i++) {
		assert_int_equal(box_run(&scene->box, in_mount_tmpfs, covers[i]), 0);
		expect(scene, MC_MOUNT_UNSURE);
		assert_int_equal(read_table(scene, "/mnt/a/data"), MC_MOUNT_UNSURE);
		/* The same path leads to a directory in the cover now. */
		assert_int_equal(box_run(&scene->box, in_mkdir, "/mnt/a"), 0);
		assert_int_equal(box_run(&scene->box, in_mkdir, "/mnt/a/data"), 0);
		expect(scene, MC_MOUNT_UNSURE);
		assert_int_equal(box_run(&scene->box, in_umount, covers[i]), 0);
		expect(scene, MC_MOUNT_THERE);
	}
}

SCENE_TEST(one_that_was_moved_or_whose_directory_was_renamed)
{
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	assert_int_equal(
		rename(box_path(&scene->box, "/mnt/data"), box_path(&scene->box, "/mnt/b")),
		0); /* from outside: inside it is busy */
	expect(scene, MC_MOUNT_UNSURE);
	assert_int_equal(read_table(scene, "/mnt/data"), MC_MOUNT_UNSURE);
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	assert_int_equal(box_run(&scene->box, in_move_away, ""), 0);
	expect(scene, MC_MOUNT_UNSURE);
	assert_int_equal(read_table(scene, "/mnt/data"), MC_MOUNT_UNSURE);
}

SCENE_TEST(one_whose_directory_was_removed_from_outside)
{
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	assert_int_equal(rmdir(box_path(&scene->box, "/mnt/data")), 0);
	expect(scene, MC_MOUNT_GONE);
}

/* On another mount than the root, or with one in it: it is for the table. */
SCENE_TEST(one_below_or_above_another_mount)
{
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_UNSURE);
	assert_int_equal(read_table(scene, "/mnt/data"), MC_MOUNT_THERE);
	assert_int_equal(box_run(&scene->box, in_umount_lazily, "/mnt"), 0);
	expect(scene, MC_MOUNT_GONE);
	scratch_mkdir(SOURCE "/sub");
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/data/sub"), 0);
	expect(scene, MC_MOUNT_UNSURE);
	assert_int_equal(read_table(scene, "/mnt/data"), MC_MOUNT_THERE);
}

/* The process's root is no measure: the namespace's is. */
SCENE_TEST(with_a_process_that_has_another_root)
{
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	assert_int_equal(box_run(&scene->box, in_mkdir, "/mnt/root"), 0);
	assert_int_equal(box_run(&scene->box, in_mkdir, "/mnt/root/mnt"), 0);
	assert_int_equal(box_run(&scene->box, in_mkdir, "/mnt/root/mnt/data"), 0);
	assert_int_equal(box_run(&scene->box, in_chroot, "/mnt/root"), 0);
	expect(scene, MC_MOUNT_THERE);
}

SCENE_TEST(in_a_container_with_a_user_namespace)
{
	scene_map_users(scene);
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_THERE);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	expect(scene, MC_MOUNT_UNSURE);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt"), 0);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_GONE);
}

static int in_mount_over_root(const char *text)
{
	(void)text;
	return mount("over", "/", "tmpfs", 0, NULL) < 0 ? -errno : 0;
}

/* The processes keep the old root; a thread that enters has the new one, and so has the table. */
SCENE_TEST(below_a_mount_over_the_root)
{
	static const char *const targets[] = {"/mnt/data", "/data"};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		assert_int_equal(scene_attach(scene, targets[i]), 0);
		assert_int_equal(box_run(&scene->box, in_mount_over_root, ""), 0);
		expect(scene, MC_MOUNT_UNSURE);
		scene_close(scene);
		scene_open(scene);
	}
}

/* Until they are as wanted: a mount anywhere on the machine may make a look unsure. */
static void look_at_all(const struct attach_fixture *scene, struct mc_mount_look *looks,
	const enum mc_mount_is *wanted, size_t count)
{
	bool are_as_wanted = false;

	for (int left = 100; left > 0 && !are_as_wanted; left--) {
		mc_mounts_look(scene->core, scene->ns.ns_fd, looks, count);
		are_as_wanted = true;
		for (size_t i = 0; i < count; i++)
			are_as_wanted &=
				looks[i].is == (is_possible(scene) ? wanted[i] : MC_MOUNT_UNSURE);
	}
	assert_true(are_as_wanted);
}

SCENE_TEST(several_at_once_are_told_apart)
{
	static const char *const targets[] = {"/two/data", "/one/data", "/data"};
	struct mc_mount_look looks[3];

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(scene_attach(scene, targets[i]), 0);
		looks[i] = (struct mc_mount_look){
			.mount_id = scene->info.mount_id, .path = targets[i]};
	}
	look_at_all(scene, looks,
		(enum mc_mount_is[]){MC_MOUNT_THERE, MC_MOUNT_THERE, MC_MOUNT_THERE}, 3);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/two"), 0);
	look_at_all(scene, looks,
		(enum mc_mount_is[]){MC_MOUNT_UNSURE, MC_MOUNT_THERE, MC_MOUNT_THERE}, 3);
	assert_int_equal(box_run(&scene->box, in_umount, "/data"), 0);
	look_at_all(scene, looks,
		(enum mc_mount_is[]){MC_MOUNT_UNSURE, MC_MOUNT_THERE, MC_MOUNT_GONE}, 3);
	mc_mounts_look(scene->core, scene->ns.ns_fd, looks, 0);
}

SCENE_TEST(a_look_leaves_no_descriptor)
{
	unsigned fds = hv_count_fds();

	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	expect(scene, MC_MOUNT_THERE);
	assert_int_equal(
		mc_mount_look(scene->core, -1, scene->info.mount_id, "/mnt/data"), MC_MOUNT_UNSURE);
	assert_int_equal(
		mc_mount_look(scene->core, scene->ns.ns_fd, 0, "/mnt/data"), MC_MOUNT_UNSURE);
	assert_int_equal(mc_mount_look(scene->core, scene->ns.ns_fd, scene->info.mount_id, "/"),
		MC_MOUNT_UNSURE);
	assert_int_equal(hv_count_fds(), fds);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* An attach that is a slave of its source: later mounts of the host below the source come and go in
 * the box, and nothing comes back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "mountcore/source.h"

#include "box.h"
#include "scratch.h"

#define SUB SOURCE "/sub"

/* The tree of the host that SOURCE is on is shared, as systemd has it; the box was made before. */
static struct mc_attach_args open_shared(const struct attach_fixture *scene)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	scratch_mkdir(SUB);
	scratch_make_shared(hv_sandbox);
	args.is_slave = 1;
	return args;
}

static void attach_slave(struct attach_fixture *scene)
{
	const struct mc_attach_args args = open_shared(scene);

	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_true(box_has_file(&scene->box, "/mnt/a/file"));
}

/* A file system of the host's, with a file in it. */
static void mount_at(const char *path, const char *file)
{
	scratch_mount_tmpfs(path);
	scratch_write(file);
}

static void mount_sub(void)
{
	mount_at(SUB, SUB "/new");
}

static bool has(const struct attach_fixture *scene, const char *path)
{
	return scratch_exists(box_path(&scene->box, path));
}

static int detach(struct attach_fixture *scene, bool lazy)
{
	const struct mc_detach_args args = {
		.place = scene_args(scene, "/mnt/a").place,
		.path = scene->info.path,
		.mount_id = scene->info.mount_id,
		.root = scene->info.source,
		.mountinfo_id = scene->info.mountinfo_id,
		.source = SOURCE,
		.lazy = lazy,
		.made = &scene->info.made,
		.is_slave = 1,
	};

	scene->err = (struct mc_err){0};
	return mc_detach(scene->core, &args, NULL, &scene->err);
}

/* It goes with all that is below, and the box is as it was. */
static void expect_detached(struct attach_fixture *scene, const char *before)
{
	unsigned fds = hv_count_fds();
	char *after;

	if (detach(scene, false) < 0)
		fail_msg("%s: %s", mc_step_name(scene->err.step), strerror(-scene->err.code));
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	assert_false(has(scene, "/mnt/a"));
	assert_int_equal(hv_count_fds(), fds);
	free(after);
}

static enum mc_source_is compare(const struct attach_fixture *scene)
{
	mc_auto_mounts mounts = NULL;
	struct mc_source_args args = {
		.source = SOURCE,
		.root = scene->info.source,
		.mountinfo_id = scene->info.mountinfo_id,
		.is_slave = 1,
	};
	enum mc_source_is is = MC_SOURCE_NONE;

	assert_int_equal(mc_mounts_read(scene->core, scene->ns.ns_fd, &mounts, NULL), 0);
	args.mounts = mounts;
	assert_int_equal(mc_source_compare(scene->core, &args, &is, NULL), 0);
	return is;
}

SCENE_TEST(a_later_mount_of_the_host_comes_and_goes)
{
	char *before = read_mounts(scene->box.pid);

	attach_slave(scene);
	assert_false(has(scene, "/mnt/a/sub/new"));
	mount_sub();
	assert_true(has(scene, "/mnt/a/sub/new"));
	assert_int_equal(compare(scene), MC_SOURCE_SAME);
	scratch_umount(SUB);
	assert_false(has(scene, "/mnt/a/sub/new"));
	assert_int_equal(compare(scene), MC_SOURCE_SAME);
	expect_detached(scene, before);
	free(before);
}

SCENE_TEST(a_private_attach_does_not_show_it)
{
	struct mc_attach_args args = open_shared(scene);

	args.is_slave = 0;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	mount_sub();
	assert_false(has(scene, "/mnt/a/sub/new"));
	assert_true(has(scene, "/mnt/a/sub"));
}

SCENE_TEST(a_mount_of_the_box_does_not_reach_the_host)
{
	char *before, *after;

	attach_slave(scene);
	before = read_mounts(getpid());
	assert_int_equal(box_run(&scene->box, in_share, "/mnt/a"), 0); /* for whom it likes */
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/a/sub"), 0);
	after = read_mounts(getpid());
	assert_string_equal(before, after);
	free(before);
	free(after);
}

SCENE_TEST(an_unmount_of_the_box_does_not_reach_the_host)
{
	char *before, *after;

	attach_slave(scene);
	mount_sub();
	before = read_mounts(getpid());
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt/a/sub"), 0);
	after = read_mounts(getpid());
	assert_string_equal(before, after);
	assert_int_equal(compare(scene), MC_SOURCE_MOUNTS);
	free(before);
	free(after);
}

SCENE_TEST(a_detach_takes_later_mounts_along)
{
	char *before = read_mounts(scene->box.pid);

	attach_slave(scene);
	mount_sub();
	scratch_mkdir(SUB "/deep");
	mount_at(SUB "/deep", SUB "/deep/new");
	assert_true(has(scene, "/mnt/a/sub/deep/new"));
	expect_detached(scene, before);
	free(before);
}

SCENE_TEST(a_file_in_use_in_a_later_mount_makes_a_strict_detach_busy)
{
	attach_slave(scene);
	mount_sub();
	assert_int_equal(box_run(&scene->box, in_hold, "/mnt/a/sub/new"), 0);
	assert_int_equal(detach(scene, false), -EBUSY);
	assert_true(has(scene, "/mnt/a/sub/new"));
	/* The host, too, has to wait for the box, or to be lazy. */
	assert_int_equal(umount2(SUB, 0), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(umount2(SUB, MNT_DETACH), 0);
	assert_false(has(scene, "/mnt/a/sub/new"));
	assert_int_equal(box_run(&scene->box, in_hold, ""), 0);
	assert_int_equal(detach(scene, false), 0);
}

/* Something of the box's own below ours, or on the host's mount, is no part of the source. */
SCENE_TEST(a_mount_of_the_box_on_a_later_one_makes_a_strict_detach_busy)
{
	char *before = read_mounts(scene->box.pid), *after;

	attach_slave(scene);
	mount_sub();
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/a/sub"), 0);
	assert_int_equal(detach(scene, false), -EBUSY);
	scratch_umount(SUB); /* beneath the one of the box */
	assert_int_equal(detach(scene, false), -EBUSY);
	assert_int_equal(detach(scene, true), 0);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* propagate_umount() of the kernel takes no mount that another one is in. */
SCENE_TEST(a_later_mount_with_another_in_it_stays)
{
	char *before = read_mounts(scene->box.pid), *after;

	attach_slave(scene);
	mount_sub();
	scratch_mkdir(SUB "/deep");
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/a/sub/deep"), 0);
	scratch_umount(SUB);
	assert_true(has(scene, "/mnt/a/sub/new"));
	assert_int_equal(detach(scene, false), -EBUSY);
	assert_int_equal(detach(scene, true), 0);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* A disk that is mounted on the volume's own directory: twice, one on the other. */
SCENE_TEST(what_is_mounted_on_the_source_itself_is_on_top)
{
	char *before = read_mounts(scene->box.pid);

	attach_slave(scene);
	for (unsigned i = 0; i < 2; i++) {
		mount_at(SOURCE, SOURCE "/disk");
		assert_true(has(scene, "/mnt/a/disk"));
		assert_false(has(scene, "/mnt/a/file"));
		assert_int_equal(compare(scene), MC_SOURCE_SAME);
	}
	scratch_mkdir(SUB);
	mount_sub();
	assert_true(has(scene, "/mnt/a/sub/new"));
	assert_int_equal(compare(scene), MC_SOURCE_SAME);
	scratch_umount(SUB);
	scratch_umount(SOURCE);
	expect_detached(scene, before);
	scratch_umount(SOURCE);
	free(before);
}

SCENE_TEST(a_file_in_use_in_what_is_on_top_makes_a_strict_detach_busy)
{
	char *before, *after;

	attach_slave(scene);
	mount_at(SOURCE, SOURCE "/disk");
	assert_int_equal(box_run(&scene->box, in_hold, "/mnt/a/disk"), 0);
	before = read_mounts(scene->box.pid);
	assert_int_equal(detach(scene, false), -EBUSY);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	assert_int_equal(detach(scene, true), 0);
	assert_false(has(scene, "/mnt/a"));
	free(before);
	free(after);
}

/* A detach is refused, strict and lazy, and the box is as it was. */
static void expect_left_alone(struct attach_fixture *scene, int strict, int lazy)
{
	char *before = read_mounts(scene->box.pid), *after;

	assert_int_equal(detach(scene, false), strict);
	assert_int_equal(detach(scene, true), lazy);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

SCENE_TEST(what_the_box_mounts_on_top_is_not_taken)
{
	attach_slave(scene);
	mount_at(SOURCE, SOURCE "/disk");
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/a"), 0);
	assert_int_equal(compare(scene), MC_SOURCE_OTHER);
	expect_left_alone(scene, -EBUSY, -ESTALE);
}

/* Between a look of the caller and the detach. */
SCENE_TEST(a_directory_renamed_to_a_shorter_name_is_left_alone)
{
	struct mc_attach_args args = open_shared(scene);

	args.target = "/mnt/longer/a";
	assert_int_equal(scene_attach_args(scene, &args), 0);
	mount_at(SOURCE, SOURCE "/disk");
	assert_int_equal(
		rename(box_path(&scene->box, "/mnt/longer"), box_path(&scene->box, "/mnt/b")), 0);
	assert_true(has(scene, "/mnt/b/a/disk"));
	expect_left_alone(scene, -ENOENT, -ENOENT);
}

SCENE_TEST(nothing_can_propagate_from_a_private_mount)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	args.is_slave = 1;
	scene_expect_refused(scene, &args, MC_STEP_PROPAGATION, -EINVAL);
}

/* The machine's other namespaces reach a host that is their slave, as a daemon with
 * MountFlags=slave is; and so they reach the box. */
SCENE_TEST(a_slave_of_another_mount_passes_its_mounts_on)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");

	scratch_mkdir("/tmp/master");
	scratch_mount_tmpfs("/tmp/master");
	scratch_mkdir("/tmp/master/sub");
	scratch_make_shared("/tmp/master");
	scratch_bind("/tmp/master", SOURCE);
	assert_int_equal(mount(NULL, SOURCE, NULL, MS_SLAVE, NULL), 0);
	args.is_slave = 1;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	mount_at("/tmp/master/sub", "/tmp/master/sub/new");
	assert_true(has(scene, "/mnt/a/sub/new"));
	assert_int_equal(detach(scene, false), 0);
}

SCENE_TEST(a_slave_is_not_locked)
{
	struct mc_attach_args args = open_shared(scene);

	args.lock = true;
	scene_expect_refused(scene, &args, MC_STEP_SETUP, -EINVAL);
}

/* The attributes of the attach are those of its own mounts only. */
SCENE_TEST(a_later_mount_has_the_attributes_of_the_host)
{
	struct mc_attach_args args = open_shared(scene);
	char options[256];

	assert_int_equal(mc_attr_add(&args.attr, "ro"), 0);
	assert_int_equal(scene_attach_args(scene, &args), 0);
	mount_sub();
	mount_options(scene->box.pid, "/mnt/a", options);
	assert_memory_equal(options, "ro", 2);
	mount_options(scene->box.pid, "/mnt/a/sub", options);
	assert_memory_equal(options, "rw", 2);
}

SCENE_TEST(it_is_the_same_in_a_user_namespace)
{
	char *before;

	scene_map_users(scene);
	before = read_mounts(scene->box.pid);
	attach_slave(scene);
	mount_sub();
	assert_true(has(scene, "/mnt/a/sub/new"));
	mount_at(SOURCE, SOURCE "/disk");
	assert_true(has(scene, "/mnt/a/disk"));
	assert_int_equal(compare(scene), MC_SOURCE_SAME);
	expect_detached(scene, before);
	scratch_umount(SOURCE);
	scratch_umount(SUB);
	free(before);
}

TEST_MAIN_PRIVILEGED()

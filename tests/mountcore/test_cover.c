/* SPDX-License-Identifier: Apache-2.0 */
/* The directory that an attach covers, and its users. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cover.h"

#include "box.h"
#include "scratch.h"

static int in_fill(const char *path)
{
	char name[PATH_MAX];

	for (int i = 0; i <= MC_COVER_ENTRIES_MAX + 1; i++) {
		int fd;

		snprintf(name, sizeof(name), "%s/%d", path, i);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	return 0;
}

static int in_make(const char *path)
{
	return mkdir(path, 0755) < 0 ? -errno : 0;
}

/* Look as if SOURCE were attached to `target`. */
static void look(struct attach_fixture *scene, const char *target, enum mc_replace replace,
	struct mc_cover *ret)
{
	const struct mc_own own = {scene->info.mount_id, scene->info.source};
	struct mc_attach_args args = scene_args(scene, target);
	struct mc_attach *attach = NULL;
	struct mc_mounts *mounts = NULL;

	args.replace = replace;
	args.own = &own;
	args.own_count = replace != MC_REPLACE_NO && own.mount_id;
	assert_int_equal(mc_attach_prepare(scene->core, &args, &attach, &scene->err), 0);
	assert_int_equal(mc_cover_mounts(attach, &mounts), 0);
	mc_cover_look(attach, mounts, ret);
	mc_mounts_free(mounts);
	mc_attach_free(attach);
}

static void expect_user(struct attach_fixture *scene, const char *target, enum mc_busy_why why)
{
	struct mc_cover cover;

	look(scene, target, MC_REPLACE_NO, &cover);
	assert_int_equal(cover.users.count, 1);
	assert_int_equal(cover.users.entries[0].pid, scene->box.pid);
	assert_int_equal(cover.users.entries[0].why, why);
	assert_string_not_equal(cover.users.entries[0].command, "");
}

static void expect_no_user(struct attach_fixture *scene, const char *target)
{
	struct mc_cover cover;

	look(scene, target, MC_REPLACE_NO, &cover);
	assert_int_equal(cover.users.count, 0);
}

NS_TEST(who_is_in_the_covered_directory_is_found)
{
	struct attach_fixture scene;
	unsigned fds;

	scene_open(&scene);
	assert_int_equal(box_run(&scene.box, in_make, "/mnt/data"), 0);
	assert_int_equal(box_run(&scene.box, in_make, "/mnt/data/sub"), 0);
	assert_int_equal(box_run(&scene.box, in_make, "/mnt/database"), 0);
	fds = hv_count_fds();
	expect_no_user(&scene, "/mnt/data");
	assert_int_equal(box_run(&scene.box, in_stand, "/mnt/data/sub"), 0);
	expect_user(&scene, "/mnt/data", MC_BUSY_CWD);
	expect_user(&scene, "/mnt/data/sub", MC_BUSY_CWD);
	expect_no_user(&scene, "/mnt/database");
	assert_int_equal(box_run(&scene.box, in_stand, "/mnt/data"), 0);
	expect_user(&scene, "/mnt/data", MC_BUSY_CWD);
	expect_no_user(&scene, "/mnt/data/sub");
	expect_no_user(&scene, "/mnt/data/new"); /* a made directory has no users */
	assert_int_equal(box_run(&scene.box, in_stand, "/mnt/database"), 0);
	expect_no_user(&scene, "/mnt/data");
	assert_int_equal(box_run(&scene.box, in_hold, "/mnt/data/sub"), 0);
	expect_user(&scene, "/mnt/data", MC_BUSY_FILE);
	assert_int_equal(box_run(&scene.box, in_hold, ""), 0);
	assert_int_equal(box_run(&scene.box, in_stand, "/"), 0);
	assert_int_equal(hv_count_fds(), fds);
	scene_close(&scene);
}

SCENE_TEST(who_uses_what_was_covered_before_is_none)
{
	struct mc_cover cover;

	assert_int_equal(box_run(&scene->box, in_make, "/mnt/data"), 0);
	assert_int_equal(box_run(&scene->box, in_stand, "/mnt/data"), 0);
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	/* The same path, but not what is covered now. */
	look(scene, "/mnt/data", MC_REPLACE_ANYHOW, &cover);
	assert_int_equal(cover.users.count, 0);
	assert_int_equal(cover.entries, 0); /* one's own mount, which is taken out */
	assert_int_equal(box_run(&scene->box, in_stand, "/mnt/data"), 0);
	look(scene, "/mnt/data", MC_REPLACE_ANYHOW, &cover);
	assert_int_equal(cover.users.count, 1);
	assert_int_equal(box_run(&scene->box, in_stand, "/"), 0);
	assert_int_equal(scene_detach(scene, false), 0);
}

static void expect_entries(struct attach_fixture *scene, const char *target, unsigned entries)
{
	struct mc_cover cover;

	for (int i = 0; i < 2; i++) {
		scene->may_mount = i; /* by a worker, by a helper */
		look(scene, target, MC_REPLACE_NO, &cover);
		assert_int_equal(cover.entries, entries);
	}
	scene->may_mount = false;
}

NS_TEST(what_is_in_the_covered_directory_is_counted)
{
	struct attach_fixture scene;

	scene_open(&scene);
	assert_int_equal(box_run(&scene.box, in_make, "/mnt/data"), 0);
	expect_entries(&scene, "/mnt/data", 0);
	assert_int_equal(box_run(&scene.box, in_make, "/mnt/data/.sub"), 0);
	expect_entries(&scene, "/mnt/data", 1);
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt/data/.sub"), 0);
	expect_entries(&scene, "/mnt/data", 0); /* that is a mount, and told so */
	assert_int_equal(box_run(&scene.box, in_fill, "/mnt/data"), 0);
	expect_entries(&scene, "/mnt/data", MC_COVER_ENTRIES_MAX + 1);
	expect_entries(&scene, "/mnt/data/new", 0);
	scene_close(&scene);
}

TEST_MAIN_PRIVILEGED()

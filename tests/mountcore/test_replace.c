/* SPDX-License-Identifier: Apache-2.0 */
/* Replacing what is mounted at a target. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "scratch.h"

/* The reader of the box: opens a file until that fails, which ends it. */
static pid_t reader;

static int in_start_reader(const char *path)
{
	int started[2], fd;
	char byte = 0;

	if (pipe(started) < 0)
		return -errno;
	reader = fork();
	if (reader > 0) {
		close(started[1]);
		fd = read(started[0], &byte, 1) == 1 ? 0 : -EIO;
		close(started[0]);
		return fd;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (bool first = true; (fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0; first = false) {
		close(fd);
		if (first && write(started[1], &byte, 1) != 1)
			break;
	}
	_exit(1);
}

static int in_stop_reader(const char *text)
{
	int status = 0;

	(void)text;
	kill(reader, SIGTERM);
	if (waitpid(reader, &status, 0) != reader)
		return -ECHILD;
	return WIFSIGNALED(status) ? 0 : -EIO;
}

static unsigned count_mounts_at(const struct attach_fixture *scene, const char *target)
{
	char *text = read_mounts(scene->box.pid), *next = text;
	unsigned count = 0;

	for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
		char at[256];

		if (sscanf(line, "%*u %*u %*s %*s %255s", at) == 1)
			count += strcmp(at, target) == 0;
	}
	free(text);
	return count;
}

static void replace_many(enum mc_replace replace, bool has_reader)
{
	static const char *const sources[] = {SOURCE, "/tmp/other"};
	struct attach_fixture scene;
	struct mc_attach_args args;
	struct mc_own own;

	scene_open(&scene);
	scratch_mkdir("/tmp/other");
	scratch_write("/tmp/other/file");
	assert_int_equal(scene_attach(&scene, "/mnt"), 0);
	args = scene_args(&scene, "/mnt");
	args.source = sources[1];
	scene_expect_refused(&scene, &args, MC_STEP_OCCUPIED, -EBUSY);
	args.replace = replace;
	if (has_reader)
		assert_int_equal(box_run(&scene.box, in_start_reader, "/mnt/file"), 0);
	for (unsigned i = 1; i <= 101; i++) {
		own = (struct mc_own){scene.info.mount_id, scene.info.source};
		args.own = &own;
		args.own_count = 1;
		args.source = sources[i % 2];
		assert_int_equal(scene_attach_args(&scene, &args), 0);
		assert_int_not_equal(scene.info.mount_id, own.mount_id);
		assert_int_equal(box_has_file(&scene.box, "/mnt/file"), i % 2 == 0);
		assert_int_equal(count_mounts_at(&scene, "/mnt"), 1);
	}
	if (has_reader)
		assert_int_equal(box_run(&scene.box, in_stop_reader, ""), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(count_mounts_at(&scene, "/mnt"), 0);
	scene_close(&scene);
}

/* Before 6.5 an atomic replacement is refused, and the old mount stays. */
static bool refuses_to_go_beneath(void)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	struct mc_own own;

	if (scratch_kernel_goes_beneath())
		return false;
	scene_open(&scene);
	assert_int_equal(scene_attach(&scene, "/mnt"), 0);
	own = (struct mc_own){scene.info.mount_id, scene.info.source};
	args = scene_args(&scene, "/mnt");
	args.replace = MC_REPLACE_ATOMIC;
	args.own = &own;
	args.own_count = 1;
	scene_expect_refused(&scene, &args, MC_STEP_REPLACE, -EOPNOTSUPP);
	assert_int_equal(count_mounts_at(&scene, "/mnt"), 1);
	scene_close(&scene);
	return true;
}

NS_TEST(an_atomic_replacement_is_never_seen_missing)
{
	if (!refuses_to_go_beneath())
		replace_many(MC_REPLACE_ATOMIC, true);
}

NS_TEST(a_replacement_anyhow_takes_the_old_mount_out)
{
	replace_many(MC_REPLACE_ANYHOW, false);
}

/* A covered mount of the container is visible again after the detach. */
SCENE_TEST(replacing_covers_what_the_container_mounted)
{
	struct mc_attach_args args;

	for (int replace = MC_REPLACE_ATOMIC; replace <= MC_REPLACE_ANYHOW; replace++) {
		args = scene_args(scene, "/mnt/new");
		args.replace = (enum mc_replace)replace;
		assert_int_equal(scene_attach_args(scene, &args), 0);
		assert_false(scene->info.is_covering);
		assert_int_equal(scene_detach(scene, false), 0);
		assert_false(scratch_exists(box_path(&scene->box, "/mnt/new")));
	}
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	scratch_write(box_path(&scene->box, "/mnt/below"));
	for (int replace = MC_REPLACE_ATOMIC; replace <= MC_REPLACE_ANYHOW; replace++) {
		args.target = "/mnt"; /* the container's own */
		args.replace = (enum mc_replace)replace;
		assert_int_equal(scene_attach_args(scene, &args), 0);
		assert_true(scene->info.is_covering);
		assert_true(box_has_file(&scene->box, "/mnt/file"));
		assert_int_equal(count_mounts_at(scene, "/mnt"), 2);
		assert_int_equal(scene_detach(scene, false), 0);
		assert_int_equal(count_mounts_at(scene, "/mnt"), 1);
		assert_true(scratch_exists(box_path(&scene->box, "/mnt/below")));
	}
}

SCENE_TEST(replacing_ones_own_leaves_what_is_below_it)
{
	static const char *const sources[] = {SOURCE, "/tmp/other"};
	int first = scratch_kernel_goes_beneath() ? MC_REPLACE_ATOMIC : MC_REPLACE_ANYHOW;
	struct mc_attach_args args;
	struct mc_own own;

	scratch_mkdir("/tmp/other");
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	scratch_write(box_path(&scene->box, "/mnt/below"));
	args = scene_args(scene, "/mnt");
	args.replace = MC_REPLACE_ATOMIC;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	for (int replace = first; replace <= MC_REPLACE_ANYHOW; replace++) {
		own = (struct mc_own){scene->info.mount_id, scene->info.source};
		args.own = &own;
		args.own_count = 1;
		args.replace = (enum mc_replace)replace;
		args.source = sources[replace % 2];
		assert_int_equal(scene_attach_args(scene, &args), 0);
		assert_false(scene->info.is_covering);
		assert_int_equal(count_mounts_at(scene, "/mnt"), 2);
	}
	assert_int_equal(scene_detach(scene, false), 0);
	assert_true(scratch_exists(box_path(&scene->box, "/mnt/below")));
	/* A mount of its own that shares with others is nobody's place. */
	assert_int_equal(box_run(&scene->box, in_share, "/mnt"), 0);
	args.own_count = 0;
	scene_expect_refused(scene, &args, MC_STEP_SHARED, -EINVAL);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* Attaches that succeed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"

#include "box.h"
#include "scratch.h"

/* A mount of the machine may go meanwhile, also in a copy of its namespace: with the directory that
 * it was on. */
static void assert_nothing_new(const char *before, char *after)
{
	char *rest = after;

	for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (!strstr(before, line))
			fail_msg("there is a new mount: %s", line);
}

SCENE_TEST(an_existing_target_shows_the_files_both_ways)
{
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	assert_int_equal(scene->err.code, 0);
	assert_true(box_has_file(&scene->box, "/mnt/file"));
	scratch_write(box_path(&scene->box, "/mnt/answer"));
	assert_int_equal(access(SOURCE "/answer", F_OK), 0);
	assert_string_equal(scene->info.path, "/mnt");
	assert_int_equal(scene->info.to_make, 0);
	assert_int_equal(scene->info.made.count, 0);
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_not_equal(access(box_path(&scene->box, "/mnt/file"), F_OK), 0);
	assert_int_equal(access(box_path(&scene->box, "/mnt"), F_OK), 0);
}

static void check_made(
	const struct attach_fixture *scene, const char *path, const struct mc_file_id *id)
{
	char outer[PATH_MAX];
	struct stat stat_buffer;

	snprintf(outer, sizeof(outer), "/proc/%d/root%s", (int)scene->box.pid, path);
	assert_int_equal(lstat(outer, &stat_buffer), 0);
	assert_int_equal(stat_buffer.st_mode, S_IFDIR | 0755);
	assert_int_equal(stat_buffer.st_ino, id->ino);
	assert_int_equal(stat_buffer.st_dev, id->dev);
}

NS_TEST(missing_directories_are_made_and_removed_again)
{
	struct attach_fixture scene;
	unsigned files;

	umask(077); /* must not show */
	scene_open(&scene);
	files = box_count_files(&scene.box);
	assert_int_equal(scene_attach(&scene, "/mnt/a/b/c"), 0);
	assert_true(box_has_file(&scene.box, "/mnt/a/b/c/file"));
	assert_string_equal(scene.info.path, "/mnt/a/b/c");
	assert_int_equal(scene.info.to_make, 3);
	assert_int_equal(scene.info.made.count, 3);
	check_made(&scene, "/mnt/a", &scene.info.made.ids[0]);
	check_made(&scene, "/mnt/a/b", &scene.info.made.ids[1]);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(box_count_files(&scene.box), files);
	scene_close(&scene);
}

SCENE_TEST(what_was_prepared_only_leaves_nothing)
{
	struct mc_attach *attach = NULL;
	struct mc_attach_args args;
	unsigned files, fds;
	char *before, *after;

	args = scene_args(scene, "/mnt/a/b");
	files = box_count_files(&scene->box);
	before = read_mounts(scene->box.pid);
	fds = hv_count_fds();
	assert_int_equal(mc_attach_prepare(scene->core, &args, &attach, NULL), 0);
	assert_string_equal(mc_attach_info(attach)->path, "/mnt/a/b");
	assert_int_equal(mc_attach_info(attach)->to_make, 2);
	assert_int_not_equal(mc_attach_info(attach)->mount_id, 0);
	assert_int_not_equal(mc_attach_info(attach)->source.ino, 0);
	mc_attach_free(attach);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	assert_int_equal(box_count_files(&scene->box), files);
	assert_int_equal(hv_count_fds(), fds);
	free(before);
	free(after);
}

NS_TEST(read_only_holds_in_submounts_of_the_source_too)
{
	struct attach_fixture scene;
	struct mc_attach_args args;

	assert_int_equal(mkdir(SOURCE, 0755), 0);
	assert_int_equal(mkdir(SOURCE "/below", 0755), 0);
	scratch_mount_tmpfs(SOURCE "/below");
	scene_open(&scene);
	args = scene_args(&scene, "/mnt");
	assert_int_equal(mc_attr_add(&args.attr, "ro"), 0);
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(scratch_try_write(box_path(&scene.box, "/mnt/x")), -EROFS);
	assert_int_equal(scratch_try_write(box_path(&scene.box, "/mnt/below/x")), -EROFS);
	assert_int_equal(scratch_try_write(SOURCE "/x"), 0);
	assert_int_equal(scratch_try_write(SOURCE "/below/x"), 0);
	assert_int_equal(access(box_path(&scene.box, "/mnt/below/x"), F_OK), 0);
	scene_close(&scene);
}

SCENE_TEST(the_options_are_seen_in_the_container_s_mount_table)
{
	static const char *const names[] = {"ro", "nosuid", "nodev", "noexec", "noatime"};
	struct mc_attach_args args;
	char options[256];

	args = scene_args(scene, "/mnt");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(mc_attr_add(&args.attr, names[i]), 0);
	assert_int_equal(scene_attach_args(scene, &args), 0);
	mount_options(scene->box.pid, "/mnt", options);
	assert_string_equal(options, "ro,nosuid,nodev,noexec,noatime");
}

NS_TEST(mounts_do_not_spread_between_a_shared_source_and_the_container)
{
	struct attach_fixture scene;
	char *before, *after;

	assert_int_equal(mkdir(SOURCE, 0755), 0);
	scratch_mount_tmpfs(SOURCE);
	scratch_make_shared(SOURCE);
	scene_open(&scene);
	assert_int_equal(mkdir(SOURCE "/below", 0755), 0);
	before = read_mounts(getpid());
	assert_int_equal(scene_attach(&scene, "/mnt"), 0);
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt/below"), 0);
	after = read_mounts(getpid());
	assert_nothing_new(before, after);
	free(after);
	scratch_mount_tmpfs(SOURCE "/below");                  /* and not the other way either */
	assert_int_equal(scene_detach(&scene, false), -EBUSY); /* the box's own is below */
	assert_int_equal(box_run(&scene.box, in_umount, "/mnt/below"), 0);
	assert_int_equal(box_run(&scene.box, in_umount, "/mnt/below"), -EINVAL);
	assert_int_equal(scene_detach(&scene, false), 0);
	free(before);
	scene_close(&scene);
}

SCENE_TEST(a_target_below_another_mount_of_the_container_works)
{
	unsigned files;

	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	files = box_count_files(&scene->box);
	assert_int_equal(scene_attach(scene, "/mnt/a/b"), 0);
	assert_true(box_has_file(&scene->box, "/mnt/a/b/file"));
	assert_string_equal(scene->info.path, "/mnt/a/b");
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(access(box_path(&scene->box, "/mnt/a"), F_OK), -1);
	assert_int_equal(box_count_files(&scene->box), files);
}

SCENE_TEST(a_mount_made_on_the_host_after_the_start_is_seen)
{
	scratch_mount_tmpfs(SOURCE);
	scratch_write(SOURCE "/later");
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	assert_int_equal(access(box_path(&scene->box, "/mnt/later"), F_OK), 0);
	assert_false(box_has_file(&scene->box, "/mnt/file"));
}

SCENE_TEST(symlinks_in_the_target_stay_in_the_container_s_root)
{
	assert_int_equal(mkdir(box_path(&scene->box, "/mnt/real"), 0755), 0);
	assert_int_equal(mkdir(box_path(&scene->box, "/mnt/real/x"), 0755), 0);
	assert_int_equal(symlink("/mnt/real", box_path(&scene->box, "/absolute")), 0);
	assert_int_equal(symlink("../../../mnt", box_path(&scene->box, "/mnt/up")), 0);
	assert_int_equal(scene_attach(scene, "/absolute/x"), 0);
	assert_string_equal(scene->info.path, "/mnt/real/x");
	assert_true(box_has_file(&scene->box, "/mnt/real/x/file"));
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(scene_attach(scene, "/mnt/up/real/new"), 0);
	assert_string_equal(scene->info.path, "/mnt/real/new");
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(access("/mnt/real", F_OK), -1);
}

SCENE_TEST(a_shared_parent_is_fine_when_it_was_asked_for)
{
	struct mc_attach_args args;

	assert_int_equal(box_run(&scene->box, in_share, "/"), 0);
	args = scene_args(scene, "/mnt");
	args.place.may_spread = true;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_true(box_has_file(&scene->box, "/mnt/file"));
}

/* The daemon's own state directory: no foreign namespace, a root of its own. */
SCENE_TEST(a_directory_of_our_own_namespace_is_a_place_and_is_not_pinned)
{
	struct mc_attach_args args;
	struct mc_detach_args detach = {.made = NULL};
	mc_auto_fd root = MC_FD_NONE;

	assert_int_equal(mkdir("/tmp/state", 0755), 0);
	scratch_mount_tmpfs("/tmp/state");
	root = open("/tmp/state", O_PATH | O_DIRECTORY | O_CLOEXEC);
	args = scene_args(scene, "/volumes/one");
	args.place = (struct mc_place){.ns_fd = -1, .root_fd = root};
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_string_equal(scene->info.path, "/volumes/one");
	assert_int_equal(access("/tmp/state/volumes/one/file", F_OK), 0);
	detach.place = args.place;
	detach.path = scene->info.path;
	detach.mount_id = scene->info.mount_id;
	detach.made = &scene->info.made;
	assert_int_equal(mc_detach(scene->core, &detach, NULL, &scene->err), 0);
	assert_int_equal(access("/tmp/state/volumes", F_OK), -1);
	mc_close_fd(&root);
	/* A working directory left there would make it busy. */
	scratch_umount("/tmp/state");
}

static void mount_only_there(void)
{
	scratch_mount_tmpfs(SOURCE);
	scratch_write(SOURCE "/only_there");
}

SCENE_TEST(the_source_is_looked_up_in_the_host_s_namespace)
{
	struct mc_core_args core_args = {.workers = 2, .helper_timeout_ms = 10000};
	char real[PATH_MAX];

	mc_core_close(scene->core);
	core_args.host_pid = fork_host(mount_only_there);
	assert_int_equal(mc_core_open(&core_args, &scene->core, &scene->err), 0);
	assert_int_equal(mc_host_resolve(scene->core, SOURCE, real, NULL, NULL), 0);
	assert_string_equal(real, SOURCE);
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	assert_int_equal(access(box_path(&scene->box, "/mnt/only_there"), F_OK), 0);
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(kill(core_args.host_pid, SIGKILL), 0);
	assert_int_equal(waitpid(core_args.host_pid, NULL, 0), core_args.host_pid);
}

SCENE_TEST(a_thousand_rounds_leave_nothing_behind)
{
	enum { ROUNDS = 1000 };
	unsigned fds, threads, files;
	char *box_before, *box_after, *host_before, *host_after;

	assert_int_equal(scene_attach(scene, "/mnt/a/b"), 0); /* warm */
	assert_int_equal(scene_detach(scene, false), 0);
	fds = hv_count_fds();
	threads = scratch_count_threads();
	files = box_count_files(&scene->box);
	box_before = read_mounts(scene->box.pid);
	host_before = read_mounts(getpid());
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(scene_attach(scene, "/mnt/a/b"), 0);
		assert_int_equal(scene_detach(scene, false), 0);
	}
	box_after = read_mounts(scene->box.pid);
	host_after = read_mounts(getpid());
	assert_int_equal(hv_count_fds(), fds);
	assert_int_equal(scratch_count_threads(), threads);
	assert_int_equal(box_count_files(&scene->box), files);
	assert_string_equal(box_before, box_after);
	assert_nothing_new(host_before, host_after);
	free(box_before);
	free(box_after);
	free(host_before);
	free(host_after);
}

SCENE_TEST(the_host_s_mount_table_does_not_change)
{
	char *before, *after;
	uint64_t timings[4];

	assert_int_equal(mc_core_timings(scene->core, timings, 4), 0);
	before = read_mounts(getpid());
	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	after = read_mounts(getpid());
	assert_nothing_new(before, after);
	assert_int_equal(mc_core_timings(scene->core, timings, 4), 1);
	assert_true(timings[0] > 0 && timings[0] < UINT64_C(10000000000));
	free(before);
	free(after);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* mc_ns_open, mc_core_open, and the mount table of a container. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/mounts.h"

#include "box.h"
#include "scratch.h"

static void expect_no_ns(struct attach_fixture *scene, pid_t pid, int code)
{
	struct mc_ns ns = MC_NS_NONE;
	unsigned fds = hv_count_fds();

	scene->err = (struct mc_err){0};
	assert_int_equal(mc_ns_open(scene->core, pid, &ns, &scene->err), code);
	assert_int_equal(scene->err.code, code);
	assert_int_equal(scene->err.step, MC_STEP_PROCESS);
	assert_int_equal(ns.pidfd, -1);
	assert_int_equal(hv_count_fds(), fds);
	mc_ns_close(&ns);
}

SCENE_TEST(only_a_container_s_namespace_is_opened)
{
	struct stat found;
	char name[64];
	pid_t pid;

	snprintf(name, sizeof(name), "/proc/%d/ns/mnt", (int)scene->box.pid);
	assert_int_equal(stat(name, &found), 0);
	assert_int_equal(scene->ns.ino, found.st_ino);
	expect_no_ns(scene, getpid(), -EXDEV);
	expect_no_ns(scene, 0, -ESRCH);
	expect_no_ns(scene, -1, -ESRCH);
	expect_no_ns(scene, 1 << 22, -ESRCH);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	expect_no_ns(scene, pid, -ESRCH); /* a zombie has none */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	expect_no_ns(scene, pid, -ESRCH);
}

NS_TEST(a_process_that_ended_and_was_not_reaped_is_not_alive)
{
	struct attach_fixture scene;

	scene_open(&scene);
	assert_true(mc_ns_is_alive(&scene.ns));
	assert_int_equal(kill(scene.box.pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)scene.box.pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_false(mc_ns_is_alive(&scene.ns)); /* it has ended; nobody has asked yet */
	scene_close(&scene);
}

SCENE_TEST(the_host_s_namespace_is_no_container_s)
{
	struct mc_core_args args = {.workers = 1, .helper_timeout_ms = 10000};

	mc_core_close(scene->core);
	args.host_pid = scene->box.pid;
	assert_int_equal(mc_core_open(&args, &scene->core, NULL), 0);
	expect_no_ns(scene, scene->box.pid, -EXDEV);
	expect_no_ns(scene, getpid(), -EXDEV);
}

NS_TEST(a_core_that_cannot_be_opened_leaves_nothing)
{
	static const struct {
		struct mc_core_args args;
		int code;
	} rows[] = {
		{{.workers = 0, .helper_timeout_ms = 1}, -EINVAL},
		{{.workers = 17, .helper_timeout_ms = 1}, -EINVAL},
		{{.workers = 1, .host_pid = 1 << 22, .helper_timeout_ms = 1}, -ENOENT},
	};
	struct mc_core *core = NULL;
	unsigned fds = hv_count_fds(), threads = scratch_count_threads();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mc_err err = {0};

		assert_int_equal(mc_core_open(&rows[i].args, &core, &err), rows[i].code);
		assert_int_equal(err.step, MC_STEP_SETUP);
		assert_null(core);
		assert_int_equal(hv_count_fds(), fds);
	}
	assert_int_equal(scratch_count_threads(), threads);
	mc_core_close(NULL);
}

SCENE_TEST(the_container_s_mount_table_is_read)
{
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount;

	assert_int_equal(scene_attach(scene, "/mnt"), 0);
	assert_int_equal(mc_mounts_read(scene->core, scene->ns.ns_fd, &mounts, NULL), 0);
	assert_int_equal(mc_mounts_count(mounts), 3);
	assert_int_equal(mc_mounts_find(mounts, scene->info.mountinfo_id, &mount), 0);
	assert_string_equal(mount.target, "/mnt");
	assert_string_equal(mount.root, "/source");
	assert_int_equal(mount.dev, scene->info.source.dev);
	assert_false(mount.is_shared);
	assert_false(mc_mounts_find_cover(mounts, scene->info.mountinfo_id, &mount));
	mc_mounts_free(mounts);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	assert_int_equal(mc_mounts_read(scene->core, scene->ns.ns_fd, &mounts, NULL), 0);
	assert_true(mc_mounts_find_cover(mounts, scene->info.mountinfo_id, &mount));
	assert_string_equal(mount.fstype, "tmpfs");
	mc_mounts_free(mounts);
	assert_int_equal(mc_mounts_read(scene->core, -1, &mounts, NULL), 0);
	assert_true(mc_mounts_count(mounts) > 3);
	mc_mounts_free(mounts);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* A file system whose server does not answer costs its own users their time, and nobody else. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/chain.h"
#include "mountcore/cleanup.h"
#include "mountcore/examine.h"
#include "mountcore/host.h"

#include "box.h"
#include "scratch.h"

#define REMOTE "/tmp/remote"

enum { DEADLINE_MS = 1000 }; /* on a busy machine a helper needs some of it to get stuck */

static struct mc_core *open_core(unsigned timeout_ms)
{
	struct mc_core_args args = scene_core_args();
	struct mc_core *core = NULL;

	args.helper_timeout_ms = timeout_ms;
	assert_int_equal(mc_core_open(&args, &core, NULL), 0);
	return core;
}

/* One worker: a job that holds it holds up all that follow. */
static void open_scene(struct attach_fixture *scene, unsigned timeout_ms)
{
	scene_open(scene);
	mc_core_close(scene->core);
	scene->core = open_core(timeout_ms);
}

/* A server (tests/support/fuse_server.c) on `path`; with `device` of the type that waits for its
 * server when it is unmounted, "fuseblk". */
static pid_t start_server(const char *path, const char *device)
{
	char ready;
	int pipe_fds[2];
	pid_t pid;

	assert_int_equal(pipe2(pipe_fds, 0), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pipe_fds[1], STDOUT_FILENO);
		execl(FUSE_SERVER, "fuse_server", path, device, (char *)NULL);
		_exit(1);
	}
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &ready, 1), 1);
	close(pipe_fds[0]);
	return pid;
}

static void kill_server(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int attach_remote(struct attach_fixture *scene, const char *target)
{
	struct mc_attach_args args = scene_args(scene, target);

	args.source = REMOTE;
	return scene_attach_args(scene, &args);
}

static void expect_others_work(struct attach_fixture *scene)
{
	char real[PATH_MAX];

	assert_int_equal(scene_attach(scene, "/beside"), 0);
	assert_true(box_has_file(&scene->box, "/beside/file"));
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(scene_attach(scene, "/mnt/below"), 0); /* another mount */
	assert_int_equal(scene_detach(scene, false), 0);
	scene->may_mount = true;
	assert_int_equal(scene_attach(scene, "/later"), 0);
	assert_int_equal(scene_detach(scene, true), 0);
	scene->may_mount = false;
	assert_int_equal(mc_host_resolve(scene->core, SOURCE, real, NULL, NULL), 0);
}

/* Whose server works: FUSE maps no owners unless the server said that it can (6.12). */
NS_TEST(as_of_a_fuse_source_is_refused)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	pid_t server;
	bool can_map;

	open_scene(&scene, 10 * DEADLINE_MS);
	can_map = mc_core_features(scene.core) & MC_FEATURE_MOUNT_SETATTR;
	scratch_mkdir(REMOTE);
	server = start_server(REMOTE, NULL);
	assert_int_equal(attach_remote(&scene, "/remote"), 0); /* a helper is kept from now on */
	assert_int_equal(scene_detach(&scene, false), 0);
	args = scene_args(&scene, "/remote");
	args.source = REMOTE;
	args.as_uid = 1001;
	scene_expect_refused(&scene, &args, MC_STEP_IDMAP, can_map ? -EINVAL : -ENOSYS);
	kill_server(server);
	assert_int_equal(umount2(REMOTE, MNT_DETACH), 0);
	scene_close(&scene);
}

NS_TEST(a_source_that_two_wait_for_is_refused_at_once_and_others_work)
{
	struct attach_fixture scene;
	pid_t server;

	open_scene(&scene, DEADLINE_MS);
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	scratch_mkdir(REMOTE);
	server = start_server(REMOTE, NULL);
	assert_int_equal(attach_remote(&scene, "/remote"), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(kill(server, SIGUSR1), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(attach_remote(&scene, "/remote"), -ETIMEDOUT);
		assert_int_equal(scene.err.step, MC_STEP_HELPER);
	}
	/* Both wait still, and no signal ends them. */
	for (int i = 0; i < 200; i++) {
		assert_int_equal(attach_remote(&scene, "/remote"), -EALREADY);
		assert_int_equal(scene.err.step, MC_STEP_HELPER);
	}
	expect_others_work(&scene);
	kill_server(server);
	assert_int_equal(umount2(REMOTE, MNT_DETACH), 0);
	server = start_server(REMOTE, NULL);
	assert_int_equal(attach_remote(&scene, "/remote"), 0);
	assert_int_equal(access(box_path(&scene.box, "/remote/file"), R_OK), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	kill_server(server);
	scene_close(&scene);
}

/* The helper that was kept for questions waits for the first; the second is on its own. */
/* Look at `path`, whose mc_host_server() is `server`.  Returns the error of that. */
static struct mc_err examine(struct mc_core *core, const char *path, uint64_t server)
{
	struct mc_examined items[] = {{.path = path}, {.path = path}};

	assert_int_equal(mc_host_examine(core, items, 2, server), 0);
	assert_int_equal(items[0].err.code, items[1].err.code);
	return items[0].err;
}

NS_TEST(mc_host_examine_of_a_silent_server_leaves_one_helper_behind)
{
	struct attach_fixture scene;
	bool is_on_demand;
	uint64_t server;
	struct mc_err err;
	pid_t pid;

	open_scene(&scene, DEADLINE_MS);
	scratch_mkdir(REMOTE);
	pid = start_server(REMOTE, NULL);
	server = mc_host_server(scene.core, REMOTE, &is_on_demand);
	assert_true(server != 0 && !is_on_demand);
	assert_int_equal(server, mc_host_server(scene.core, REMOTE "/file", &is_on_demand));
	assert_int_equal(mc_host_server(scene.core, SOURCE, &is_on_demand), 0);
	assert_int_equal(examine(scene.core, REMOTE, server).code, 0);
	assert_int_equal(kill(pid, SIGUSR1), 0);
	for (int i = 0; i < 3; i++) {
		err = examine(scene.core, REMOTE, server);
		assert_int_equal(err.step, MC_STEP_HELPER);
		assert_true(err.code == -EALREADY || (i == 0 && err.code == -ETIMEDOUT));
		assert_int_equal(mc_host_stuck(scene.core), 1);
		assert_int_equal(examine(scene.core, SOURCE, 0).code, 0);
	}
	assert_int_equal(attach_remote(&scene, "/mnt/new"), -ETIMEDOUT); /* has room to try */
	kill_server(pid);
	while (mc_host_stuck(scene.core) > 0)
		usleep(10000);
	assert_true(mc_err_is_dead(examine(scene.core, REMOTE, server).code));
	scratch_umount(REMOTE);
	scene_close(&scene);
}

/* A path without a server, as far as the table knows, that waits all the same: the others are told
 * nothing wrong of. */
NS_TEST(mc_host_examine_tells_apart_paths_of_one_call)
{
	struct attach_fixture scene;
	struct mc_examined items[] = {{.path = SOURCE}, {.path = REMOTE}, {.path = "/tmp/none"},
		{.path = "/tmp/link"}, {.path = "/tmp/link", .is_name = true},
		{.path = SOURCE, .beneath = "/elsewhere"}};
	pid_t pid;

	open_scene(&scene, DEADLINE_MS);
	scratch_mkdir(REMOTE);
	assert_int_equal(symlink(SOURCE, "/tmp/link"), 0);
	pid = start_server(REMOTE, NULL);
	assert_int_equal(kill(pid, SIGUSR1), 0);
	assert_int_equal(mc_host_examine(scene.core, items, 6, 0), 0);
	assert_int_equal(items[0].err.code, 0);
	assert_true(items[0].id.ino > 0 && !items[0].is_mount_root && !items[0].is_read_only);
	assert_true(items[0].inodes_used > 0 || items[0].blocks_free > 0);
	assert_int_equal(items[2].err.code, -ENOENT);
	assert_int_equal(items[3].err.code, -ELOOP);
	assert_int_equal(items[4].err.code, 0);
	assert_int_equal(items[4].id.ino, items[0].id.ino);
	assert_int_equal(items[5].err.code, -EINVAL);
	assert_string_equal(items[5].path, SOURCE);
	kill_server(pid);
	while (mc_host_stuck(scene.core) > 0)
		usleep(10000);
	scratch_umount(REMOTE);
	scene_close(&scene);
}

/* As a local disk that hangs. */
NS_TEST(mc_host_examine_of_a_silent_device_leaves_one_helper_behind)
{
	struct attach_fixture scene;
	pid_t pid;

	open_scene(&scene, DEADLINE_MS);
	scratch_mkdir(REMOTE);
	pid = start_server(REMOTE, NULL);
	assert_int_equal(kill(pid, SIGUSR1), 0);
	for (int i = 0; i < 3; i++) {
		struct mc_examined items[] = {{.path = REMOTE}, {.path = REMOTE "/file"},
			{.path = SOURCE}, {.path = "/tmp/none"}};

		assert_int_equal(mc_host_examine(scene.core, items, 4, 0), 0);
		assert_int_equal(items[0].err.step, MC_STEP_HELPER);
		assert_true(items[0].err.code == -EALREADY ||
			    (i == 0 && items[0].err.code == -ETIMEDOUT));
		assert_int_equal(items[1].err.code, -ECANCELED);
		assert_int_equal(items[1].err.step, MC_STEP_HELPER);
		assert_int_equal(items[2].err.code, 0);
		assert_int_equal(items[3].err.code, -ENOENT);
		assert_int_equal(mc_host_stuck(scene.core), 1);
	}
	kill_server(pid);
	while (mc_host_stuck(scene.core) > 0)
		usleep(10000);
	scratch_umount(REMOTE);
	scene_close(&scene);
}

NS_TEST(mc_chain_walk_of_a_worker_ends_before_a_silent_server)
{
	static struct mc_chain chain;
	const struct mc_chain_args args = {.path = REMOTE "/file", .inotify = MC_FD_NONE};
	struct attach_fixture scene;
	pid_t server;

	open_scene(&scene, DEADLINE_MS);
	scratch_mkdir(REMOTE);
	server = start_server(REMOTE, NULL);
	assert_int_equal(kill(server, SIGUSR1), 0);
	assert_int_equal(mc_chain_walk(scene.core, &args, &chain, NULL), 0);
	assert_true(chain.waits_at != 0);
	assert_string_equal(chain.real, "/tmp"); /* not even its root was looked at */
	kill_server(server);
	assert_int_equal(umount2(REMOTE, MNT_DETACH), 0);
	assert_int_equal(mount("local", REMOTE, "tmpfs", 0, NULL), 0);
	scratch_write(REMOTE "/file");
	assert_int_equal(mc_chain_walk(scene.core, &args, &chain, NULL), 0);
	assert_int_equal(chain.found, 0);
	assert_string_equal(chain.real, REMOTE "/file");
	assert_int_equal(umount2(REMOTE, MNT_DETACH), 0);
	scene_close(&scene);
}

static int look_along(struct mc_core *core, const char *link, bool is_look, struct mc_chain *ret)
{
	struct mc_chain_args args = {.path = link, .inotify = MC_FD_NONE, .is_look = is_look};

	assert_int_equal(mc_chain_walk(core, &args, ret, NULL), 0);
	assert_true(ret->waits_at != 0);
	args.waits_at = ret->waits_at;
	args.may_wait = true;
	return mc_chain_walk(core, &args, ret, NULL);
}

NS_TEST(mc_chain_walk_of_a_look_waits_for_a_silent_server_once)
{
	static struct mc_chain chain;
	struct attach_fixture scene;
	pid_t server;

	open_scene(&scene, DEADLINE_MS);
	scratch_mkdir(REMOTE);
	assert_int_equal(symlink(REMOTE "/file", "/tmp/one"), 0);
	assert_int_equal(symlink(REMOTE, "/tmp/two"), 0);
	server = start_server(REMOTE, NULL);
	assert_int_equal(kill(server, SIGUSR1), 0);
	assert_int_equal(look_along(scene.core, "/tmp/one", true, &chain), -ETIMEDOUT);
	kill_server(server);
	/* It would tell by now, at once: it is not asked. */
	assert_int_equal(look_along(scene.core, "/tmp/one", true, &chain), -ETIMEDOUT);
	assert_int_equal(look_along(scene.core, "/tmp/two/file", true, &chain), -ETIMEDOUT);
	assert_int_equal(look_along(scene.core, "/tmp/two/file", false, &chain), 0);
	assert_true(mc_err_is_dead(chain.found));
	assert_int_equal(umount2(REMOTE, MNT_DETACH), 0);
	scene_close(&scene);
}

NS_TEST(a_server_answers_while_another_one_is_silent)
{
	struct mc_attach_args args;
	struct attach_fixture scene;
	pid_t first, second;

	open_scene(&scene, DEADLINE_MS);
	scratch_mkdir(REMOTE);
	scratch_mkdir(REMOTE "2");
	first = start_server(REMOTE, NULL);
	second = start_server(REMOTE "2", NULL);
	args = scene_args(&scene, "/second");
	args.source = REMOTE "2";
	for (int i = 0; i < 3; i++) {
		assert_int_equal(attach_remote(&scene, "/first"), i == 0 ? 0 : -ETIMEDOUT);
		assert_int_equal(i == 0 ? scene_detach(&scene, false) : 0, 0);
		assert_int_equal(scene_attach_args(&scene, &args), 0);
		assert_int_equal(scene_detach(&scene, false), 0);
		assert_int_equal(i == 0 ? kill(first, SIGUSR1) : 0, 0);
	}
	assert_int_equal(attach_remote(&scene, "/first"), -EALREADY);
	kill_server(first);
	kill_server(second);
	scene_close(&scene);
}

#ifndef __SANITIZE_THREAD__ /* has a thread of its own: no user namespace can be joined */
static void *prepare_locked(void *argument)
{
	struct attach_fixture *scene = argument;
	struct mc_attach_args args = scene_args(scene, "/mnt");
	struct mc_attach *attach = NULL;

	args.source = REMOTE;
	args.lock = true;
	assert_int_equal(mc_attr_add(&args.attr, "ro"), 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(mc_attach_prepare(scene->core, &args, &attach, &scene->err), 0);
		mc_attach_free(attach);
	}
	return NULL;
}

/* A question, then the helper that locks: as many at once as may be at work for one server. */
NS_TEST(many_locked_attaches_from_one_server_do_not_wait_for_each_other)
{
	enum { THREADS = 8 };
	struct attach_fixture scene, own[THREADS];
	pthread_t threads[THREADS];
	pid_t server;

	open_scene(&scene, 10 * DEADLINE_MS);
	scene_map_users(&scene);
	scratch_mkdir(REMOTE);
	server = start_server(REMOTE, NULL);
	for (int i = 0; i < THREADS; i++) {
		own[i] = scene; /* with errors and results of its own */
		assert_int_equal(pthread_create(&threads[i], NULL, prepare_locked, &own[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	kill_server(server);
	scene_close(&scene);
}
#endif

/* It answers with an error while the target is looked up: the source's error is told. */
NS_TEST(a_dead_source_is_told_of_before_a_bad_target)
{
	struct attach_fixture scene;
	int dead;

	open_scene(&scene, DEADLINE_MS);
	scratch_mkdir(REMOTE);
	kill_server(start_server(REMOTE, NULL));
	dead = scratch_dead_code(REMOTE);
	assert_int_equal(attach_remote(&scene, "/remote"), dead);
	assert_int_equal(scene.err.step, MC_STEP_SOURCE);
	assert_int_equal(attach_remote(&scene, "/proc/remote"), dead);
	assert_int_equal(scene.err.step, MC_STEP_SOURCE);
	assert_false(scratch_exists(box_path(&scene.box, "/remote")));
	scene_close(&scene);
}

NS_TEST(different_paths_of_one_silent_server_count_as_one)
{
	struct attach_fixture scene;
	char path[PATH_MAX], real[PATH_MAX];
	pid_t server;

	open_scene(&scene, DEADLINE_MS);
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	scratch_mkdir(REMOTE);
	server = start_server(REMOTE, NULL);
	assert_int_equal(kill(server, SIGUSR1), 0);
	for (int i = 0; i < 50; i++) {
		struct mc_err err = {0};

		snprintf(path, sizeof(path), REMOTE "/%d", i);
		assert_true(mc_host_resolve(scene.core, path, real, NULL, &err) < 0);
		assert_int_equal(err.step, MC_STEP_HELPER);
		assert_int_equal(err.code, i < 2 ? -ETIMEDOUT : -EALREADY);
	}
	mc_core_close(scene.core);
	scene.core = open_core(10000);
	expect_others_work(&scene);
	kill_server(server);
	scene_close(&scene);
}

/* The root of a FUSE mount needs no server, nor does a mount on top of it. */
NS_TEST(a_mount_goes_on_top_of_one_whose_server_is_silent)
{
	struct mc_attach_args args;
	struct attach_fixture scene;

	open_scene(&scene, DEADLINE_MS);
	assert_int_equal(mknod(box_path(&scene.box, "/dev/fuse"), S_IFCHR | 0600, 0xae5), 0);
	assert_int_equal(box_run(&scene.box, in_mount_silent, "/mnt"), 0);
	args = scene_args(&scene, "/mnt");
	args.mkdir = false;
	args.replace = MC_REPLACE_ATOMIC;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(box_has_file(&scene.box, "/mnt/file"));
	assert_int_equal(scene_detach(&scene, false), 0);
	scene_close(&scene);
}

/* A root that is FUSE, or is covered by who may mount: a worker would never come back. */
NS_TEST(a_container_whose_root_has_a_silent_server_holds_no_worker)
{
	struct attach_fixture scene;
	struct fake_container other;
	struct mc_ns first;

	open_scene(&scene, DEADLINE_MS);
	assert_int_equal(mknod(box_path(&scene.box, "/dev/fuse"), S_IFCHR | 0600, 0xae5), 0);
	assert_int_equal(box_run(&scene.box, in_mount_silent, "/"), 0);
	assert_int_equal(scene_attach(&scene, "/mnt/x"), -ETIMEDOUT);
	assert_int_equal(scene.err.step, MC_STEP_HELPER);
	snprintf(scene.info.path, sizeof(scene.info.path), "/mnt/x");
	assert_int_equal(scene_detach(&scene, true), -ETIMEDOUT);
	box_open(&other);
	first = scene.ns;
	assert_int_equal(mc_ns_open(scene.core, other.pid, &scene.ns, NULL), 0);
	assert_int_equal(scene_attach(&scene, "/mnt/x"), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	box_close(&other);
	mc_ns_close(&first);
	scene_close(&scene);
}

static void make_loop(char ret[static 32])
{
	struct loop_info64 info = {.lo_flags = LO_FLAGS_AUTOCLEAR};
	mc_auto_fd control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	mc_auto_fd image = open("/tmp/image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int loop = -1, rc = -1; /* kept open: it goes with the process */

	assert_int_equal(ftruncate(image, 1 << 20), 0);
	for (int i = 0; i < 10 && rc < 0; i++) {
		snprintf(ret, 32, "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
		if (loop >= 0)
			close(loop);
		loop = open(ret, O_RDWR | O_CLOEXEC);
		rc = ioctl(loop, LOOP_SET_FD, image);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(ioctl(loop, LOOP_SET_STATUS64, &info), 0);
}

/* The host has unmounted the disk: nothing at its path tells any more, and the clone is its last
 * mount, whose end waits for the server. */
static void last_unmount(bool lazy)
{
	struct attach_fixture scene;
	char device[32];
	pid_t server;

	open_scene(&scene, DEADLINE_MS);
	make_loop(device);
	scratch_mkdir(REMOTE);
	server = start_server(REMOTE, device);
	assert_int_equal(attach_remote(&scene, "/remote"), 0);
	assert_int_equal(kill(server, SIGUSR1), 0);
	assert_int_equal(umount2(REMOTE, MNT_DETACH), 0);
	assert_int_equal(scene_detach(&scene, lazy), -ETIMEDOUT);
	assert_int_equal(scene.err.step, MC_STEP_HELPER);
	assert_int_equal(scene_attach(&scene, "/beside"), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	kill_server(server);
	scene_close(&scene);
}

static void last_unmount_lazily(void)
{
	last_unmount(true);
}

static void last_unmount_strictly(void)
{
	last_unmount(false);
}

TEST(the_last_unmount_of_a_disk_whose_server_is_silent_holds_no_worker)
{
	hv_in_namespace(last_unmount_lazily);
	hv_in_namespace(last_unmount_strictly);
}

static atomic_bool has_ended;

static void *attach_and_wait(void *argument)
{
	assert_true(attach_remote(argument, "/remote") < 0);
	atomic_store(&has_ended, true);
	return NULL;
}

/* The silent source waits until its server ends; the container's other attaches go on meanwhile. */
NS_TEST(a_silent_source_does_not_hold_up_its_container)
{
	struct attach_fixture scene, silent;
	pthread_t thread;
	pid_t server;

	open_scene(&scene, 100 * DEADLINE_MS);
	scratch_mkdir(REMOTE);
	server = start_server(REMOTE, NULL);
	assert_int_equal(kill(server, SIGUSR1), 0);
	silent = scene; /* with errors and results of its own */
	assert_int_equal(pthread_create(&thread, NULL, attach_and_wait, &silent), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(scene_attach(&scene, "/beside"), 0);
		assert_int_equal(scene_detach(&scene, false), 0);
	}
	assert_false(atomic_load(&has_ended));
	kill_server(server);
	assert_int_equal(pthread_join(thread, NULL), 0);
	scene_close(&scene);
}

/* The overlay's own type has no server; its layer has one. */
NS_TEST(an_overlay_on_a_silent_server_holds_no_worker)
{
	const char *const overlays[] = {"/tmp/one", "/tmp/two"};
	struct attach_fixture scene;
	struct mc_attach_args args;
	pid_t server;

	open_scene(&scene, DEADLINE_MS);
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	scratch_mkdir(REMOTE);
	scratch_mkdir("/tmp/plain");
	scratch_mount_overlay("/tmp/plain", "/tmp/other");
	server = start_server(REMOTE, NULL);
	scratch_mount_overlay(REMOTE, overlays[0]);
	scratch_mount_overlay(overlays[0], overlays[1]);
	assert_false(mc_host_is_slow(scene.core, "/tmp/other"));
	assert_int_equal(kill(server, SIGUSR1), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(mc_host_is_slow(scene.core, overlays[i]));
		args = scene_args(&scene, "/remote");
		args.source = overlays[i];
		args.subpath = "x";
		assert_int_equal(scene_attach_args(&scene, &args), -ETIMEDOUT);
		assert_int_equal(scene.err.step, MC_STEP_HELPER);
	}
	expect_others_work(&scene);
	kill_server(server);
	scene_close(&scene);
}

int main(void)
{
	if (access("/dev/fuse", R_OK | W_OK) < 0) {
		fprintf(stderr, "no /dev/fuse\n");
		return HV_SKIP;
	}
	return hv_run_tests_privileged();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"

enum { CALLS_MAX = 400 };

struct plan {
	atomic_bool is_on;
	atomic_uint calls;
	unsigned fail_at;   /* 1 for the first call; 0 for none */
	const char *failed; /* which call it was; the same address in every process */
	bool failed_in_helper;
	bool failed_on_way_home;
	bool kills; /* instead of failing */
	pid_t pid;  /* of the process under test; others are its helpers */
	/* On the fallbacks of older kernels other calls fail on the same way: whatever they make of
	 * it is right as long as it is an error with a step, or all is done, and nothing is left.
	 */
	bool is_fallback;
};

static struct plan *plan;

/* Whether this thread is in a foreign namespace. */
static __thread bool is_away;

static bool is_hit(const char *name)
{
	if (!plan || !atomic_load(&plan->is_on))
		return false;
	if (atomic_fetch_add(&plan->calls, 1) + 1 != plan->fail_at)
		return false;
	plan->failed = name;
	plan->failed_in_helper = getpid() != plan->pid;
	if (plan->kills) {
		(void)kill(plan->pid, SIGKILL); /* a helper goes with it */
		for (;;)
			pause();
	}
	return true;
}

#define WRAP(type, name, parameters, arguments)                                                    \
	type __real_mc_sys_##name parameters;                                                      \
	type __wrap_mc_sys_##name parameters;                                                      \
	type __wrap_mc_sys_##name parameters                                                       \
	{                                                                                          \
		return is_hit(#name) ? INJECTED : __real_mc_sys_##name arguments;                  \
	}

/* Those whose effect a failure does not undo: a descriptor is closed also when close says no, and a
 * helper whose end was not waited for has done all its work in the worst case. */
#define WRAP_AFTER(type, name, parameters, arguments)                                              \
	type __real_mc_sys_##name parameters;                                                      \
	type __wrap_mc_sys_##name parameters;                                                      \
	type __wrap_mc_sys_##name parameters                                                       \
	{                                                                                          \
		type rc = __real_mc_sys_##name arguments;                                          \
                                                                                                   \
		return is_hit(#name) ? INJECTED : rc;                                              \
	}

WRAP(int, openat, (int dirfd, const char *path, int flags), (dirfd, path, flags))
WRAP(int, openat2, (int dirfd, const char *path, int flags, uint64_t resolve),
	(dirfd, path, flags, resolve))
WRAP(int, open_tree_attr, (int fd, unsigned flags, const struct mount_attr *attr),
	(fd, flags, attr))
WRAP(int, open_tree, (int dirfd, const char *path, unsigned flags), (dirfd, path, flags))
WRAP(int, move_mount, (int from_fd, int to_fd, unsigned flags), (from_fd, to_fd, flags))
WRAP(int, mount, (const char *source, const char *target, const char *type, unsigned long flags),
	(source, target, type, flags))
WRAP(int, mount_fs,
	(const char *source, const char *target, const char *type, unsigned long flags,
		const char *data),
	(source, target, type, flags, data))
WRAP(int, ioctl, (int fd, unsigned long request, const void *argument), (fd, request, argument))
WRAP(ssize_t, getdents, (int fd, void *ret, size_t size), (fd, ret, size))
WRAP(ssize_t, read, (int fd, void *ret, size_t size), (fd, ret, size))
WRAP(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
WRAP(int, fstatfs_type, (int fd, int64_t *ret), (fd, ret))
WRAP(int, mount_setattr, (int fd, unsigned flags, const struct mount_attr *attr), (fd, flags, attr))
WRAP(int, umount2, (const char *path, int flags), (path, flags))
WRAP(int, unshare, (int flags), (flags))
WRAP(int, statx, (int dirfd, const char *path, int flags, unsigned mask, struct statx *ret),
	(dirfd, path, flags, mask, ret))
WRAP(int, statmount, (uint64_t mount_id, uint64_t mask, struct mc_statmount *ret),
	(mount_id, mask, ret))
WRAP(int, inotify_add_watch, (int fd, const char *path, unsigned mask), (fd, path, mask))
WRAP(ssize_t, readlinkat, (int dirfd, const char *path, char *ret, size_t size),
	(dirfd, path, ret, size))
WRAP(int, mkdirat, (int dirfd, const char *path, mode_t mode), (dirfd, path, mode))
WRAP(int, rmdirat, (int dirfd, const char *path), (dirfd, path))
WRAP(int, move_mount_to, (int from_fd, const char *path), (from_fd, path))
WRAP(int, create, (int dirfd, const char *path, mode_t mode), (dirfd, path, mode))
WRAP(int, unlinkat, (int dirfd, const char *path), (dirfd, path))
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, become, (uid_t uid, gid_t gid), (uid, gid))
WRAP(int, fchdir, (int fd), (fd))
WRAP(int, chroot, (const char *path), (path))
WRAP_AFTER(int, close, (int fd), (fd))
WRAP(int, close_range, (unsigned first, unsigned last), (first, last))
WRAP(int, pidfd_open, (pid_t pid), (pid))
WRAP(int, pidfd_send_signal, (int pidfd, int signal), (pidfd, signal))
WRAP(int, kill, (pid_t pid, int signal), (pid, signal))
WRAP(int, prctl, (int option, unsigned long value), (option, value))
WRAP(int, fork, (void), ())
WRAP(int, fork_userns, (void), ())
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(int, socketpair, (int ret_fds[2]), (ret_fds))
WRAP_AFTER(int, poll_in, (int fd, int timeout_ms), (fd, timeout_ms))
WRAP(int, poll_pri, (int fd), (fd))

int __real_mc_sys_setns(int fd, int type);
int __wrap_mc_sys_setns(int fd, int type);

int __wrap_mc_sys_setns(int fd, int type)
{
	int rc;

	if (is_hit("setns")) {
		plan->failed_on_way_home = is_away && type == CLONE_NEWNS;
		return INJECTED;
	}
	rc = __real_mc_sys_setns(fd, type);
	if (rc == 0 && type == CLONE_NEWNS)
		is_away = !is_away;
	return rc;
}

/* Of all that asks for the host's mounts. */
static const struct sweep_exception table_exception = {
	"poll_pri", 0, "the table is read again", false};

static const struct sweep_exception *find_exception(const struct sweep *sweep, int code)
{
	if (strcmp(table_exception.call, plan->failed) == 0 && code == table_exception.code)
		return &table_exception;
	for (const struct sweep_exception *at = sweep->exceptions; at->call; at++)
		if (strcmp(at->call, plan->failed) == 0 && at->code == code)
			return at;
	return NULL;
}

static const struct sweep_exception fallback_exception = {
	"", 0, "what is left out of a removal stays", true};

/* Returns the exception that was used, if one was. */
static const struct sweep_exception *judge(
	const struct sweep *sweep, const struct mc_err *err, int rc)
{
	const struct sweep_exception *exception = NULL;

	if (!plan->failed) {
		assert_int_equal(rc, 0);
		return NULL;
	}
	/* A helper that cannot come home aborts; its parent sees that it died. */
	if (plan->is_fallback) {
		exception = &fallback_exception;
	} else if (plan->failed_on_way_home && plan->failed_in_helper) {
		exception = find_exception(sweep, rc);
		if (!exception)
			assert_int_equal(rc, -EIO);
	} else {
		exception = find_exception(sweep, rc);
		if (!exception)
			assert_int_equal(rc, INJECTED);
	}
	if (rc < 0) {
		assert_int_equal(err->code, rc);
		assert_int_not_equal(err->step, MC_STEP_NONE);
	}
	return exception;
}

static void play(const struct sweep *sweep)
{
	struct attach_fixture scene;
	const struct sweep_exception *exception;
	unsigned fds, files;
	char *before, *after;
	bool is_open;
	int rc;

	scene_open(&scene);
	sweep->set_up(&scene);
	scene.err = (struct mc_err){0};
	fds = hv_count_fds();
	files = box_count_files(&scene.box);
	before = read_mounts(scene.box.pid);
	plan->pid = getpid();
	plan->is_fallback = ~mc_core_features(scene.core) &
			    (MC_FEATURE_OPENAT2 | MC_FEATURE_MOUNT_SETATTR | MC_FEATURE_OPEN_TREE |
				    MC_FEATURE_STATMOUNT);
	atomic_store(&plan->is_on, true);
	rc = sweep->operation(&scene);
	atomic_store(&plan->is_on, false);
	if (plan->failed)
		fprintf(stderr, "call %u, %s%s: %d %s\n", plan->fail_at, plan->failed,
			plan->failed_in_helper ? " in the helper" : "", rc,
			mc_step_name(scene.err.step));
	exception = judge(sweep, &scene.err, rc);
	is_open = (sweep->is_open_ended || plan->is_fallback) && rc < 0 &&
		  scene.err.step == MC_STEP_HELPER;
	sweep->check(&scene, rc);
	after = read_mounts(scene.box.pid);
	if (rc == 0 ? !sweep->mounts_on_success : !is_open && !sweep->may_lose_mount)
		assert_string_equal(before, after);
	if (rc < 0 && !is_open)
		assert_int_equal(box_count_files(&scene.box), files);
	if (rc == 0 && sweep->removed && !(exception && exception->keeps_directories))
		assert_int_not_equal(access(box_path(&scene.box, sweep->removed), F_OK), 0);
	if (rc == 0)
		sweep->clean_up(&scene);
	assert_int_equal(hv_count_fds(), fds);
	free(before);
	free(after);
	scene_close(&scene);
}

/* A round in a process of its own.  Returns whether a call was made to fail. */
static bool play_round(const struct sweep *sweep, unsigned fail_at)
{
	const struct rlimit no_core = {0, 0};
	int status = 0;
	pid_t pid;

	memset(plan, 0, sizeof(*plan));
	plan->fail_at = fail_at;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		play(sweep);
		exit(0); /* not _exit: LeakSanitizer reports at exit */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (plan->failed_on_way_home && !plan->failed_in_helper) {
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	} else {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	return plan->failed;
}

void sweep_run(const struct sweep *sweep, unsigned at_least)
{
	unsigned fail_at = 1;

	plan = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(plan, MAP_FAILED);
	while (play_round(sweep, fail_at) && fail_at < CALLS_MAX)
		fail_at++;
	munmap(plan, sizeof(*plan));
	plan = NULL;
	assert_true(fail_at >= at_least && fail_at < CALLS_MAX);
}

/* The operation in a process of its own, which is killed at its call `kill_at`. */
static void play_killed(const struct sweep *sweep)
{
	struct attach_fixture scene;
	int status = 0;
	pid_t pid;

	scene_open(&scene);
	sweep->set_up(&scene);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		plan->pid = getpid();
		atomic_store(&plan->is_on, true);
		_exit(sweep->operation(&scene) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	atomic_store(&plan->is_on, false);
	assert_int_equal(WIFSIGNALED(status), plan->failed != NULL);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	if (plan->failed)
		fprintf(stderr, "killed at call %u, %s%s\n", plan->fail_at, plan->failed,
			plan->failed_in_helper ? " in the helper" : "");
	sweep->check(&scene, plan->failed ? -EINTR : 0);
	scene_close(&scene);
}

static bool play_killed_round(const struct sweep *sweep, unsigned kill_at)
{
	int status = 0;
	pid_t pid;

	memset(plan, 0, sizeof(*plan));
	plan->fail_at = kill_at;
	plan->kills = true;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		play_killed(sweep);
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return plan->failed;
}

void sweep_kill(const struct sweep *sweep, unsigned at_least)
{
	unsigned kill_at = 1;

	plan = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(plan, MAP_FAILED);
	while (play_killed_round(sweep, kill_at) && kill_at < CALLS_MAX)
		kill_at++;
	munmap(plan, sizeof(*plan));
	plan = NULL;
	assert_true(kill_at >= at_least && kill_at < CALLS_MAX);
}

static struct mc_attach *prepared;

void round_nothing(struct attach_fixture *scene)
{
	(void)scene;
}

int round_prepare(struct attach_fixture *scene, const struct mc_attach_args *args)
{
	prepared = NULL;
	return mc_attach_prepare(scene->core, args, &prepared, &scene->err);
}

void round_check_prepared(const struct attach_fixture *scene, int rc)
{
	(void)scene;
	assert_int_equal(prepared != NULL, rc == 0);
}

int round_commit(struct attach_fixture *scene)
{
	int rc = mc_attach_commit(prepared, &scene->err);

	if (rc == 0)
		scene->info = *mc_attach_info(prepared);
	return rc;
}

void round_release(struct attach_fixture *scene)
{
	(void)scene;
	mc_attach_free(prepared);
	prepared = NULL;
}

int round_detach(struct attach_fixture *scene)
{
	return scene_detach(scene, false);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The remains of an attach whose helper ends in the middle. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box.h"
#include "scratch.h"

/* Reports of helpers, in shared memory. */
static struct told {
	atomic_int ends_with;    /* the signal that it gets when the daemon ends */
	atomic_int stages;       /* how often a tree was put out of the way */
	atomic_int stages_there; /* and in the daemon's own mount namespace */
} * told;

static bool dies;
static uint64_t own_root;

int __real_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags);
int __wrap_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags);
int __real_mc_sys_move_mount_to(int from_fd, const char *path);
int __wrap_mc_sys_move_mount_to(int from_fd, const char *path);

/* The mount at the root is another one in each mount namespace. */
static uint64_t root_mount(void)
{
	struct statx found = {0};

	return statx(AT_FDCWD, "/", AT_STATX_DONT_SYNC, STATX_MNT_ID, &found) < 0
		       ? 0
		       : found.stx_mnt_id;
}

int __wrap_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags)
{
	int signal = 0;

	prctl(PR_GET_PDEATHSIG, &signal);
	atomic_store(&told->ends_with, signal);
	if (dies)
		raise(SIGKILL);
	return __real_mc_sys_move_mount(from_fd, to_fd, flags);
}

int __wrap_mc_sys_move_mount_to(int from_fd, const char *path)
{
	atomic_fetch_add(&told->stages, 1);
	if (root_mount() == own_root)
		atomic_fetch_add(&told->stages_there, 1);
	return __real_mc_sys_move_mount_to(from_fd, path);
}

static void prepare(struct attach_fixture *scene)
{
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(told, MAP_FAILED);
	own_root = root_mount();
	assert_true(own_root != 0);
	dies = false;
	scene_open(scene);
}

/* Mounts there spread to all shared peers, and stay if the daemon is killed then. */
NS_TEST(what_a_killed_helper_had_is_never_mounted_on_the_host)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	char *before, *after;

	prepare(&scene);
	scene.may_mount = true;
	args = scene_args(&scene, "/mnt/x");
	before = read_mounts(getpid());
	dies = true;
	assert_int_equal(scene_attach_args(&scene, &args), -EIO);
	assert_int_equal(scene.err.step, MC_STEP_HELPER);
	dies = false;
	assert_int_not_equal(atomic_load(&told->stages), 0); /* two on a kernel before 5.12 */
	assert_int_equal(atomic_load(&told->stages_there), 0);
	after = read_mounts(getpid());
	assert_string_equal(before, after);
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	free(before);
	free(after);
	scene_close(&scene);
}

/* The kernel forgets it where the user changes (commit_creds()). */
NS_TEST(a_helper_in_a_user_namespace_ends_with_the_daemon)
{
	struct attach_fixture scene;
	struct mc_attach_args args;

	prepare(&scene);
	scene_map_users(&scene);
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	args = scene_args(&scene, "/mnt/a");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(atomic_load(&told->ends_with), SIGKILL);
	assert_int_equal(scene_detach(&scene, false), 0);
	scene_close(&scene);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is taken from who has a volume's data mounted, in whatever mount namespace; and nothing
 * is taken over that was not hostvol's. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "state_dir.h"
#include "users.h"
#include "volumes.h"
#include "world.h"

/* A process with a mount namespace of its own in which `what` of the world is mounted at `where`;
 * `what` NULL: a tmpfs; `where` NULL: nothing but copies of what is mounted here. */
static pid_t start_user(struct volume_fixture *world, const char *what, const char *where)
{
	char *from = scratch_path(world->dir, what ? what : "");
	char *to = scratch_path(world->dir, where ? where : ""), byte;
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "a\tuser");
		if (unshare(CLONE_NEWNS) < 0 ||
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			(where && mount(from, to, what ? NULL : "tmpfs", what ? MS_BIND : 0, NULL) <
					  0))
			_exit(1);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	free(from);
	free(to);
	return pid;
}

static void stop_user(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Volume data, whose file `file` is kept from removal by the user. */
static void expect_kept(
	struct volume_fixture *world, const char *file, const char *what, const char *where)
{
	pid_t pid = start_user(world, what, where);
	char text[64];

	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	snprintf(text, sizeof(text), "process %d (a?user)", (int)pid);
	assert_true(world_told(world, text) && world_told(world, where));
	assert_true(world_has(world, file));
	assert_true(row_has_volume(world->store, "data"));
	stop_user(pid);
}

WORLD_TEST(data_that_a_process_has_mounted_is_not_deleted)
{
	world_mkdir(world, "at");
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	world_mkdir(world, "state/volumes/data/_data/dir");
	world_write(world, "state/volumes/data/_data/file", "text");
	expect_kept(world, "state/volumes/data/_data/file", "state/volumes/data/_data", "at");
	expect_kept(world, "state/volumes/data/_data/file", "state/volumes/data/_data/dir", "at");
	expect_kept(world, "state/volumes/data/_data/file", NULL,
		"state/volumes/data/_data/dir"); /* by which it would lose that */
	assert_int_equal(world_remove(world, "data"), HV_OK);
	world_wait_for_trash(world);
}

WORLD_TEST(data_that_was_begun_to_be_removed_comes_back_while_it_is_mounted)
{
	pid_t pid;

	world_mkdir(world, "at");
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	world_write(world, "state/volumes/data/_data/file", "text");
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "data", HV_REMOVING, &world->err), HV_OK);
	pid = start_user(world, "state/volumes/data/_data", "at");
	world_restart(world);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	assert_true(world_has(world, "state/volumes/data/_data/file"));
	assert_true(row_has_volume(world->store, "data"));
	stop_user(pid);
	assert_int_equal(world_remove(world, "data"), HV_OK);
}

WORLD_TEST(a_directory_to_purge_that_a_process_has_mounted_is_not_deleted)
{
	struct hv_opts opts = {0};
	char *path = scratch_path(world->dir, "p");

	world_mkdir(world, "at");
	assert_int_equal(hv_opts_add(&opts, "mkdir", "true"), 0);
	assert_int_equal(hv_opts_add(&opts, "on-remove", "purge"), 0);
	assert_int_equal(hv_opts_add(&opts, "path", path), 0);
	assert_int_equal(hv_volume_create(world->volumes, "data", &opts, &world->err), HV_OK);
	hv_opts_done(&opts);
	free(path);
	world_mkdir(world, "p/dir");
	world_write(world, "p/file", "text");
	expect_kept(world, "p/file", "p", "at");
	expect_kept(world, "p/file", NULL, "p/dir");
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_false(world_has(world, "p"));
}

WORLD_TEST(a_file_system_that_a_process_has_mounted_is_not_unmounted)
{
	world_mkdir(world, "at");
	assert_int_equal(world_create(world, "data", "type=tmpfs", "device=tmpfs"), HV_OK);
	assert_int_equal(world_mount(world, "data", "one"), HV_OK);
	world_write(world, "state/volumes/data/_data/file", "text");
	expect_kept(world, "state/volumes/data/_data/file", "state/volumes/data/_data", "at");
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_false(world_has(world, "state/volumes/data"));
}

WORLD_TEST(copies_of_hostvol_s_own_mounts_keep_nothing)
{
	static const char *const options[][2] = {{NULL, NULL}, {"type=tmpfs", "device=tmpfs"}};

	for (size_t i = 0; i < 2; i++) {
		pid_t pid;

		assert_int_equal(world_create(world, "data", options[i][0], options[i][1]), HV_OK);
		assert_int_equal(world_mount(world, "data", "one"), HV_OK);
		pid = start_user(world, NULL, NULL);
		assert_int_equal(world_remove(world, "data"), HV_OK);
		stop_user(pid);
		world_wait_for_trash(world);
	}
}

WORLD_TEST(what_is_not_deleted_may_be_mounted)
{
	pid_t pid;

	world_mkdir(world, "at");
	world_mkdir(world, "p");
	assert_int_equal(world_create(world, "data", "path=%s/p", NULL), HV_OK);
	assert_int_equal(world_create(world, "kept", "on-remove=keep", NULL), HV_OK);
	pid = start_user(world, "p", "at");
	assert_int_equal(world_remove(world, "data"), HV_OK);
	stop_user(pid);
	pid = start_user(world, "state/volumes/kept/_data", "at");
	assert_int_equal(world_remove(world, "kept"), HV_OK);
	stop_user(pid);
}

TEST(a_container_is_known_by_the_control_group_of_its_process)
{
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const char *const texts[] = {"0::/docker/" ID "\n",
		"0::/system.slice/docker-" ID ".scope\n", "12:pids:/x\n1:name=systemd:/docker/" ID,
		"0::/machine.slice/libpod-" ID ".scope/container\n"};
	char id[HV_USERS_ID_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(hv_users_read_container(texts[i], id));
		assert_string_equal(id, ID);
	}
	assert_false(hv_users_read_container("0::/user.slice/user-0.slice\n", id));
	assert_false(hv_users_read_container("0::/" ID "0\n", id));
	assert_false(hv_users_read_container("", id));
}

WORLD_TEST(a_kept_volume_without_data_leaves_nothing)
{
	assert_int_equal(world_create(world, "data", "on-remove=keep", NULL), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_false(world_has(world, "state/volumes/data"));
}

WORLD_TEST(data_that_no_volume_left_is_not_taken_over)
{
	world_mkdir(world, "state/volumes/data/_data");
	world_write(world, "state/volumes/data/_data/letter", "text");
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "that no volume of this name left"));
	assert_true(world_has(world, "state/volumes/data/_data/letter"));
	assert_false(row_has_volume(world->store, "data"));
	world_write(world, "state/volumes/data/.kept", ""); /* as the hint says */
	assert_int_equal(world_create(world, "data", "on-remove=keep", NULL), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_OK);
	world_mkdir(world, "state/volumes/data/_data");
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK); /* nothing is in it */
}

/* Whether a state directory that has `name` in it, made by `fill`, may be taken. */
static enum hv_code check_state(struct volume_fixture *world, const char *dir)
{
	char *state = scratch_path(world->dir, dir);
	const struct hv_volumes volumes = {.state_host = state, .state_local = state};
	enum hv_code code;

	hv_error_done(&world->err);
	code = hv_volumes_check_state(&volumes, &world->err);
	assert_true(code == HV_OK || world_told(world, "is not hostvol's"));
	free(state);
	return code;
}

WORLD_TEST(a_state_directory_of_somebody_else_is_refused)
{
	char *link = scratch_path(world->dir, "link/trash");

	world_mkdir(world, "new");
	world_mkdir(world, "empty/trash");
	world_mkdir(world, "empty/volumes");
	world_mkdir(world, "others/data");
	world_write(world, "others/hostvol.db", "");
	assert_int_equal(check_state(world, "new"), HV_OK);
	assert_int_equal(check_state(world, "empty"), HV_OK);
	assert_int_equal(check_state(world, "others"), HV_OK);
	world_mkdir(world, "disk/volumes/lost+found");
	assert_int_equal(check_state(world, "disk"), HV_OK);
	world_mkdir(world, "disk/volumes/data");
	assert_int_equal(check_state(world, "disk"), HV_STATE_UNREADABLE);
	world_mkdir(world, "swept/trash/lost+found");
	assert_int_equal(check_state(world, "swept"), HV_STATE_UNREADABLE);
	world_mkdir(world, "trash/trash/letters");
	world_mkdir(world, "volumes/volumes/data/_data");
	world_mkdir(world, "file");
	world_write(world, "file/volumes", "text");
	world_mkdir(world, "link");
	assert_int_equal(symlink("/var/empty", link), 0);
	assert_int_equal(check_state(world, "trash"), HV_STATE_UNREADABLE);
	assert_int_equal(check_state(world, "volumes"), HV_STATE_UNREADABLE);
	assert_int_equal(check_state(world, "file"), HV_STATE_UNREADABLE);
	assert_int_equal(check_state(world, "link"), HV_STATE_UNREADABLE);
	world_write(world, "trash/hostvol.db", "");
	assert_int_equal(check_state(world, "trash"), HV_STATE_UNREADABLE);
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_int_equal(check_state(world, "state"), HV_OK);
	free(link);
}

TEST_MAIN_IN_NAMESPACE()

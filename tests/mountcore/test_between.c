/* SPDX-License-Identifier: Apache-2.0 */
/* A container acts right between two kernel calls of an attach. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "box.h"
#include "scratch.h"

static struct {
	const struct fake_container *box;
	box_fn fn;
	const char *text;
	int times;
	int rc;
} after_move;

int __real_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags);
int __wrap_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags);

int __wrap_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags)
{
	int rc = __real_mc_sys_move_mount(from_fd, to_fd, flags);

	for (; rc == 0 && after_move.times > 0; after_move.times--)
		after_move.rc |= box_run(after_move.box, after_move.fn, after_move.text);
	return rc;
}

static void expect(struct attach_fixture *scene, const struct mc_attach_args *args, box_fn fn,
	const char *text, int times)
{
	char *before = read_mounts(scene->box.pid), *after;

	after_move.box = &scene->box;
	after_move.fn = fn;
	after_move.text = text;
	after_move.times = times;
	after_move.rc = 0;
	assert_int_equal(scene_attach_args(scene, args), -ESTALE);
	assert_int_equal(scene->err.step, MC_STEP_VERIFY);
	assert_int_equal(after_move.rc, 0);
	assert_int_equal(after_move.times, 0);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

SCENE_TEST(what_covers_a_mount_that_was_not_verified_goes_with_it)
{
	struct mc_attach_args args;

	args = scene_args(scene, "/mnt");
	expect(scene, &args, in_mount_tmpfs, "/mnt", 1);
	expect(scene, &args, in_mount_tmpfs, "/mnt", 5);
	args = scene_args(scene, "/opt/a");
	expect(scene, &args, in_mount_tmpfs, "/opt/a", 2);
	assert_false(scratch_exists(box_path(&scene->box, "/opt")));
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(scene_detach(scene, false), 0);
}

/* It is held by the attach, so a strict one is refused. */
static int in_umount_lazily(const char *path)
{
	return umount2(path, MNT_DETACH) < 0 ? -errno : 0;
}

SCENE_TEST(a_mount_that_the_container_took_out_at_once_is_no_success)
{
	struct mc_attach_args args;

	args = scene_args(scene, "/opt/a");
	expect(scene, &args, in_umount_lazily, "/opt/a", 1);
	assert_false(scratch_exists(box_path(&scene->box, "/opt")));
}

TEST_MAIN_PRIVILEGED()

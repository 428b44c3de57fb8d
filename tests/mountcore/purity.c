/* SPDX-License-Identifier: Apache-2.0 */
/* Attaches and detaches a few times, in every way that enters a container's namespace; test_purity
 * runs it under strace and reads what was called inside. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/mounts.h"

#include "box.h"

enum { ROUNDS = 5 };

static void attach_and_detach(struct attach_fixture *scene, const char *target)
{
	struct mc_mounts *mounts = NULL;

	assert_int_equal(scene_attach(scene, target), 0);
	assert_int_equal(mc_mounts_read(scene->core, scene->ns.ns_fd, &mounts, NULL), 0);
	mc_mounts_free(mounts);
	assert_int_equal(scene_detach(scene, false), 0);
}

/* Something in the place: fails when it is found, or verified and taken back. */
static void fail_to_attach(struct attach_fixture *scene)
{
	struct mc_attach_args args = scene_args(scene, "/moved");
	struct mc_attach *attach = NULL;

	assert_int_equal(scene_attach(scene, "/proc/self/root/mnt"), -ELOOP);
	assert_int_equal(mkdir(box_path(&scene->box, "/moved"), 0755), 0);
	assert_int_equal(mc_attach_prepare(scene->core, &args, &attach, NULL), 0);
	assert_int_equal(rename(box_path(&scene->box, "/moved"), box_path(&scene->box, "/m")), 0);
	assert_int_equal(mc_attach_commit(attach, NULL), -ESTALE);
	mc_attach_free(attach);
	assert_int_equal(rmdir(box_path(&scene->box, "/m")), 0);
}

SCENE_TEST(rounds)
{
	for (int i = 0; i < ROUNDS; i++) {
		attach_and_detach(scene, "/mnt/a/b");
		fail_to_attach(scene);
	}
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	for (int i = 0; i < ROUNDS; i++)
		attach_and_detach(scene, "/mnt/a/b"); /* through a helper */
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* Failure sweeps of attaching and detaching.  The tables say what is tolerated by design. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "sweep.h"

static int prepare_at(struct attach_fixture *scene, const char *target)
{
	const struct mc_attach_args args = scene_args(scene, target);

	return round_prepare(scene, &args);
}

static int prepare(struct attach_fixture *scene)
{
	return prepare_at(scene, "/mnt/a/b");
}

static void mount_tmpfs_inside(struct attach_fixture *scene)
{
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
}

/* Its own mounts are not relied on, and missing entries are not in the kernel's cache. */
static void need_helper(struct attach_fixture *scene)
{
	mount_tmpfs_inside(scene);
	scene->may_mount = true;
}

#define PREPARE_EXCEPTIONS                                                                         \
	{                                                                                          \
		"poll_pri", 0, "the host's table is read again, to be safe", false                 \
	}

NS_TEST(preparing_an_attach_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		PREPARE_EXCEPTIONS, {"close", 0, "a descriptor is closed even so", false}, {0}};
	const struct sweep sweep = {round_nothing, prepare, round_check_prepared, round_release,
		exceptions, .removed = NULL};

	sweep_run(&sweep, 20);
}

NS_TEST(preparing_through_a_helper_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		PREPARE_EXCEPTIONS, HELPER_EXCEPTIONS, {0}};
	const struct sweep sweep = {need_helper, prepare, round_check_prepared, round_release,
		exceptions, .removed = NULL};

	sweep_run(&sweep, 35);
}

/* Below another mount: first as on the place's own, then by the kernel's cache. */
NS_TEST(preparing_by_the_kernel_s_cache_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		PREPARE_EXCEPTIONS, {"close", 0, "a descriptor is closed even so", false}, {0}};
	const struct sweep sweep = {mount_tmpfs_inside, prepare, round_check_prepared,
		round_release, exceptions, .removed = NULL};

	sweep_run(&sweep, 30);
}

static void set_up_commit(struct attach_fixture *scene)
{
	assert_int_equal(prepare(scene), 0);
}

static void set_up_commit_by_cache(struct attach_fixture *scene)
{
	mount_tmpfs_inside(scene);
	assert_int_equal(prepare(scene), 0);
}

static void set_up_commit_in_helper(struct attach_fixture *scene)
{
	need_helper(scene);
	assert_int_equal(prepare(scene), 0);
}

static void check_committed(const struct attach_fixture *scene, int rc)
{
	char options[256];

	mount_options(scene->box.pid, "/mnt/a/b", options);
	assert_int_equal(strlen(options) > 0, rc == 0);
	assert_int_equal(box_has_file(&scene->box, "/mnt/a/b/file"), rc == 0);
	assert_int_equal(scratch_exists(box_path(&scene->box, "/mnt/a")), rc == 0);
}

static void undo_commit(struct attach_fixture *scene)
{
	assert_int_equal(scene_detach(scene, false), -EBUSY); /* still held by `prepared` */
}

#define COMMIT_EXCEPTIONS                                                                          \
	{"openat2", -ESTALE, "cannot be verified, so it is taken out", false},                     \
	{                                                                                          \
		"statx", -ESTALE, "cannot be verified, so it is taken out", false                  \
	}

NS_TEST(committing_an_attach_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		COMMIT_EXCEPTIONS, {"close", 0, "a descriptor is closed even so", false}, {0}};
	const struct sweep sweep = {set_up_commit, round_commit, check_committed, undo_commit,
		exceptions, .mounts_on_success = true};

	sweep_run(&sweep, 14);
}

NS_TEST(committing_through_a_helper_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		COMMIT_EXCEPTIONS, HELPER_EXCEPTIONS, {0}};
	const struct sweep sweep = {set_up_commit_in_helper, round_commit, check_committed,
		undo_commit, exceptions, .mounts_on_success = true};

	sweep_run(&sweep, 25);
}

/* A helper does an undo that a worker cannot. */
NS_TEST(committing_by_the_kernel_s_cache_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		COMMIT_EXCEPTIONS, {"close", 0, "a descriptor is closed even so", false}, {0}};
	const struct sweep sweep = {set_up_commit_by_cache, round_commit, check_committed,
		undo_commit, exceptions, .mounts_on_success = true};

	sweep_run(&sweep, 14);
}

static void set_up_detach(struct attach_fixture *scene)
{
	assert_int_equal(scene_attach(scene, "/mnt/a/b"), 0);
}

static void set_up_detach_in_helper(struct attach_fixture *scene)
{
	mount_tmpfs_inside(scene);
	set_up_detach(scene);
}

/* When a helper did not answer nobody knows; a second detach finds out. */
static void check_detached(const struct attach_fixture *scene, int rc)
{
	struct attach_fixture again = *scene;

	if (rc < 0 && scene->err.step == MC_STEP_HELPER) {
		rc = scene_detach(&again, false);
		if (rc < 0) {
			assert_int_equal(rc, -ENOENT);
			assert_int_equal(again.err.step, MC_STEP_IDENTITY);
		}
		assert_false(scratch_exists(box_path(&scene->box, "/mnt/a")));
		rc = 0;
	}
	assert_int_equal(box_has_file(&scene->box, "/mnt/a/b/file"), rc < 0);
}

NS_TEST(detaching_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		REMOVAL_EXCEPTIONS,
		{"fchdir", 0, "the way out; setns home leaves it too", false},
		{"close", 0, "a descriptor is closed even so", false},
		{0},
	};
	const struct sweep sweep = {set_up_detach, round_detach, check_detached, round_nothing,
		exceptions, .mounts_on_success = true, .removed = "/mnt/a"};

	sweep_run(&sweep, 20);
}

NS_TEST(detaching_through_a_helper_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		HELPER_EXCEPTIONS,
		REMOVAL_EXCEPTIONS,
		{"sendmsg", 0, "the helper that removes is taken for dead", true},
		{"fchdir", 0, "the way out; the helper ends", false},
		{0},
	};
	const struct sweep sweep = {set_up_detach_in_helper, round_detach, check_detached,
		round_nothing, exceptions, .mounts_on_success = true, .is_open_ended = true,
		.removed = "/mnt/a"};

	sweep_run(&sweep, 30);
}

TEST_MAIN_PRIVILEGED()

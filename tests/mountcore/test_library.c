/* SPDX-License-Identifier: Apache-2.0 */
/* The library as other programs have it: the example, which is built against the installed files,
 * and the words that later versions give a meaning. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/source.h"

#include "box.h"

/* The exit status of mountcore/examples/attach.c for the box. */
static int run_example(const struct attach_fixture *scene, const char *source, const char *target)
{
	char number[16];
	int status = -1;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", (int)scene->box.pid);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl(EXAMPLE, EXAMPLE, source, number, target, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

SCENE_TEST(the_example_puts_a_directory_into_the_namespace_of_a_process)
{
	assert_int_equal(symlink(SOURCE, "/tmp/link"), 0);
	assert_int_equal(run_example(scene, "/tmp/link", "/mnt/data"), 0);
	assert_true(box_has_file(&scene->box, "/mnt/data/file"));
	assert_int_equal(scene_attach(scene, "/mnt/data"), -EBUSY); /* it is a mount */
}

SCENE_TEST(the_example_fails_without_a_trace)
{
	unsigned files = box_count_files(&scene->box);

	assert_int_equal(run_example(scene, "/tmp/none", "/mnt/data"), 2);
	assert_int_equal(run_example(scene, SOURCE, "/proc/data"), 1);
	assert_int_equal(box_count_files(&scene->box), files);
}

SCENE_TEST(core_open_with_a_reserved_word_is_refused)
{
	struct mc_core_args args = scene_core_args();
	struct mc_core *core = NULL;
	struct mc_err err = {0};

	(void)scene;
	args.reserved[3] = 1;
	assert_int_equal(mc_core_open(&args, &core, &err), -EINVAL);
	assert_null(core);
	assert_int_equal(err.step, MC_STEP_SETUP);
}

SCENE_TEST(attach_with_a_reserved_word_is_refused)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/data");

	args.reserved[3] = 1;
	scene_expect_refused(scene, &args, MC_STEP_SETUP, -EINVAL);
	args.reserved[3] = 0;
	args.place.reserved[0] = 1;
	scene_expect_refused(scene, &args, MC_STEP_SETUP, -EINVAL);
}

SCENE_TEST(detach_with_a_reserved_word_is_refused)
{
	struct mc_detach_args args = {.place = scene_args(scene, "/mnt/data").place};
	struct mc_err err = {0};

	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	args.path = scene->info.path;
	args.reserved[0] = 1;
	assert_int_equal(mc_detach(scene->core, &args, NULL, &err), -EINVAL);
	assert_int_equal(err.step, MC_STEP_SETUP);
	args.reserved[0] = 0;
	args.place.reserved[0] = 1;
	assert_int_equal(mc_detach(scene->core, &args, NULL, NULL), -EINVAL);
	assert_true(box_has_file(&scene->box, "/mnt/data/file"));
	assert_int_equal(scene_detach(scene, false), 0);
}

SCENE_TEST(source_compare_with_a_reserved_word_is_refused)
{
	const struct mc_source_args args = {.source = SOURCE, .reserved = {[2] = 1}};
	enum mc_source_is is = MC_SOURCE_SAME;
	struct mc_err err = {0};

	assert_int_equal(mc_source_compare(scene->core, &args, &is, &err), -EINVAL);
	assert_int_equal(err.step, MC_STEP_SOURCE);
}

TEST_MAIN_PRIVILEGED()

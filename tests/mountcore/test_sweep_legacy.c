/* SPDX-License-Identifier: Apache-2.0 */
/* Each kernel call of an attach by block device, made to fail. */
#include <stdlib.h>
#include <sys/stat.h>

#include "disk.h"
#include "sweep.h"

static struct mc_attach_args disk_args(const struct attach_fixture *scene)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a/b");

	args.source = DISK_SOURCE;
	return args;
}

static int attach(struct attach_fixture *scene)
{
	const struct mc_attach_args args = disk_args(scene);

	return scene_attach_args(scene, &args);
}

static void check(const struct attach_fixture *scene, int rc)
{
	struct stat found;

	assert_int_equal(stat(box_path(&scene->box, "/mnt/a/b/file"), &found) == 0, rc == 0);
}

static void take_out(struct attach_fixture *scene)
{
	assert_int_equal(scene_detach(scene, false), 0);
}

NS_TEST(attaching_a_disk_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {{0}};
	const struct sweep sweep = {
		round_nothing, attach, check, take_out, exceptions, .mounts_on_success = true};

	disk_open();
	sweep_run(&sweep, 80);
	disk_close();
}

int main(void)
{
	setenv("HOSTVOL_WITHOUT", "open_tree", 1);
	setenv("HOSTVOL_LEGACY", "1", 1);
	return hv_run_tests_privileged();
}

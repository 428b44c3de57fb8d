/* SPDX-License-Identifier: Apache-2.0 */
/* test_refusal FEATURE — run under deny_syscall: without a call that is needed an attach is refused
 * before anything is touched, and FEATURE is reported missing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "box.h"

static const char *denied;

static unsigned find_feature(const char *name)
{
	for (unsigned bit = 1; mc_feature_name(bit); bit <<= 1)
		if (strcmp(mc_feature_name(bit), name) == 0)
			return bit;
	return 0;
}

SCENE_TEST(an_attach_without_a_needed_call_is_refused)
{
	unsigned fds, files, feature = find_feature(denied);
	char *before, *after;

	assert_int_not_equal(feature, 0);
	assert_int_equal(mc_core_features(scene->core) & feature, 0);
	fds = hv_count_fds();
	files = box_count_files(&scene->box);
	before = read_mounts(scene->box.pid);
	assert_int_equal(scene_attach(scene, "/mnt/a/b"), -ENOSYS);
	assert_int_equal(scene->err.code, -ENOSYS);
	assert_int_equal(scene->err.step, MC_STEP_SETUP);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	assert_int_equal(box_count_files(&scene->box), files);
	assert_int_equal(hv_count_fds(), fds);
	free(before);
	free(after);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 64;
	denied = argv[1];
	return hv_run_tests_privileged();
}

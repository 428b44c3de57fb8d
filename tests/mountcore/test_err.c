/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "mountcore/err.h"
#include "support/hv_test.h"

TEST(the_first_failure_is_kept)
{
	struct mc_err err = {0};

	assert_int_equal(mc_err_set(&err, MC_STEP_CLONE, -EINVAL), -EINVAL);
	assert_int_equal(mc_err_set(&err, MC_STEP_MOVE, -ENOENT), -ENOENT);
	assert_int_equal(err.code, -EINVAL);
	assert_int_equal(err.step, MC_STEP_CLONE);
}

TEST(success_fills_nothing)
{
	struct mc_err err = {0};

	assert_int_equal(mc_err_set(&err, MC_STEP_CLONE, 0), 0);
	assert_int_equal(err.code, 0);
	assert_int_equal(err.step, MC_STEP_NONE);
}

TEST(nobody_has_to_be_told)
{
	assert_int_equal(mc_err_set(NULL, MC_STEP_CLONE, -EPERM), -EPERM);
}

TEST(every_step_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < MC_STEP_COUNT; i++) {
		assert_non_null(mc_step_name((enum mc_step)i));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				mc_step_name((enum mc_step)i), mc_step_name((enum mc_step)k));
	}
}

TEST(a_step_out_of_range_has_the_name_of_none)
{
	assert_string_equal(mc_step_name(MC_STEP_COUNT), mc_step_name(MC_STEP_NONE));
	assert_string_equal(mc_step_name((enum mc_step) - 1), mc_step_name(MC_STEP_NONE));
}

TEST(a_seccomp_filter_counts_as_a_missing_call)
{
	static const int yes[] = {-ENOSYS, -EPERM, -EOPNOTSUPP};
	static const int no[] = {0, ENOSYS, -EINVAL, -EACCES, -ENOENT, -EBADF};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(mc_err_is_unsupported(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(mc_err_is_unsupported(no[i]));
}

TEST_MAIN()

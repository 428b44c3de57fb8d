/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"
#include "volume/explain.h"

static const struct hv_error_subject names = {.volume = "data",
	.source = "/srv/data",
	.container = "web",
	.target = "/mnt/data",
	.subpath = "a/b"};

static const int errors[] = {ENOENT, ENOTDIR, ELOOP, ESTALE, EROFS, E2BIG, EEXIST, EXDEV, ENOSPC,
	EBUSY, EPERM, EACCES, EINVAL, ESRCH, ENOSYS, ENOMEM, ETIMEDOUT, EIO, EMFILE, ENAMETOOLONG,
	EOPNOTSUPP, ECHILD, ERANGE, 0, 9999};

enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

static void explain(
	struct hv_error *err, enum mc_step step, int error, const struct hv_error_subject *who)
{
	const struct mc_err cause = {.code = -error, .step = step};
	enum hv_code code = hv_error_from_mount(err, &cause, who);

	assert_int_equal(code, err->code);
}

TEST(every_failure_gets_a_code_and_a_sentence)
{
	for (unsigned step = MC_STEP_NONE; step <= MC_STEP_COUNT; step++) {
		for (size_t i = 0; i < ERRORS; i++) {
			struct hv_error err = {0};

			explain(&err, (enum mc_step)step, errors[i], &names);
			assert_int_not_equal(err.code, HV_OK);
			assert_true(strlen(hv_error_text(&err)) > 10);
			assert_null(strstr(hv_error_text(&err), "(null)"));
			assert_true(!err.hint || !strstr(err.hint, "(null)"));
			hv_error_done(&err);
		}
	}
}

/* A sentence names the container and the path, or the volume or its directory. */
TEST(every_sentence_names_what_it_speaks_of)
{
	for (unsigned step = MC_STEP_NONE; step < MC_STEP_COUNT; step++) {
		for (size_t i = 0; i < ERRORS; i++) {
			struct hv_error err = {0};
			const char *text;

			explain(&err, (enum mc_step)step, errors[i], &names);
			text = hv_error_text(&err);
			if (err.code != HV_UNSUPPORTED)
				assert_true(strstr(text, "'web'") || strstr(text, "'data'") ||
					    strstr(text, "/srv/data"));
			assert_true(text[strlen(text) - 1] != '.');
			hv_error_done(&err);
		}
	}
}

/* The mount may be found by the path that the volume's subpath leads to only. */
TEST(a_mount_that_passes_nothing_on_is_told_with_the_subpath)
{
	static const int all[] = {EINVAL, ENOENT, ENOSYS, EIO};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct hv_error err = {0};

		explain(&err, MC_STEP_PROPAGATION, all[i], &names);
		assert_non_null(strstr(hv_error_text(&err), "'data'"));
		assert_non_null(strstr(hv_error_text(&err), "/mnt/data in container 'web'"));
		if (all[i] == EINVAL)
			assert_non_null(strstr(err.hint, "-T /srv/data/a/b"));
		hv_error_done(&err);
	}
}

TEST(a_source_that_maps_owners_already_can_be_attached_without_a_map)
{
	struct hv_error err = {0};

	explain(&err, MC_STEP_IDMAP, EPERM, &names);
	assert_int_equal(err.code, HV_UNSUPPORTED);
	assert_non_null(strstr(hv_error_text(&err), "maps owners already"));
	assert_non_null(strstr(err.hint, "--idmap never"));
	hv_error_done(&err);
}

TEST(an_owner_that_cannot_be_shown_names_volume_and_file_system)
{
	static const struct {
		enum mc_step step;
		int error;
		enum hv_code code;
		const char *text, *hint;
	} cases[] = {
		{MC_STEP_IDMAP, EINVAL, HV_UNSUPPORTED,
			"the owner of volume 'data' cannot be shown as 1000:1000: the file system of /srv/data (nfs4), or of a mount in it, cannot map owners on this kernel",
			"ext4"},
		{MC_STEP_IDMAP, ENOSYS, HV_UNSUPPORTED,
			"this kernel cannot show the owner of volume 'data' as 1000:1000", "5.12"},
		{MC_STEP_IDMAP, EPERM, HV_UNSUPPORTED,
			"the owner of volume 'data' cannot be shown as 1000:1000: the mount of /srv/data (nfs4), or a mount in it, maps owners already",
			"findmnt -R -T /srv/data"},
		{MC_STEP_USERNS, ENOSPC, HV_UNSUPPORTED,
			"the owner of volume 'data' cannot be shown as 1000:1000: the kernel allows no further user namespace",
			"user.max_user_namespaces"},
	};
	struct hv_error_subject with = names;

	with.as = "1000:1000";
	with.fstype = "nfs4";
	for (size_t i = 0; i < 2 * (sizeof(cases) / sizeof(cases[0])); i++) {
		struct hv_error err = {0};

		with.container = i % 2 ? "web" : NULL; /* else a mount for Docker */
		explain(&err, cases[i / 2].step, cases[i / 2].error, &with);
		assert_int_equal(err.code, cases[i / 2].code);
		assert_string_equal(hv_error_text(&err), cases[i / 2].text);
		assert_non_null(strstr(err.hint, cases[i / 2].hint));
		hv_error_done(&err);
	}
}

TEST(one_that_ends_while_it_is_replaced_is_a_change)
{
	struct hv_error err = {0};

	explain(&err, MC_STEP_REPLACE, ENOENT, &names);
	assert_int_equal(err.code, HV_CONTAINER_CHANGED);
	hv_error_done(&err);
}

/* Docker's own Mount has no container, opening a container no volume. */
TEST(names_that_are_not_known_are_left_out)
{
	static const struct hv_error_subject docker = {
		.volume = "data", .source = "/srv/data", .target = "/data"};
	static const struct hv_error_subject container = {.container = "web"};

	for (unsigned step = MC_STEP_NONE; step < MC_STEP_COUNT; step++) {
		for (size_t i = 0; i < ERRORS; i++) {
			struct hv_error err = {0};

			explain(&err, (enum mc_step)step, errors[i], &docker);
			assert_null(strstr(hv_error_text(&err), "(null)"));
			assert_null(strstr(hv_error_text(&err), "container '"));
			assert_true(!err.hint || !strstr(err.hint, "detach"));
			explain(&err, (enum mc_step)step, errors[i], &container);
			assert_null(strstr(hv_error_text(&err), "(null)"));
			hv_error_done(&err);
		}
	}
}

TEST(the_failures_of_the_contract_have_their_codes)
{
	static const struct {
		enum mc_step step;
		int error;
		enum hv_code code;
	} cases[] = {
		{MC_STEP_SOURCE, ENOENT, HV_SOURCE_MISSING},
		{MC_STEP_SOURCE, ELOOP, HV_SOURCE_REFUSED},
		{MC_STEP_SOURCE, ENOTDIR, HV_SOURCE_REFUSED},
		{MC_STEP_PROCESS, ESRCH, HV_NOT_RUNNING},
		{MC_STEP_PROCESS, EPERM, HV_DENIED},
		{MC_STEP_PROCESS, EXDEV, HV_TARGET_REFUSED},
		{MC_STEP_TARGET, ENOENT, HV_TARGET_MISSING},
		{MC_STEP_TARGET, ENOTDIR, HV_TYPE_MISMATCH},
		{MC_STEP_TARGET, ELOOP, HV_TARGET_REFUSED},
		{MC_STEP_TARGET, ESTALE, HV_CONTAINER_CHANGED},
		{MC_STEP_REFUSED, EACCES, HV_TARGET_REFUSED},
		{MC_STEP_TYPE, ENOTDIR, HV_TYPE_MISMATCH},
		{MC_STEP_OCCUPIED, EBUSY, HV_TARGET_EXISTS},
		{MC_STEP_SHARED, EINVAL, HV_TARGET_REFUSED},
		{MC_STEP_MKDIR, EROFS, HV_TARGET_MISSING},
		{MC_STEP_MKDIR, E2BIG, HV_TARGET_REFUSED},
		{MC_STEP_TARGET, ENAMETOOLONG, HV_BAD_REQUEST},
		{MC_STEP_SUBPATH, EAGAIN, HV_TIMEOUT},
		{MC_STEP_CLONE, EINVAL, HV_SOURCE_REFUSED},
		{MC_STEP_MKDIR, ENOSPC, HV_TARGET_MISSING},
		{MC_STEP_MOVE, ENOSPC, HV_UNSUPPORTED},
		{MC_STEP_MOVE, ELOOP, HV_SOURCE_REFUSED},
		{MC_STEP_MOVE, ENOENT, HV_CONTAINER_CHANGED},
		{MC_STEP_VERIFY, ESTALE, HV_CONTAINER_CHANGED},
		{MC_STEP_UMOUNT, EBUSY, HV_BUSY},
		{MC_STEP_UMOUNT, EINVAL, HV_CONTAINER_CHANGED},
		{MC_STEP_IDENTITY, ESTALE, HV_BUSY},
		{MC_STEP_HELPER, ETIMEDOUT, HV_TIMEOUT},
		{MC_STEP_HELPER, EALREADY, HV_TIMEOUT},
		{MC_STEP_HELPER, EUSERS, HV_TIMEOUT},
		{MC_STEP_SETUP, ENOSYS, HV_UNSUPPORTED},
		{MC_STEP_SETUP, ENOMEM, HV_INTERNAL},
		{MC_STEP_CLONE, ENOSYS, HV_UNSUPPORTED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_error err = {0};

		explain(&err, cases[i].step, cases[i].error, &names);
		assert_string_equal(hv_code_name(err.code), hv_code_name(cases[i].code));
		hv_error_done(&err);
	}
}

TEST(a_path_that_had_a_symlink_is_told_next_to_where_it_led)
{
	static const struct {
		const char *asked;
		bool is_told;
	} cases[] = {{"/srv/current", true}, {"/srv/rel", false}, {"/srv//rel/1/", false},
		{NULL, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hv_error_subject who = {.volume = "cur",
			.source = "/srv/rel/1",
			.container = "web",
			.target = "/d",
			.asked = cases[i].asked};
		struct hv_error err = {0};

		explain(&err, MC_STEP_SOURCE, ENOENT, &who);
		assert_int_equal(err.code, HV_SOURCE_MISSING);
		assert_non_null(strstr(hv_error_text(&err), "/srv/rel/1"));
		assert_int_equal(
			strstr(hv_error_text(&err), "/srv/current") != NULL, cases[i].is_told);
		hv_error_done(&err);
	}
}

TEST(a_server_that_ended_is_a_source_that_does_not_answer)
{
	static const int dead[] = {ENOTCONN, ESTALE, EIO, EHOSTDOWN};
	static const struct hv_error_subject docker = {.volume = "data", .source = "/srv/data"};

	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
		struct hv_error err = {0};

		explain(&err, MC_STEP_SOURCE, dead[i], i % 2 ? &docker : &names);
		assert_int_equal(err.code, HV_SOURCE_MISSING);
		assert_non_null(strstr(hv_error_text(&err), "does not answer"));
		assert_non_null(err.hint);
		hv_error_done(&err);
	}
}

TEST(a_server_that_refuses_root_is_hinted_at)
{
	struct hv_error err = {0};

	explain(&err, MC_STEP_SOURCE, EACCES, &names);
	assert_int_equal(err.code, HV_SOURCE_REFUSED);
	assert_non_null(strstr(err.hint, "allow_other"));
	hv_error_done(&err);
}

TEST_MAIN()

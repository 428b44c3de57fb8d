/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the host is attached by its path: a volume stands for it only meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "reconciler_fixture.h"
#include "rows.h"
#include "scratch.h"

/* Read a request as it would come. */
static enum hv_code read_request(const char *json, struct hv_error *err)
{
	hv_auto_attach_request struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	enum hv_code code = hv_attach_request_read(json, strlen(json), &request, err);

	if (code == HV_OK)
		assert_true((request.volume != NULL) != (request.path != NULL));
	return code;
}

TEST(attach_request_read_takes_one_source)
{
	static const struct {
		const char *source, *sentence; /* NULL: it is right */
	} cases[] = {
		{"\"Volume\":\"data\"", NULL},
		{"\"Source\":{\"Volume\":\"data\"}", NULL},
		{"\"Source\":{\"Path\":\"/srv\"}", NULL},
		{"\"Source\":null,\"Volume\":\"data\"", NULL},
		{"\"ReadOnly\":true", "\"Volume\" is missing"},
		{"\"Volume\":\"\"", "\"Volume\" is empty"},
		{"\"Volume\":\"data\",\"Source\":{\"Path\":\"/srv\"}", "goes without \"Source\""},
		{"\"Source\":{}", "\"Volume\" is missing"},
		{"\"Source\":{\"Path\":\"\"}", "\"Path\" is empty"},
		{"\"Source\":{\"Dir\":\"/srv\"}", "\"Source\" must have"},
		{"\"Source\":{\"Path\":\"/srv\",\"Volume\":\"data\"}", "\"Source\" must have"},
		{"\"Source\":\"/srv\"", "\"Source\" must be an object"},
		{"\"Source\":{\"Path\":7}", "must be a string"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_error err = {0};
		char json[256];

		snprintf(json, sizeof(json), "{%s,\"Container\":\"web\",\"Target\":\"/m\"}",
			cases[i].source);
		assert_int_equal(
			read_request(json, &err), cases[i].sentence ? HV_BAD_REQUEST : HV_OK);
		if (cases[i].sentence)
			assert_non_null(strstr(hv_error_text(&err), cases[i].sentence));
		hv_error_done(&err);
	}
}

/* The part of a request that a test varies. */
struct wish {
	const char *target;  /* NULL: the fixture's */
	const char *subpath; /* NULL: none */
	const char *as;      /* NULL: as it is */
	bool make_source;
};

static enum hv_code attach_path(
	struct fixture *fixture, const char *path, const struct wish *wish, struct hv_error *err)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	hv_auto_attachment struct hv_attachment attachment = {0};
	char container[] = ID;
	enum hv_code code;

	request.path = path;
	request.container = container;
	request.target = wish->target ? (char *)(uintptr_t)wish->target : fixture->target;
	request.subpath = (char *)(uintptr_t)wish->subpath;
	request.as = (char *)(uintptr_t)wish->as;
	request.make_source = wish->make_source;
	code = hv_attach(fixture->attacher, &request, &attachment, err);
	if (code == HV_OK) {
		assert_string_equal(attachment.volume, path);
		assert_null(attachment.driver);
		assert_string_equal(attachment.as ? attachment.as : "", wish->as ? wish->as : "");
	}
	return code;
}

RECONCILER_TEST(a_path_is_attached_and_nothing_is_left_after_the_last_detach)
{
	struct volume_fixture *world = fixture->world;
	char *path = scratch_path(world->dir, "srv"), *other = scratch_path(world->dir, "other");
	const struct wish elsewhere = {.target = other}, here = {0};
	struct hv_error err = {0};
	struct hv_volume volume = {0};
	hv_auto_volume_list struct hv_volume_list list = {0};
	size_t before;

	world_mkdir(world, "srv");
	world_mkdir(world, "other");
	start_engine(fixture);
	start_container(fixture);
	before = row_count_volumes(world->store);
	assert_int_equal(attach_path(fixture, path, &here, &err), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(attach_path(fixture, path, &here, &err), HV_OK);
	assert_int_equal(row_count_records(world->store, NULL, path, NULL), 1);
	assert_int_equal(attach_path(fixture, path, &elsewhere, &err), HV_OK);
	/* Only attachments know it. */
	assert_int_equal(row_count_volumes(world->store), before + 1);
	assert_int_equal(hv_volume_get(world->volumes, path, &volume, &err), HV_NO_SUCH_VOLUME);
	hv_volume_done(&volume);
	hv_error_done(&err);
	assert_int_equal(hv_volumes_list(world->volumes, &list, &err), HV_OK);
	assert_int_equal(list.count, before);
	assert_int_equal(world_remove(world, path), HV_NO_SUCH_VOLUME);
	assert_int_equal(world_set(world, path, "ro=true", NULL), HV_NO_SUCH_VOLUME);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_true(row_has_volume(world->store, path));
	assert_int_equal(detach_from(fixture, other), HV_OK);
	assert_false(row_has_volume(world->store, path));
	assert_true(world_has(world, "srv"));
	hv_error_done(&err);
	free(path);
	free(other);
}

/* The world is a tmpfs, which can be mapped from 6.3 on. */
RECONCILER_TEST(a_path_has_the_owner_that_is_asked_for)
{
	char *path = scratch_path(fixture->world->dir, "srv"), inside[PATH_MAX];
	const struct wish owned = {.as = "1000:1001"}, other = {.as = "2000"};
	struct hv_error err = {0};
	struct stat is;
	enum hv_code code;

	world_mkdir(fixture->world, "srv");
	start_engine(fixture);
	start_container(fixture);
	code = attach_path(fixture, path, &owned, &err);
	if (code == HV_OK) {
		snprintf(inside, sizeof(inside), "/proc/%d/root%s", (int)fixture->pid,
			fixture->target);
		assert_int_equal(stat(inside, &is), 0);
		assert_int_equal(is.st_uid, 1000);
		assert_int_equal(is.st_gid, 1001);
		assert_int_equal(attach_path(fixture, path, &other, &err), HV_TARGET_EXISTS);
		hv_error_done(&err);
		assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	} else {
		assert_int_equal(code, HV_UNSUPPORTED);
	}
	assert_false(row_has_volume(fixture->world->store, path));
	hv_error_done(&err);
	free(path);
}

RECONCILER_TEST(a_path_is_attached_again_at_each_start)
{
	char *path = scratch_path(fixture->world->dir, "srv");
	const struct wish here = {0};
	struct hv_error err = {0};

	world_mkdir(fixture->world, "srv");
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach_path(fixture, path, &here, &err), HV_OK);
	stop_container(fixture);
	assert_int_equal(hv_volumes_recover(fixture->world->volumes, &err), HV_OK);
	assert_true(row_has_volume(fixture->world->store, path));
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	free(path);
}

RECONCILER_TEST(a_missing_path_is_refused_or_made)
{
	struct volume_fixture *world = fixture->world;
	char *path = scratch_path(world->dir, "new/dir"), *file = scratch_path(world->dir, "file");
	const struct wish here = {0}, make = {.make_source = true},
			  fails = {.target = file, .make_source = true};
	struct hv_error err = {0};

	world_write(world, "file", "");
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach_path(fixture, path, &here, &err), HV_SOURCE_MISSING);
	assert_non_null(strstr(err.hint, "--mkdir"));
	hv_error_done(&err);
	assert_int_equal(attach_path(fixture, path, &fails, &err), HV_TYPE_MISMATCH);
	assert_false(world_has(world, "new"));
	assert_false(row_has_volume(world->store, path));
	hv_error_done(&err);
	assert_int_equal(attach_path(fixture, path, &make, &err), HV_OK);
	assert_true(world_has(world, "new/dir"));
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_true(world_has(world, "new/dir"));
	assert_false(row_has_volume(world->store, path));
	free(path);
	free(file);
}

RECONCILER_TEST(a_missing_subpath_is_made_with_the_owner_and_mode_of_the_source)
{
	struct volume_fixture *world = fixture->world;
	char *path = scratch_path(world->dir, "srv"), *made = scratch_path(world->dir, "srv/a/b");
	char *file = scratch_path(world->dir, "file");
	const struct wish make = {.subpath = "a/b", .make_source = true},
			  refused = {.subpath = "a/b"},
			  fails = {.target = file, .subpath = "a/b", .make_source = true};
	struct hv_error err = {0};
	struct stat is;

	world_mkdir(world, "srv");
	world_write(world, "file", "");
	assert_int_equal(chmod(path, 0751), 0);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach_path(fixture, path, &refused, &err), HV_SOURCE_MISSING);
	hv_error_done(&err);
	(void)!attach_path(fixture, path, &fails, &err);
	assert_int_not_equal(err.code, HV_OK);
	assert_false(world_has(world, "srv/a"));
	hv_error_done(&err);
	assert_int_equal(attach_path(fixture, path, &make, &err), HV_OK);
	assert_int_equal(stat(made, &is), 0);
	assert_int_equal(is.st_mode & 07777, 0751);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	free(path);
	free(made);
	free(file);
}

RECONCILER_TEST(a_path_that_leads_elsewhere_now_is_refused_while_it_is_attached)
{
	struct volume_fixture *world = fixture->world;
	char *link = scratch_path(world->dir, "link"), *other = scratch_path(world->dir, "other");
	const struct wish here = {0}, elsewhere = {.target = other};
	struct hv_error err = {0};

	world_mkdir(world, "one");
	world_mkdir(world, "two");
	world_mkdir(world, "other");
	assert_int_equal(symlink("one", link), 0);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach_path(fixture, link, &here, &err), HV_OK);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("two", link), 0);
	assert_int_equal(attach_path(fixture, link, &elsewhere, &err), HV_SOURCE_REFUSED);
	assert_non_null(strstr(hv_error_text(&err), "and leads to"));
	hv_error_done(&err);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_int_equal(attach_path(fixture, link, &elsewhere, &err), HV_OK);
	assert_int_equal(detach_from(fixture, other), HV_OK);
	free(link);
	free(other);
}

/* The daemon was killed between the two records. */
RECONCILER_TEST(a_borrowed_volume_without_an_attachment_is_taken_back_at_start)
{
	struct volume_fixture *world = fixture->world;
	char *path = scratch_path(world->dir, "new");
	const struct hv_foreign foreign = {.name = path, .path = path, .mkdir = true};
	hv_auto_volume struct hv_volume volume = {0}, looked = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_volume_borrow(world->volumes, &foreign, true, &looked, &err), HV_OK);
	assert_int_equal(looked.phase, HV_VOLUME_CREATING);
	assert_false(world_has(world, "new"));
	assert_false(row_has_volume(world->store, path));
	assert_int_equal(hv_volume_borrow(world->volumes, &foreign, false, &volume, &err), HV_OK);
	assert_true(world_has(world, "new"));
	row_expect_unfinished(world->store, path, HV_ATTACHING);
	assert_int_equal(hv_volumes_recover(world->volumes, &err), HV_OK);
	assert_false(row_has_volume(world->store, path));
	assert_false(world_has(world, "new"));
	free(path);
}

RECONCILER_TEST(a_path_outside_of_hostvol_allow_is_refused)
{
	struct volume_fixture *world = fixture->world;
	char *path = scratch_path(world->dir, "srv"),
	     *inside = scratch_path(world->state, "volumes");
	const struct wish here = {0};
	struct hv_error err = {0};

	world_mkdir(world, "srv");
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach_path(fixture, inside, &here, &err), HV_SOURCE_REFUSED);
	hv_error_done(&err);
	world->allow[0] = "/nowhere";
	assert_int_equal(attach_path(fixture, path, &here, &err), HV_SOURCE_REFUSED);
	assert_non_null(strstr(err.hint, "HOSTVOL_ALLOW"));
	assert_false(row_has_volume(world->store, path));
	hv_error_done(&err);
	world->allow[0] = "/";
	free(path);
	free(inside);
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, and a kind that is one more row of it. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/hv_test.h"
#include "wire/kind.h"

#include "api_fixture.h"
#include "kind_nested.h"
#include "kinds.h"
#include "scratch.h"
#include "volumes.h"

/* The table of a version of hostvol with one kind more. */
static const struct hv_volume_kind *const five[] = {
	&hv_kind_nested,
	&hv_kind_path,
	&hv_kind_alias,
	&hv_kind_filesystem,
	&hv_kind_managed,
	NULL,
};

TEST(every_kind_has_a_name_and_the_operations_that_are_called_unasked)
{
	size_t count = 0;

	for (; hv_volume_kinds[count]; count++) {
		const struct hv_volume_kind *kind = hv_volume_kinds[count];

		assert_true(kind->name && *kind->name);
		assert_int_not_equal(hv_kind_parse(kind->name), HV_KIND_UNKNOWN);
		assert_true(kind->claims && kind->resolve && kind->make && kind->acquire);
		assert_true(kind->may_be_in_state || !kind->own_directory);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(kind->name, hv_volume_kinds[i]->name);
	}
	assert_int_equal(count, 6);
}

TEST(kind_parse_of_another_word_is_unknown)
{
	assert_int_equal(hv_kind_parse("path"), HV_KIND_PATH);
	assert_int_equal(hv_kind_parse("Path"), HV_KIND_UNKNOWN);
	assert_int_equal(hv_kind_parse("nested"), HV_KIND_UNKNOWN);
	assert_int_equal(hv_kind_parse(""), HV_KIND_UNKNOWN);
	assert_int_equal(hv_kind_parse(NULL), HV_KIND_UNKNOWN);
}

TEST(options_are_claimed_by_one_kind)
{
	const struct hv_volumes volumes = {.kinds = hv_volume_kinds}, none = {.kinds = NULL};
	const struct {
		struct hv_volume_options options;
		const char *kind;
	} cases[] = {
		{{.path = NULL}, "managed"},
		{{.size_bytes = 1}, "managed"},
		{{.path = "/srv"}, "path"},
		{{.path = "/srv", .type = "none", .device = "/srv", .o = "bind"}, "path"},
		{{.from = "data"}, "alias"},
		{{.type = "tmpfs", .device = "tmpfs", .o = ""}, "filesystem"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			hv_kind_choose(&volumes, &cases[i].options)->name, cases[i].kind);
	assert_null(hv_kind_choose(&none, &cases[0].options));
}

static const char *status_text(struct fixture *fixture, const char *name)
{
	struct json_object *volume = json_object_object_get(fixture->body, "Volume");
	struct json_object *status = json_object_object_get(volume, "Status");

	return json_object_get_string(json_object_object_get(status, name));
}

#define DATA "{\"Name\":\"data\",\"ID\":\"a\"}"
#define OTHER_MOUNT "{\"Name\":\"other\",\"ID\":\"a\"}"
#define OTHER "{\"Name\":\"other\",\"Opts\":{\"from\":\"data\"}}"

/* Returns the HTTP status. */
static unsigned create_nested(struct fixture *fixture)
{
	char *body = NULL;
	unsigned status;

	assert_true(
		asprintf(&body,
			"{\"Name\":\"data\",\"Opts\":{\"type\":\"nested\",\"device\":\"%s/srv\"}}",
			fixture->world->dir) >= 0);
	status = call(fixture, "/VolumeDriver.Create", body);
	free(body);
	return status;
}

static void make_nested(struct fixture *fixture)
{
	fixture->world->volumes->kinds = five;
	world_mkdir(fixture->world, "srv");
	assert_int_equal(create_nested(fixture), 200);
}

API_TEST(a_fifth_kind_is_created_shown_mounted_and_removed)
{
	struct fixture *fixture = *state;
	struct volume_fixture *world = fixture->world;
	char *source = scratch_path(world->dir, "srv/data");

	make_nested(fixture);
	assert_int_equal(create_nested(fixture), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", DATA), 200);
	assert_string_equal(status_text(fixture, "kind"), "nested");
	assert_string_equal(status_text(fixture, "source"), source);
	world_write(world, "srv/data/file", "text");
	assert_int_equal(call(fixture, "/VolumeDriver.Mount", DATA), 200);
	assert_true(world_has(world, "mounts/data/file"));
	assert_int_equal(call(fixture, "/VolumeDriver.Unmount", DATA), 200);
	assert_false(world_has(world, "mounts/data"));
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", DATA), 200);
	assert_true(world_has(world, "srv/data/file")); /* it is not empty */
	free(source);
}

API_TEST(a_fifth_kind_takes_back_what_came_to_nothing)
{
	struct fixture *fixture = *state;
	struct volume_fixture *world = fixture->world;

	make_nested(fixture);
	assert_true(world_has(world, "srv/data"));
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "data", HV_VOLUME_CREATING, &world->err),
		HV_OK);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	assert_false(world_has(world, "srv/data"));
	assert_true(world_has(world, "srv"));
	assert_int_equal(create_nested(fixture), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", DATA), 200);
	assert_false(world_has(world, "srv/data"));
}

API_TEST(an_alias_answers_by_the_kind_of_its_origin)
{
	struct fixture *fixture = *state;
	struct hv_volume volume = {0};
	struct hv_volume_ref use = {.volumes = NULL};
	struct volume_fixture *world = fixture->world;

	make_nested(fixture);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", OTHER), 200);
	assert_int_equal(hv_store_volume_get(world->store, "other", &volume, &world->err), HV_OK);
	assert_int_equal(hv_volume_acquire(world->volumes, &volume, &use, &world->err), HV_OK);
	assert_true(use.attr.set != 0); /* which nested adds */
	hv_volume_release(&use);
	hv_volume_done(&volume);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", DATA), 409);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", OTHER), 200);
	assert_true(world_has(world, "srv/data"));
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", DATA), 200);
	assert_false(world_has(world, "srv/data"));
}

static void expect_unknown(struct fixture *fixture, const char *endpoint, const char *body)
{
	assert_int_equal(call(fixture, endpoint, body), 501);
	assert_string_equal(text_at(fixture, "Code"), "unsupported");
	assert_non_null(strstr(text_at(fixture, "Err"), "volume 'data' is of the kind 'nested'"));
}

API_TEST(a_kind_of_a_newer_version_is_shown_and_refused)
{
	struct fixture *fixture = *state;
	struct volume_fixture *world = fixture->world;

	make_nested(fixture);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", OTHER), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Mount", DATA), 200);
	world->volumes->kinds = hv_volume_kinds;
	assert_int_equal(call(fixture, "/VolumeDriver.Get", DATA), 200);
	assert_string_equal(status_text(fixture, "kind"), "nested");
	assert_int_equal(call(fixture, "/VolumeDriver.List", "{}"), 200);
	expect_unknown(fixture, "/VolumeDriver.Mount", DATA);
	expect_unknown(fixture, "/VolumeDriver.Mount", OTHER_MOUNT);
	expect_unknown(fixture, "/HotSet", "{\"Volume\":\"data\",\"Opts\":{\"ro\":\"true\"}}");
	expect_unknown(fixture, "/VolumeDriver.Create",
		"{\"Name\":\"third\",\"Opts\":{\"from\":\"data\"}}");
	assert_int_equal(call(fixture, "/VolumeDriver.Unmount", DATA), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", OTHER), 200);
	expect_unknown(fixture, "/VolumeDriver.Remove", DATA);
	assert_true(world_has(world, "srv/data"));
	world->volumes->kinds = five;
	assert_int_equal(call(fixture, "/VolumeDriver.Mount", DATA), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Unmount", DATA), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", DATA), 200);
	assert_false(world_has(world, "srv/data"));
}

/* A newer version finishes its own work on a volume: leave that alone. */
API_TEST(a_kind_of_a_newer_version_is_not_finished)
{
	static const enum hv_phase phases[] = {HV_VOLUME_CREATING, HV_REMOVING, HV_ATTACHING};
	struct fixture *fixture = *state;
	struct volume_fixture *world = fixture->world;

	make_nested(fixture);
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		world->volumes->kinds = hv_volume_kinds;
		assert_int_equal(
			hv_store_volume_set_phase(world->store, "data", phases[i], &world->err),
			HV_OK);
		assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
		assert_true(world_has(world, "srv/data"));
		if (phases[i] != HV_ATTACHING) { /* in which it exists */
			expect_unknown(fixture, "/VolumeDriver.Create", DATA);
			expect_unknown(fixture, "/VolumeDriver.Remove", DATA);
		}
		world->volumes->kinds = five;
		assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
		assert_false(row_has_volume(world->store, "data"));
		assert_false(world_has(world, "srv/data"));
		assert_int_equal(create_nested(fixture), 200);
	}
}

TEST_MAIN_IN_NAMESPACE()

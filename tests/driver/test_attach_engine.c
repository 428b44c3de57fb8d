/* SPDX-License-Identifier: Apache-2.0 */
/* A volume of another driver of the Engine is attached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "support/hv_test.h"

#include "reconciler_fixture.h"
#include "rows.h"
#include "scratch.h"

/* The answer to GET /volumes/lv. */
struct told {
	const char *driver, *directory, *options; /* of the world's directory */
};

static void tell_volume(struct fixture *fixture, const struct told *told)
{
	char *answer = NULL;

	assert_true(asprintf(&answer,
			    HEAD("200 OK") CLOSED
			    "{\"Name\":\"lv\",\"Driver\":\"%s\",\"Mountpoint\":\"%s/%s\","
			    "\"Options\":%s}",
			    told->driver, fixture->world->dir, told->directory, told->options) > 0);
	fake_engine_set(fixture->fake, "/volumes/lv", answer);
	free(answer);
}

#define KEEPER                                                                                     \
	"{\"Id\":\"k1\",\"Names\":[\"/hostvol-keeps-lv\"],\"State\":\"running\","                  \
	"\"Labels\":{\"hostvol.keeps\":\"lv\"}}"
#define STATE(running, pid)                                                                        \
	HEAD("200 OK")                                                                             \
	CLOSED "{\"Id\":\"k1\",\"Name\":\"/hostvol-keeps-lv\",\"State\":{\"Running\":" running     \
	       ",\"Pid\":" pid ",\"StartedAt\":\"2999-01-01T00:00:00Z\"}}"
#define LIST(items) HEAD("200 OK") CLOSED "[" items "]"
#define DONE HEAD("204 No Content") "\r\n"
#define IMAGE "/images/hostvol-keeper:1"

/* An Engine that has the keeper, which runs. */
static void tell_keeper(struct fixture *fixture)
{
	fake_engine_set(fixture->fake, "/containers/json",
		LIST("{\"Id\":\"other\",\"Labels\":null}," KEEPER));
	fake_engine_set(fixture->fake, "/containers/k1/json", STATE("true", "7"));
	fake_engine_set(fixture->fake, "/containers/k1", DONE);
	fake_engine_set(fixture->fake, IMAGE, HEAD("200 OK") CLOSED "[]");
}

static void begin_with_keeper(struct fixture *fixture)
{
	start_engine(fixture);
	start_container(fixture);
	tell_keeper(fixture);
}

static void answer(struct fixture *fixture, const char *path, const char *status)
{
	char bytes[256];

	snprintf(bytes, sizeof(bytes), "HTTP/1.1 %s\r\n" CLOSED "{\"message\":\"not today\"}",
		status);
	fake_engine_set(fixture->fake, path, bytes);
}

static enum hv_code attach_lv_as(struct fixture *fixture, const char *target, const char *as,
	struct hv_attachment *ret, struct hv_error *err)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	char container[] = ID, volume[] = "lv";

	request.volume = volume;
	request.container = container;
	request.target = (char *)(uintptr_t)target;
	request.as = (char *)(uintptr_t)as;
	return hv_attach(fixture->attacher, &request, ret, err);
}

static enum hv_code attach_lv(struct fixture *fixture, const char *target,
	struct hv_attachment *ret, struct hv_error *err)
{
	return attach_lv_as(fixture, target, NULL, ret, err);
}

RECONCILER_TEST(a_local_volume_is_attached_by_its_name)
{
	static const struct told first = {"local", "lv", "null"}, second = {"local", "two", "null"};
	struct volume_fixture *world = fixture->world;
	char *other = scratch_path(world->dir, "other");
	struct hv_attachment attachment = {0};
	struct hv_volume volume = {0};
	struct hv_error err = {0};

	world_mkdir(world, "lv");
	world_mkdir(world, "two");
	world_mkdir(world, "other");
	begin_with_keeper(fixture);
	tell_volume(fixture, &first);
	assert_int_equal(attach_lv(fixture, fixture->target, &attachment, &err), HV_OK);
	assert_string_equal(attachment.volume, "lv");
	assert_string_equal(attachment.driver, "local");
	hv_attachment_done(&attachment);
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(hv_volume_get(world->volumes, "lv", &volume, &err), HV_NO_SUCH_VOLUME);
	hv_volume_done(&volume);
	assert_int_equal(world_create(world, "lv", NULL, NULL), HV_VOLUME_EXISTS);
	assert_true(world_told(world, "of the driver local is attached to container 'web'"));
	assert_int_equal(world_create(world, "alias", "from=lv", NULL), HV_NO_SUCH_VOLUME);
	hv_error_done(&err);
	tell_volume(fixture, &second);
	assert_int_equal(attach_lv(fixture, other, &attachment, &err), HV_SOURCE_REFUSED);
	assert_non_null(strstr(hv_error_text(&err), "has another place"));
	hv_error_done(&err);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_false(row_has_volume(world->store, "lv"));
	assert_int_equal(attach_lv(fixture, other, &attachment, &err), HV_OK);
	hv_attachment_done(&attachment);
	assert_int_equal(detach_from(fixture, other), HV_OK);
	assert_int_equal(world_create(world, "lv", NULL, NULL), HV_OK);
	free(other);
}

RECONCILER_TEST(the_place_of_a_volume_is_as_its_driver_has_it)
{
	static const struct {
		struct told told;
		bool is_mounted;
		enum hv_code code;
	} cases[] = {
		{{"local", "lv", "{}"}, false, HV_OK},
		{{"local", "lv", "{\"size\":\"1g\"}"}, false, HV_OK},
		{{"local", "nowhere", "null"}, false, HV_SOURCE_MISSING},
		{{"local", "lv", "{\"type\":\"tmpfs\",\"device\":\"tmpfs\"}"}, false,
			HV_SOURCE_MISSING},
		{{"local", "lv", "{\"type\":\"tmpfs\",\"device\":\"tmpfs\"}"}, true, HV_OK},
		{{"far:latest", "lv", "null"}, false, HV_SOURCE_MISSING},
		{{"far:latest", "lv", "null"}, true, HV_OK},
		{{"far:latest", "nowhere", "null"}, false, HV_SOURCE_MISSING},
	};
	char *place = scratch_path(fixture->world->dir, "lv");

	world_mkdir(fixture->world, "lv");
	begin_with_keeper(fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_attachment attachment = {0};
		struct hv_error err = {0};

		if (cases[i].is_mounted)
			assert_int_equal(mount("lv", place, "tmpfs", 0, NULL), 0);
		tell_volume(fixture, &cases[i].told);
		assert_int_equal(
			attach_lv(fixture, fixture->target, &attachment, &err), cases[i].code);
		if (cases[i].code == HV_OK)
			assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
		assert_false(row_has_volume(fixture->world->store, "lv"));
		if (cases[i].is_mounted)
			assert_int_equal(umount2(place, MNT_DETACH), 0);
		hv_attachment_done(&attachment);
		hv_error_done(&err);
	}
	free(place);
}

/* A local volume with bind is at its device, mounted or not. */
RECONCILER_TEST(a_local_volume_with_bind_is_at_its_device)
{
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char *device = scratch_path(fixture->world->dir, "srv");
	char options[512];

	world_mkdir(fixture->world, "srv");
	begin_with_keeper(fixture);
	snprintf(options, sizeof(options),
		"{\"type\":\"none\",\"o\":\"ro,bind\",\"device\":\"%s\"}", device);
	tell_volume(fixture, &(struct told){"local", "nowhere", options});
	assert_int_equal(attach_lv(fixture, fixture->target, &attachment, &err), HV_OK);
	assert_string_equal(attachment.source, device);
	assert_true(attachment.read_only);
	hv_attachment_done(&attachment);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	free(device);
}

/* An Engine that has no keeper and takes none. */
RECONCILER_TEST(a_volume_that_cannot_be_kept_is_refused_and_nothing_is_left)
{
	static const struct told told = {"local", "lv", "null"};
	static const struct {
		const char *image, *import, *create, *sentence;
		unsigned posts;
	} cases[] = {
		{"404 No", "500 No", "201 Created", "cannot import the image", 1},
		{"404 No", "200 OK", "201 Created", "cannot import the image", 1},
		{"200 OK", "200 OK", "500 No", "cannot create container", 1},
		{"200 OK", "200 OK", "409 No", "named hostvol-keeps-lv is not hostvol's", 8},
	};

	world_mkdir(fixture->world, "lv");
	begin_with_keeper(fixture);
	tell_volume(fixture, &told);
	fake_engine_set(fixture->fake, "/containers/json", LIST(""));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_attachment attachment = {0};
		struct hv_error err = {0};
		unsigned posts = fake_engine_posts(fixture->fake);

		answer(fixture, IMAGE "/json", cases[i].image);
		answer(fixture, "/images/create", cases[i].import);
		answer(fixture, "/containers/create", cases[i].create);
		assert_int_equal(
			attach_lv(fixture, fixture->target, &attachment, &err), HV_UNSUPPORTED);
		assert_non_null(strstr(hv_error_text(&err), "cannot be kept from removal"));
		assert_non_null(strstr(hv_error_text(&err), cases[i].sentence));
		assert_int_equal(fake_engine_posts(fixture->fake) - posts, cases[i].posts);
		assert_false(row_has_volume(fixture->world->store, "lv"));
		assert_int_equal(count_mounts(fixture), 0);
		hv_error_done(&err);
	}
}

/* It is removed, and so is its image. */
RECONCILER_TEST(a_keeper_that_does_not_run_is_no_keeper)
{
	static const struct told told = {"local", "lv", "null"};
	static const struct {
		const char *start, *sentence;
		unsigned posts;
	} cases[] = {
		{"500 No", "cannot start container", 1},
		{"204 No Content", "does not go on running", 8},
	};

	world_mkdir(fixture->world, "lv");
	begin_with_keeper(fixture);
	tell_volume(fixture, &told);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_attachment attachment = {0};
		struct hv_error err = {0};
		unsigned posts = fake_engine_posts(fixture->fake);
		unsigned deletes = fake_engine_deletes(fixture->fake);

		fake_engine_set(fixture->fake, "/containers/k1/json",
			i ? STATE("true", "0") : STATE("false", "0"));
		answer(fixture, "/containers/k1/start", cases[i].start);
		assert_int_equal(
			attach_lv(fixture, fixture->target, &attachment, &err), HV_UNSUPPORTED);
		assert_non_null(strstr(hv_error_text(&err), cases[i].sentence));
		assert_int_equal(fake_engine_posts(fixture->fake) - posts, cases[i].posts);
		assert_int_equal(fake_engine_deletes(fixture->fake) - deletes, 2);
		assert_int_equal(count_mounts(fixture), 0);
		hv_error_done(&err);
	}
}

RECONCILER_TEST(the_keeper_goes_with_the_last_attachment)
{
	static const struct told told = {"local", "lv", "null"};
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};

	world_mkdir(fixture->world, "lv");
	begin_with_keeper(fixture);
	tell_volume(fixture, &told);
	assert_int_equal(attach_lv(fixture, fixture->target, &attachment, &err), HV_OK);
	hv_attachment_done(&attachment);
	assert_int_equal(fake_engine_deletes(fixture->fake), 0);
	assert_int_equal(hv_keepers_check(fixture->attacher, &err), HV_OK);
	assert_int_equal(fake_engine_deletes(fixture->fake), 0);
	assert_int_equal(fake_engine_posts(fixture->fake), 0);
	/* The container and the image. */
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_int_equal(fake_engine_deletes(fixture->fake), 2);
	/* Left over, as after a crash. */
	assert_int_equal(hv_keepers_check(fixture->attacher, &err), HV_OK);
	assert_int_equal(fake_engine_deletes(fixture->fake), 4);
}

/* The list may be older than the event of its end. */
RECONCILER_TEST(a_stopped_keeper_is_started)
{
	static const struct told told = {"local", "lv", "null"};
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};

	world_mkdir(fixture->world, "lv");
	begin_with_keeper(fixture);
	tell_volume(fixture, &told);
	assert_int_equal(attach_lv(fixture, fixture->target, &attachment, &err), HV_OK);
	hv_attachment_done(&attachment);
	fake_engine_set(fixture->fake, "/containers/k1/json", STATE("false", "0"));
	answer(fixture, "/containers/k1/start", "500 No");
	assert_int_equal(hv_keeper_check(fixture->attacher, "lv", &err), HV_INTERNAL);
	assert_int_equal(fake_engine_posts(fixture->fake), 1);
	assert_int_equal(fake_engine_deletes(fixture->fake), 0);
	hv_error_done(&err);
	fake_engine_set(fixture->fake, "/containers/k1/json", STATE("true", "7"));
	assert_int_equal(hv_keeper_check(fixture->attacher, "lv", &err), HV_OK);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
}

/* Of another owner, it has no set-user-ID bits, unless option o says so. */
RECONCILER_TEST(a_volume_of_another_driver_has_the_owner_that_is_asked_for)
{
	static const char *const os[] = {"bind", "bind,suid"};
	char *device = scratch_path(fixture->world->dir, "srv");

	world_mkdir(fixture->world, "srv");
	begin_with_keeper(fixture);
	for (size_t i = 0; i < sizeof(os) / sizeof(os[0]); i++) {
		hv_auto_attachment struct hv_attachment attachment = {0};
		hv_auto_error struct hv_error err = {0};
		char options[512];
		enum hv_code code;

		snprintf(options, sizeof(options),
			"{\"type\":\"none\",\"o\":\"%s\",\"device\":\"%s\"}", os[i], device);
		tell_volume(fixture, &(struct told){"local", "nowhere", options});
		code = attach_lv_as(fixture, fixture->target, "1000:1001", &attachment, &err);
		if (code == HV_UNSUPPORTED)
			break;
		assert_int_equal(code, HV_OK);
		assert_string_equal(attachment.as, "1000:1001");
		assert_string_equal(attachment.driver, "local");
		assert_int_equal(attachment.no_suid, i == 0);
		assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	}
	free(device);
}

TEST_MAIN_IN_NAMESPACE()

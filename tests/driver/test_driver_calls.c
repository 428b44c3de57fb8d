/* SPDX-License-Identifier: Apache-2.0 */
/* VolumeDriver.Remove: nothing is changed for a volume that stays. */
#include <json-c/json.h>
#include <string.h>

#include "support/hv_test.h"

#include "api_fixture.h"

/* The Engine does not answer, so that it may be Podman in mode "plain". */
API_TEST(remove_of_volume_with_other_name_changes_nothing)
{
	static const char *const modes[] = {"managed", "plain"};
	struct fixture *fixture = *state;

	call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}");
	world_write(fixture->world, "state/volumes/data/_data/file", "text");
	call(fixture, "/VolumeDriver.Create", "{\"Name\":\"alias\",\"Opts\":{\"from\":\"data\"}}");
	for (size_t i = 0; i < 4; i++) {
		fixture->api.mode = modes[i % 2];
		if (i == 2)
			row_put(fixture->world->store, "0123456789ab", "data", "c1", true);
		assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 409);
		assert_non_null(strstr(text_at(fixture, "Err"), "'alias' is another name"));
	}
	assert_int_equal(row_count_records(fixture->world->store, NULL, "data", NULL), 1);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"data\"}"), 200);
	assert_null(strstr(json_object_to_json_string(fixture->body), "on-remove"));
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"alias\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 409);
	assert_non_null(strstr(text_at(fixture, "Err"), "attached to container 'web'"));
}

API_TEST(remove_of_volume_keeps_its_data_for_podman_only)
{
	static const char *const modes[] = {"plain", "managed"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2; i++) {
		fixture->api.mode = modes[i];
		assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}"), 200);
		if (i == 0)
			world_write(fixture->world, "state/volumes/data/_data/file", "text");
		assert_true(world_has(fixture->world, "state/volumes/data/_data/file"));
		assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 200);
		assert_false(row_has_volume(fixture->world->store, "data"));
		assert_int_equal(
			world_has(fixture->world, "state/volumes/data/_data/file"), i == 0);
	}
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "store_fixture.h"

#define STORE_RULE_TEST(name) TEST_WITH(name, open_one, close_one)

static void add(const char *id, const char *volume, bool is_own)
{
	struct hv_rule_record rule = {
		.id = strdup(id),
		.selector = strdup("label:tier=front"),
		.volume = strdup(volume),
		.target = strdup("/mnt"),
		.request = strdup("{\"Volume\":\"data\"}"),
		.since = strdup("2024-01-01T00:00:00.000Z"),
		.from_volume_option = is_own,
	};
	struct hv_error err = {0};

	assert_int_equal(hv_store_rule_add(store, &rule, &err), HV_OK);
	hv_rule_record_done(&rule);
}

static size_t count(const char *volume)
{
	struct hv_rule_records rules = {0};
	struct hv_error err = {0};
	size_t all;

	assert_int_equal(hv_store_rule_list(store, volume, &rules, &err), HV_OK);
	all = rules.count;
	hv_rule_records_done(&rules);
	return all;
}

static bool is_wanted(const char *volume)
{
	struct hv_error err = {0};
	bool ret = false, is_attached = true;

	assert_int_equal(hv_store_volume_is_wanted(store, volume, &ret, &err), HV_OK);
	assert_int_equal(hv_store_volume_is_attached(store, volume, &is_attached, &err), HV_OK);
	assert_false(is_attached);
	return ret;
}

static enum hv_phase phase_of(const char *name)
{
	struct hv_volume volume = {0};
	struct hv_error err = {0};
	enum hv_phase phase;

	assert_int_equal(hv_store_volume_get(store, name, &volume, &err), HV_OK);
	phase = volume.phase;
	hv_volume_done(&volume);
	return phase;
}

STORE_RULE_TEST(rule_add_is_read_back_whole)
{
	struct hv_rule_records rules = {0};
	struct hv_error err = {0};

	add("00000000000a", "data", true);
	hv_store_close(store);
	store = row_store(dir);
	assert_int_equal(hv_store_rule_list(store, NULL, &rules, &err), HV_OK);
	assert_int_equal(rules.count, 1);
	assert_string_equal(rules.items->id, "00000000000a");
	assert_string_equal(rules.items->selector, "label:tier=front");
	assert_string_equal(rules.items->volume, "data");
	assert_string_equal(rules.items->target, "/mnt");
	assert_string_equal(rules.items->request, "{\"Volume\":\"data\"}");
	assert_string_equal(rules.items->since, "2024-01-01T00:00:00.000Z");
	assert_true(rules.items->from_volume_option);
	hv_rule_records_done(&rules);
}

STORE_RULE_TEST(rule_list_of_a_volume_has_no_others)
{
	struct hv_error err = {0};

	add("00000000000a", "data", false);
	add("00000000000b", "other", false);
	assert_int_equal(count(NULL), 2);
	assert_int_equal(count("data"), 1);
	assert_true(is_wanted("data"));
	assert_int_equal(hv_store_rule_drop(store, "00000000000a", NULL, &err), HV_OK);
	assert_int_equal(hv_store_rule_drop(store, "00000000000a", NULL, &err), HV_OK);
	assert_int_equal(count("data"), 0);
	assert_false(is_wanted("data"));
	assert_true(is_wanted("other"));
}

STORE_RULE_TEST(rule_add_of_a_volume_of_its_own_finishes_the_volume)
{
	const struct hv_rule_fate back = {"data", HV_ATTACHING};
	struct hv_error err = {0};

	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	assert_int_equal(hv_store_volume_set_phase(store, "data", HV_ATTACHING, &err), HV_OK);
	add("00000000000a", "data", false);
	assert_int_equal(phase_of("data"), HV_ATTACHING);
	add("00000000000b", "data", true);
	assert_int_equal(phase_of("data"), HV_VOLUME_READY);
	assert_int_equal(hv_store_rule_drop(store, "00000000000b", &back, &err), HV_OK);
	assert_int_equal(phase_of("data"), HV_ATTACHING);
}

STORE_RULE_TEST(rule_drop_with_its_volume_spares_one_that_is_needed)
{
	const struct hv_rule_fate gone = {"data", HV_REMOVING};
	struct hv_error err = {0};

	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	add("00000000000a", "data", true);
	add("00000000000b", "data", true);
	assert_int_equal(hv_store_rule_drop(store, "00000000000a", &gone, &err), HV_OK);
	assert_true(row_has_volume(store, "data"));
	assert_int_equal(hv_store_rule_drop(store, "00000000000b", &gone, &err), HV_OK);
	assert_false(row_has_volume(store, "data"));
	row_expect_unfinished(store, "data", HV_REMOVING);
}

STORE_RULE_TEST(rule_release_keeps_the_attachment)
{
	struct hv_record record = row_record("0123456789ab", "data", "c1");
	const struct hv_record_filter filter = {.rule = "00000000000a"};
	struct hv_records records = {0};
	struct hv_error err = {0};

	record.view.rule = strdup("00000000000a");
	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	assert_int_equal(row_put(store, "0123456789ac", "data", "c1", true), HV_OK);
	assert_int_equal(hv_store_attachment_list(store, &filter, &records, &err), HV_OK);
	assert_int_equal(records.count, 1);
	assert_string_equal(records.items->view.id, "0123456789ab");
	hv_records_done(&records);
	assert_int_equal(hv_store_rule_release(store, "0123456789ab", &err), HV_OK);
	assert_int_equal(hv_store_attachment_list(store, &filter, &records, &err), HV_OK);
	assert_int_equal(records.count, 0);
	assert_int_equal(row_count_records(store, NULL, NULL, "c1"), 2);
	hv_records_done(&records);
	hv_record_done(&record);
}

TEST_MAIN()

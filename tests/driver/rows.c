/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"

static char *copy(const char *text)
{
	char *own = strdup(text);

	assert_non_null(own);
	return own;
}

struct hv_store *row_store(const char *dir)
{
	struct hv_store *store = NULL;
	struct hv_error err = {0};

	if (hv_store_open(dir, &store, &err) != HV_OK)
		fail_msg("%s", hv_error_text(&err));
	return store;
}

enum hv_code row_add_volume(struct hv_store *store, const char *name)
{
	struct hv_volume volume = {
		.name = copy(name),
		.kind = copy("path"),
		.created_at = copy("2024-01-01T00:00:00.000Z"),
	};
	struct hv_error err = {0};
	enum hv_code code;

	assert_true(asprintf(&volume.source, "/srv/%s", name) > 0);
	assert_int_equal(hv_opts_add(&volume.opts, "path", volume.source), 0);
	code = hv_store_volume_add(store, &volume, &err);
	hv_error_done(&err);
	hv_volume_done(&volume);
	return code;
}

bool row_has_volume(struct hv_store *store, const char *name)
{
	struct hv_volume volume = {0};
	struct hv_error err = {0};
	enum hv_code code = hv_store_volume_get(store, name, &volume, &err);

	assert_true(code == HV_OK || code == HV_NO_SUCH_VOLUME);
	hv_volume_done(&volume);
	hv_error_done(&err);
	return code == HV_OK;
}

size_t row_count_volumes(struct hv_store *store)
{
	struct hv_volume *volumes = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	assert_int_equal(hv_store_volume_list(store, &volumes, &count, &err), HV_OK);
	hv_store_volumes_free(volumes, count);
	return count;
}

struct hv_record row_record(const char *id, const char *volume, const char *container)
{
	return (struct hv_record){
		.view =
			{
				.id = copy(id),
				.volume = copy(volume),
				.source = copy("/srv/source"),
				.container_id = copy(container),
				.container_name = copy("web"),
				.target = copy("/mnt/data"),
				.since = copy("2024-01-01T00:00:00.000Z"),
				.persist = true,
				.state = HV_ATTACHED,
			},
		.pid = 4242,
		.ns_ino = 4026531840,
		.path = copy("/mnt/data"),
		.mount_id = UINT64_MAX,
		.mountinfo_id = 77,
		.root_dev = 0xfe00,
		.root_ino = UINT64_MAX,
		.made = copy("1:2 3:4 "),
	};
}

enum hv_code row_put(struct hv_store *store, const char *id, const char *volume,
	const char *container, bool is_done)
{
	struct hv_record record = row_record(id, volume, container);
	struct hv_error err = {0};
	enum hv_code code;

	record.is_done = is_done;
	code = hv_store_attachment_put(store, &record, &err);
	hv_record_done(&record);
	hv_error_done(&err);
	return code;
}

size_t row_count_records(
	struct hv_store *store, const char *id, const char *volume, const char *container)
{
	const struct hv_record_filter filter = {id, volume, container, NULL};
	struct hv_records records = {0};
	struct hv_error err = {0};
	size_t count;

	assert_int_equal(hv_store_attachment_list(store, &filter, &records, &err), HV_OK);
	count = records.count;
	hv_records_done(&records);
	return count;
}

long long row_ref(struct hv_store *store, const char *volume, const char *id, int change)
{
	struct hv_error err = {0};
	long long total = -1;

	assert_int_equal(hv_store_ref_change(store, volume, id, change, &total, &err), HV_OK);
	return total;
}

void row_expect_unfinished(struct hv_store *store, const char *name, enum hv_phase phase)
{
	struct hv_volume *list = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	assert_int_equal(hv_store_volume_unfinished(store, &list, &count, &err), HV_OK);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, name);
	assert_int_equal(list[0].phase, phase);
	hv_store_volumes_free(list, count);
}

void row_expect_refused(const char *where, const char *sentence)
{
	struct hv_store *other = NULL;
	struct hv_error err = {0};

	assert_int_equal(hv_store_open(where, &other, &err), HV_STATE_UNREADABLE);
	assert_null(other);
	if (!strstr(hv_error_text(&err), sentence))
		print_error("'%s' has no '%s'\n", hv_error_text(&err), sentence);
	assert_non_null(strstr(hv_error_text(&err), sentence));
	hv_error_done(&err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lease_fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/hv_test.h"
#include "wire/clock.h"

static char data[] = "data";

void lease_attach(struct fixture *fixture, long long lease_seconds, long long grace_seconds,
	bool required, struct hv_attachment *ret)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_error err = {0};
	char container[] = ID;

	request.volume = data;
	request.container = container;
	request.target = fixture->target;
	request.lease_seconds = lease_seconds;
	request.grace_seconds = grace_seconds;
	request.required = required;
	if (hv_attach(fixture->attacher, &request, ret, &err) != HV_OK)
		fail_msg("%s", hv_error_text(&err));
}

void lease_begin(struct fixture *fixture, long long lease_seconds, long long grace_seconds)
{
	struct hv_attachment attachment = {0};

	lease_attach(fixture, lease_seconds, grace_seconds, false, &attachment);
	hv_attachment_done(&attachment);
}

bool lease_read(struct fixture *fixture, struct hv_record *ret)
{
	const struct hv_record_filter filter = {.container_id = ID};
	struct hv_records records = {0};
	struct hv_error err = {0};
	bool is_there;

	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &filter, &records, &err), HV_OK);
	assert_true(records.count < 2);
	is_there = records.count == 1;
	if (is_there)
		*ret = records.items[0];
	free(records.items);
	return is_there;
}

void lease_end(struct fixture *fixture, long long seconds, long long grace_seconds)
{
	struct hv_record record = {0};
	struct hv_error err = {0};

	assert_true(lease_read(fixture, &record));
	free(record.view.until);
	record.view.until = hv_clock_format(hv_clock_date_ms() / 1000 - seconds);
	record.view.grace_seconds = grace_seconds;
	assert_int_equal(hv_store_attachment_note(fixture->world->store, &record, &err), HV_OK);
	hv_record_done(&record);
}

int lease_use(struct fixture *fixture)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root%s", fixture->pid, fixture->target);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

unsigned lease_expire(struct fixture *fixture)
{
	struct hv_repaired repaired = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_attachments_expire(fixture->attacher, ID, &repaired, &err), HV_OK);
	return repaired.expired;
}

void lease_look(struct fixture *fixture, struct hv_seen *ret)
{
	struct hv_error err = {0};

	assert_int_equal(hv_attachments_sync(fixture->attacher, ID, ret, &err), HV_OK);
	hv_seen_done(ret);
}

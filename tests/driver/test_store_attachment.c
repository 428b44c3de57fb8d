/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "store_fixture.h"

static void list(const char *id, struct hv_records *ret)
{
	const struct hv_record_filter filter = {.id = id};
	struct hv_error err = {0};

	assert_int_equal(hv_store_attachment_list(store, &filter, ret, &err), HV_OK);
}

#define STORE_ATTACHMENT_TEST(name) TEST_WITH(name, open_one, close_one)

STORE_ATTACHMENT_TEST(one_that_was_forgotten_is_not_written_again)
{
	struct hv_record record = row_record("0123456789ab", "data", "c1");
	struct hv_error err = {0};

	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	assert_int_equal(hv_store_attachment_drop(store, record.view.id, NULL, &err), HV_OK);
	record.is_done = true;
	assert_int_equal(hv_store_attachment_update(store, &record, &err), HV_NO_SUCH_ATTACHMENT);
	hv_error_done(&err);
	assert_int_equal(hv_store_attachment_note(store, &record, &err), HV_OK);
	assert_int_equal(row_count_records(store, NULL, NULL, NULL), 0);
	hv_record_done(&record);
}

STORE_ATTACHMENT_TEST(an_attachment_is_read_back_whole)
{
	struct hv_record in = row_record("0123456789ab", "data", "c1");
	struct hv_records out = {0};
	struct hv_error err = {0};

	in.view.read_only = in.view.no_dev = true;
	in.view.subpath = strdup("a/b");
	in.view.as = strdup("1000:1000");
	in.view.rule = strdup("ba9876543210");
	in.is_done = in.mkdir = in.may_map = in.is_suid_explicit = true;
	in.started_at = strdup("2024-01-01T00:00:00.123456789Z");
	in.view.state = HV_PENDING;
	in.view.problem = strdup("not yet");
	in.problem = HV_PROBLEM_WAITING;
	in.engine = strdup("ABCD /var/lib/docker");
	in.replace = HV_REPLACE_NONATOMIC;
	in.view.late_ms = 17;
	in.view.until = strdup("2024-01-01T02:00:00Z");
	in.view.grace_seconds = 600;
	assert_int_equal(hv_store_attachment_put(store, &in, &err), HV_OK);
	hv_store_close(store);
	store = row_store(dir);
	list("0123456789ab", &out);
	assert_int_equal(out.count, 1);
	assert_string_equal(out.items->view.id, in.view.id);
	assert_string_equal(out.items->view.volume, "data");
	assert_string_equal(out.items->view.source, in.view.source);
	assert_string_equal(out.items->view.subpath, "a/b");
	assert_string_equal(out.items->view.as, "1000:1000");
	assert_string_equal(out.items->view.rule, "ba9876543210");
	assert_int_equal(out.items->replace, HV_REPLACE_NONATOMIC);
	assert_int_equal(out.items->view.late_ms, 17);
	assert_string_equal(out.items->view.until, in.view.until);
	assert_int_equal(out.items->view.grace_seconds, 600);
	assert_string_equal(out.items->view.container_id, "c1");
	assert_string_equal(out.items->view.container_name, "web");
	assert_string_equal(out.items->view.target, "/mnt/data");
	assert_string_equal(out.items->view.since, in.view.since);
	assert_true(out.items->view.read_only && out.items->view.no_dev && out.items->view.persist);
	assert_false(out.items->view.no_suid || out.items->view.no_exec);
	assert_int_equal(out.items->view.state, HV_PENDING);
	assert_string_equal(out.items->view.problem, "not yet");
	assert_int_equal(out.items->problem, HV_PROBLEM_WAITING);
	assert_string_equal(out.items->engine, in.engine);
	assert_string_equal(out.items->started_at, in.started_at);
	assert_true(out.items->mkdir && out.items->may_map && out.items->is_suid_explicit);
	assert_true(out.items->is_done);
	assert_true(out.items->pid == in.pid && out.items->ns_ino == in.ns_ino);
	assert_true(out.items->mount_id == UINT64_MAX && out.items->mountinfo_id == 77);
	assert_true(out.items->root_dev == 0xfe00 && out.items->root_ino == UINT64_MAX);
	assert_string_equal(out.items->path, "/mnt/data");
	assert_string_equal(out.items->made, in.made);
	hv_records_done(&out);
	hv_record_done(&in);
}

STORE_ATTACHMENT_TEST(the_mount_that_is_replaced_is_read_back)
{
	for (unsigned bits = 0; bits < 4; bits++) {
		struct hv_record in = row_record("id", "data", "c1");
		struct hv_records out = {0};
		struct hv_error err = {0};

		assert_int_equal(hv_store_attachment_put(store, &in, &err), HV_OK);
		in.former = (struct hv_former){
			UINT64_MAX, 66, 0xfd00, 9, bits & 1, bits & 2, strdup("/a b/c")};
		assert_int_equal(hv_store_attachment_note(store, &in, &err), HV_OK);
		list("id", &out);
		assert_int_equal(out.count, 1);
		assert_true(out.items->former.mount_id == UINT64_MAX);
		assert_true(out.items->former.mountinfo_id == 66);
		assert_true(
			out.items->former.root_dev == 0xfd00 && out.items->former.root_ino == 9);
		assert_int_equal(out.items->former.is_mapped, in.former.is_mapped);
		assert_int_equal(out.items->former.no_suid, in.former.no_suid);
		assert_string_equal(out.items->former.source, "/a b/c");
		assert_int_equal(hv_store_attachment_drop(store, "id", NULL, &err), HV_OK);
		hv_records_done(&out);
		hv_record_done(&in);
	}
}

STORE_ATTACHMENT_TEST(each_flag_is_kept_by_itself)
{
	for (unsigned bits = 0; bits < 64; bits++) {
		struct hv_record in = row_record("id", "data", "c1");
		struct hv_records out = {0};
		struct hv_error err = {0};

		in.view.read_only = bits & 1;
		in.view.no_suid = bits & 2;
		in.view.no_dev = bits & 4;
		in.view.no_exec = bits & 8;
		in.view.persist = bits & 16;
		in.view.required = bits & 32;
		assert_int_equal(hv_store_attachment_put(store, &in, &err), HV_OK);
		list("id", &out);
		assert_int_equal(out.count, 1);
		assert_int_equal(out.items->view.read_only, in.view.read_only);
		assert_int_equal(out.items->view.no_suid, in.view.no_suid);
		assert_int_equal(out.items->view.no_dev, in.view.no_dev);
		assert_int_equal(out.items->view.no_exec, in.view.no_exec);
		assert_int_equal(out.items->view.persist, in.view.persist);
		assert_int_equal(out.items->view.required, in.view.required);
		hv_records_done(&out);
		hv_record_done(&in);
	}
}

STORE_ATTACHMENT_TEST(the_finished_attachment_takes_the_place_of_its_intent)
{
	struct hv_records out = {0};

	assert_int_equal(row_put(store, "a", "data", "c1", false), HV_OK);
	list("a", &out);
	assert_false(out.items->is_done);
	hv_records_done(&out);
	assert_int_equal(row_put(store, "a", "data", "c1", true), HV_OK);
	list(NULL, &out);
	assert_int_equal(out.count, 1);
	assert_true(out.items->is_done);
	hv_records_done(&out);
}

STORE_ATTACHMENT_TEST(a_note_changes_what_is_there_and_brings_nothing_back)
{
	struct hv_record in = row_record("a", "data", "c1");
	struct hv_records out = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_store_attachment_note(store, &in, &err), HV_OK);
	assert_int_equal(row_count_records(store, NULL, NULL, NULL), 0);
	assert_int_equal(row_put(store, "a", "data", "c1", true), HV_OK);
	in.is_done = true;
	in.pid = 1;
	in.view.state = HV_MISSING;
	in.engine = strdup("another");
	in.view.until = strdup("2024-01-01T02:00:00Z");
	in.view.grace_seconds = 0;
	assert_int_equal(hv_store_attachment_note(store, &in, &err), HV_OK);
	list("a", &out);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.items->view.state, HV_MISSING);
	assert_string_equal(out.items->engine, "another");
	assert_string_equal(out.items->view.until, in.view.until);
	assert_int_equal(out.items->view.grace_seconds, 0);
	assert_true(out.items->pid == 1 && out.items->is_done);
	hv_records_done(&out);
	hv_record_done(&in);
}

STORE_ATTACHMENT_TEST(after_a_boot_nothing_is_mounted)
{
	static const struct {
		const char *boot_id;
		bool is_mounted;
	} boots[] = {{"a", true}, {"a", true}, {"b", false}, {"b", false}};

	assert_int_equal(row_put(store, "id", "data", "c1", true), HV_OK);
	for (size_t i = 0; i < sizeof(boots) / sizeof(boots[0]); i++) {
		struct hv_records out = {0};
		struct hv_error err = {0};

		assert_int_equal(hv_store_attachment_boot(store, boots[i].boot_id, &err), HV_OK);
		list("id", &out);
		assert_int_equal(out.count, 1);
		assert_int_equal(
			out.items->view.state, boots[i].is_mounted ? HV_ATTACHED : HV_PENDING);
		assert_int_equal(out.items->pid > 0, boots[i].is_mounted);
		assert_int_equal(out.items->mount_id > 0, boots[i].is_mounted);
		assert_string_equal(out.items->made, "1:2 3:4 "); /* in the container's layer */
		hv_records_done(&out);
	}
}

STORE_ATTACHMENT_TEST(filters_combine)
{
	row_put(store, "a", "data", "c1", true);
	row_put(store, "b", "data", "c2", true);
	row_put(store, "c", "logs", "c1", false);
	assert_int_equal(row_count_records(store, NULL, NULL, NULL), 3);
	assert_int_equal(row_count_records(store, "a", NULL, NULL), 1);
	assert_int_equal(row_count_records(store, NULL, "data", NULL), 2);
	assert_int_equal(row_count_records(store, NULL, NULL, "c1"), 2);
	assert_int_equal(row_count_records(store, NULL, "logs", "c1"), 1);
	assert_int_equal(row_count_records(store, "a", "logs", NULL), 0);
	assert_int_equal(row_count_records(store, "", NULL, NULL), 0);
	assert_int_equal(row_count_records(store, "%", NULL, NULL), 0);
}

/* Each container is one word, with a '-' if not all of it is attached. */
static void expect_containers(const char *wanted)
{
	struct hv_store_container *containers = NULL;
	struct hv_error err = {0};
	char text[64] = "";
	size_t count = 0;

	assert_int_equal(hv_store_attachment_containers(store, &containers, &count, &err), HV_OK);
	for (size_t i = 0; i < count; i++) {
		strncat(text, containers[i].id, sizeof(text) - strlen(text) - 1);
		if (!containers[i].is_attached)
			strncat(text, "-", sizeof(text) - strlen(text) - 1);
	}
	hv_store_containers_free(containers, count);
	assert_string_equal(text, wanted);
}

STORE_ATTACHMENT_TEST(containers_are_told_once_each_and_whether_they_are_attached)
{
	struct hv_record record = row_record("e", "data", "b");
	struct hv_error err = {0};

	expect_containers("");
	row_put(store, "a", "data", "c", true);
	row_put(store, "b", "data", "a", true);
	row_put(store, "c", "logs", "c", false);
	row_put(store, "d", "logs", "b", true);
	expect_containers("abc");
	record.pid = 0;
	record.is_done = true;
	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	hv_record_done(&record);
	expect_containers("ab-c");
}

STORE_ATTACHMENT_TEST(dropped_attachments_are_gone_and_unknown_ones_are_no_error)
{
	struct hv_error err = {0};

	row_put(store, "a", "data", "c1", true);
	row_put(store, "b", "data", "c1", true);
	assert_int_equal(hv_store_attachment_drop(store, "a", NULL, &err), HV_OK);
	assert_int_equal(hv_store_attachment_drop(store, "a", NULL, &err), HV_OK);
	assert_int_equal(hv_store_attachment_drop(store, "", NULL, &err), HV_OK);
	assert_int_equal(row_count_records(store, NULL, NULL, NULL), 1);
	assert_int_equal(row_count_records(store, "b", NULL, NULL), 1);
}

/* Also when the intent was written over. */
STORE_ATTACHMENT_TEST(the_oldest_comes_first)
{
	static const char *const ids[] = {"m", "a", "z"};
	struct hv_records out = {0};

	for (size_t i = 0; i < 3; i++)
		row_put(store, ids[i], "data", "c1", false);
	row_put(store, "m", "data", "c1", true);
	list(NULL, &out);
	assert_int_equal(out.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(out.items[i].view.id, ids[i]);
	hv_records_done(&out);
}

TEST_MAIN()

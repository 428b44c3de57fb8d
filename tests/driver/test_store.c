/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "store_fixture.h"

static void reopen(void)
{
	hv_store_close(store);
	store = row_store(dir);
}

#define STORE_TEST(name) TEST_WITH(name, open_one, close_one)

STORE_TEST(an_added_volume_is_read_back_whole)
{
	char name[] = "data", kind[] = "path", source[] = "/srv/o'dd \"\xc3\xbc\n", when[] = "now";
	struct hv_volume in = {name, kind, source, when, true, HV_ATTACHING, 7, 8, 9, {0}},
			 out = {0};
	struct hv_error err = {0};
	static const char *const keys[] = {"z", "a", "m", ""};

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(hv_opts_add(&in.opts, keys[i], source), 0);
	assert_int_equal(hv_store_volume_add(store, &in, &err), HV_OK);
	reopen();
	assert_int_equal(hv_store_volume_get(store, "data", &out, &err), HV_OK);
	assert_string_equal(out.name, name);
	assert_string_equal(out.kind, kind);
	assert_string_equal(out.source, source);
	assert_string_equal(out.created_at, when);
	assert_true(out.read_only);
	assert_int_equal(out.phase, HV_ATTACHING);
	assert_int_equal(out.missing, 7);
	assert_true(out.made_dev == 8 && out.made_ino == 9);
	assert_int_equal(out.opts.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(out.opts.items[i].key, keys[i]);
		assert_string_equal(out.opts.items[i].value, source);
	}
	hv_opts_done(&in.opts);
	hv_volume_done(&out);
}

STORE_TEST(a_second_volume_of_a_name_is_refused_and_the_first_kept)
{
	struct hv_volume out = {0};
	struct hv_error err = {0};

	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	assert_int_equal(row_add_volume(store, "data"), HV_VOLUME_EXISTS);
	assert_int_equal(row_add_volume(store, "other"), HV_OK); /* no transaction left open */
	assert_int_equal(hv_store_volume_get(store, "data", &out, &err), HV_OK);
	assert_int_equal(out.opts.count, 1);
	hv_volume_done(&out);
	assert_int_equal(row_add_volume(store, "Data"), HV_OK); /* names have case */
}

STORE_TEST(an_unknown_volume_is_named)
{
	struct hv_volume out = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_store_volume_get(store, "nobody", &out, &err), HV_NO_SUCH_VOLUME);
	assert_non_null(strstr(hv_error_text(&err), "nobody"));
	hv_volume_done(&out);
	hv_error_done(&err);
}

STORE_TEST(volumes_are_listed_by_name_with_their_options)
{
	static const char *const names[] = {"b2", "aa", "c3", "a1", "b1"};
	static const char *const sorted[] = {"a1", "aa", "b1", "b2", "c3"};
	struct hv_volume *list = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	assert_int_equal(row_count_volumes(store), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(row_add_volume(store, names[i]), HV_OK);
	assert_int_equal(hv_store_volume_list(store, &list, &count, &err), HV_OK);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(list[i].name, sorted[i]);
		assert_string_equal(hv_opts_get(&list[i].opts, "path"), list[i].source);
	}
	hv_store_volumes_free(list, count);
}

/* Their attachments count. */
STORE_TEST(a_volume_that_exists_for_attachments_only_is_not_counted)
{
	static char name[] = "/srv/lent", kind[] = "host", date[] = "2024-01-01T00:00:00.000Z";
	const struct hv_volume volume = {
		.name = name, .kind = kind, .source = name, .created_at = date};
	struct hv_store_counts counts;
	struct hv_error err = {0};

	row_add_volume(store, "data");
	assert_int_equal(hv_store_volume_add(store, &volume, &err), HV_OK);
	assert_int_equal(row_put(store, "0123456789ab", name, "c1", true), HV_OK);
	assert_int_equal(row_put(store, "0123456789ac", "data", "c1", false), HV_OK);
	assert_int_equal(hv_store_count(store, &counts, &err), HV_OK);
	assert_int_equal(counts.volumes, 1);
	assert_int_equal(counts.attachments[HV_ATTACHED], 1);
	assert_int_equal(counts.attachments[HV_PENDING], 0);
}

STORE_TEST(a_retired_volume_is_hidden_until_restored_or_forgotten)
{
	struct hv_volume *list = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	row_add_volume(store, "data");
	row_add_volume(store, "other");
	row_ref(store, "data", "id", 1);
	assert_int_equal(hv_store_volume_set_phase(store, "data", HV_REMOVING, &err), HV_OK);
	assert_false(row_has_volume(store, "data"));
	assert_int_equal(row_count_volumes(store), 1);
	row_expect_unfinished(store, "data", HV_REMOVING);
	assert_int_equal(hv_store_volume_set_phase(store, "data", HV_VOLUME_READY, &err), HV_OK);
	assert_true(row_has_volume(store, "data"));
	assert_int_equal(hv_store_volume_set_phase(store, "data", HV_REMOVING, &err), HV_OK);
	reopen();
	assert_int_equal(hv_store_volume_forget(store, "data", &err), HV_OK);
	assert_int_equal(hv_store_volume_unfinished(store, &list, &count, &err), HV_OK);
	assert_int_equal(count, 0);
	hv_store_volumes_free(list, count);
	assert_int_equal(row_add_volume(store, "data"), HV_OK); /* nothing of the old one */
	assert_int_equal(row_ref(store, "data", "x", -1), 0);
}

/* Its options would be lost otherwise. */
STORE_TEST(a_volume_that_is_not_retired_is_not_forgotten)
{
	struct hv_volume out = {0};
	struct hv_error err = {0};

	row_add_volume(store, "data");
	row_ref(store, "data", "id", 1);
	assert_int_equal(hv_store_volume_forget(store, "data", &err), HV_OK);
	assert_int_equal(hv_store_volume_get(store, "data", &out, &err), HV_OK);
	assert_int_equal(out.opts.count, 1);
	assert_int_equal(row_ref(store, "data", "id", 1), 2);
	hv_volume_done(&out);
}

STORE_TEST(references_are_counted_by_id)
{
	struct hv_error err = {0};

	assert_int_equal(row_ref(store, "data", "a", 1), 1);
	assert_int_equal(row_ref(store, "data", "a", 1), 2);
	assert_int_equal(row_ref(store, "data", "b", 1), 3);
	assert_int_equal(row_ref(store, "other", "a", 1), 1);
	assert_int_equal(row_ref(store, "data", "unknown", -1), 3);
	assert_int_equal(row_ref(store, "data", "b", -1), 2);
	assert_int_equal(row_ref(store, "data", "b", -1), 2); /* b cannot take from a */
	assert_int_equal(row_ref(store, "data", "b", 1), 3);
	reopen();
	assert_int_equal(row_ref(store, "data", "a", -1), 2);
	assert_int_equal(hv_store_ref_clear(store, "data", &err), HV_OK);
	assert_int_equal(row_ref(store, "data", "a", -1), 0);
	assert_int_equal(row_ref(store, "other", "a", -1), 0);
	assert_int_equal(row_ref(store, "other", "a", -1), 0);
	assert_int_equal(row_ref(store, "other", "a", 1), 1);
}

static int first_bytes(const char *name)
{
	char *path = scratch_path(dir, name), bytes[16] = "";
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, 8, file), 8);
	fclose(file);
	free(path);
	return strcmp(bytes, "not a da");
}

/* From another process: SQLite tells two connections of one process apart in its own way. */
STORE_TEST(a_directory_in_use_is_refused_and_told_so)
{
	int status = 0;
	pid_t pid;

	row_add_volume(store, "data");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct hv_store *other = NULL;
		struct hv_error err = {0};
		bool ok = hv_store_open(dir, &other, &err) == HV_STATE_UNREADABLE &&
			  strstr(hv_error_text(&err), "another hostvol daemon") && err.hint;

		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(row_add_volume(store, "more"), HV_OK);
}

STORE_TEST(a_second_opening_in_one_process_is_refused)
{
	row_expect_refused(dir, "another hostvol daemon");
	assert_int_equal(row_add_volume(store, "more"), HV_OK);
}

STORE_TEST(what_is_no_database_is_refused_and_kept)
{
	char *path = scratch_path(dir, "hostvol.db");

	hv_store_close(store);
	store = NULL;
	scratch_write(path, "not a database, but somebody's file, and long enough to look at it "
			    "closely: SQLite reads a header of one hundred bytes");
	row_expect_refused(dir, "not a database");
	assert_int_equal(first_bytes("hostvol.db"), 0);
	free(path);
}

STORE_TEST(a_damaged_database_is_refused)
{
	char *path = scratch_path(dir, "hostvol.db");
	FILE *file;

	for (int i = 0; i < 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "volume%d", i);
		row_add_volume(store, name);
	}
	hv_store_close(store);
	store = NULL;
	file = fopen(path, "r+e");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	for (int i = 0; i < 4096; i++)
		fputc(0xa5, file);
	fclose(file);
	row_expect_refused(dir, "");
	free(path);
}

STORE_TEST(options_are_changed_all_at_once)
{
	struct hv_volume volume = {0};
	struct hv_error err = {0};

	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	assert_int_equal(hv_store_volume_get(store, "data", &volume, &err), HV_OK);
	hv_opts_done(&volume.opts);
	assert_int_equal(hv_opts_add(&volume.opts, "ro", "true"), 0);
	volume.read_only = true;
	assert_int_equal(hv_store_volume_set_opts(store, &volume, &err), HV_OK);
	hv_volume_done(&volume);
	reopen();
	assert_int_equal(hv_store_volume_get(store, "data", &volume, &err), HV_OK);
	assert_int_equal(volume.opts.count, 1);
	assert_string_equal(hv_opts_get(&volume.opts, "ro"), "true");
	assert_true(volume.read_only);
	hv_volume_done(&volume);
}

static void expect_used(const char *source, bool expected)
{
	struct hv_error err = {0};
	bool is_used = !expected;

	assert_int_equal(hv_store_source_is_used(store, source, &is_used, &err), HV_OK);
	assert_int_equal(is_used, expected);
}

STORE_TEST(a_source_is_used_while_something_refers_to_it)
{
	struct hv_record record = row_record("0123456789ab", "data", "c");
	struct hv_error err = {0};

	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	expect_used("/srv/data", false);
	assert_int_equal(row_ref(store, "data", "1", 1), 1);
	expect_used("/srv/data", true);
	assert_int_equal(row_ref(store, "data", "1", -1), 0);
	expect_used("/srv/data", false);
	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	expect_used(record.view.source, true);
	assert_int_equal(hv_store_attachment_drop(store, record.view.id, NULL, &err), HV_OK);
	expect_used(record.view.source, false);
	hv_record_done(&record);
}

static void expect_sources(const char *volume, const char *attachment)
{
	const struct hv_record_filter filter = {.volume = "data"};
	struct hv_volume out = {0};
	struct hv_records records = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_store_volume_get(store, "data", &out, &err), HV_OK);
	assert_string_equal(out.source, volume);
	assert_int_equal(hv_store_attachment_list(store, &filter, &records, &err), HV_OK);
	assert_int_equal(records.count, 1);
	assert_string_equal(records.items[0].view.source, attachment);
	hv_records_done(&records);
	hv_volume_done(&out);
}

STORE_TEST(a_directory_moves_with_the_kinds_that_are_named)
{
	struct hv_error err = {0};

	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	assert_int_equal(row_put(store, "0123456789ab", "data", "web", true), HV_OK);
	assert_int_equal(hv_store_move(store, "/srv", "/new", ",managed,a-path,", &err), HV_OK);
	expect_sources("/srv/data", "/srv/source");
	assert_int_equal(hv_store_move(store, "/srv", "/new", ",managed,path,", &err), HV_OK);
	expect_sources("/new/data", "/new/source");
}

STORE_TEST(a_directory_that_is_not_there_is_refused)
{
	char *path = scratch_path(dir, "nowhere"), *file = scratch_path(dir, "file");

	row_expect_refused(path, "");
	assert_false(scratch_exists(path));
	scratch_write(file, "");
	row_expect_refused(file, "");
	free(path);
	free(file);
}

TEST(closing_nothing_is_fine)
{
	hv_store_close(NULL);
	hv_store_volumes_free(NULL, 0);
	hv_records_done(&(struct hv_records){0});
}

TEST_MAIN()

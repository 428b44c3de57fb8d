/* SPDX-License-Identifier: Apache-2.0 */
/* Databases of other versions. */
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "store_fixture.h"

#define STORE_UPGRADE_TEST(name) TEST_WITH(name, open_one, close_one)

STORE_UPGRADE_TEST(a_newer_version_is_refused_and_left_alone)
{
	char *path = scratch_path(dir, "hostvol.db");
	sqlite3 *db = NULL;

	row_add_volume(store, "data");
	hv_store_close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 19", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	row_expect_refused(dir, "newer version (schema 19, this one knows 18)");
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 18", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	store = row_store(dir);
	assert_true(row_has_volume(store, "data"));
	free(path);
}

/* Version 1 as it was, with something in it. */
static const char version_1[] =
	"CREATE TABLE volume (name TEXT PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL,"
	" created_at TEXT NOT NULL, read_only INTEGER NOT NULL,"
	" removing INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"CREATE TABLE opt (volume TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL,"
	" value TEXT NOT NULL, PRIMARY KEY (volume, position)) WITHOUT ROWID;"
	"CREATE TABLE attachment (id TEXT PRIMARY KEY, volume TEXT NOT NULL, source TEXT NOT NULL,"
	" subpath TEXT, container_id TEXT NOT NULL, container_name TEXT NOT NULL,"
	" target TEXT NOT NULL, flags INTEGER NOT NULL, since TEXT NOT NULL,"
	" is_done INTEGER NOT NULL, pid INTEGER NOT NULL, ns_ino INTEGER NOT NULL,"
	" path TEXT NOT NULL, mount_id INTEGER NOT NULL, mountinfo_id INTEGER NOT NULL,"
	" made TEXT NOT NULL);"
	"CREATE INDEX attachment_volume ON attachment (volume);"
	"CREATE INDEX attachment_container ON attachment (container_id);"
	"CREATE TABLE ref (volume TEXT NOT NULL, id TEXT NOT NULL, count INTEGER NOT NULL,"
	" PRIMARY KEY (volume, id)) WITHOUT ROWID;"
	"INSERT INTO volume VALUES ('old', 'managed', '/s', '2026-01-01T00:00:00Z', 0, 0);"
	"INSERT INTO volume VALUES ('going', 'managed', '/s', '2026-01-01T00:00:00Z', 0, 1);"
	"INSERT INTO attachment VALUES ('0123456789ab', 'old', '/s', NULL, 'c', 'web', '/mnt', 1,"
	" '2026-01-01T00:00:00Z', 1, 7, 8, '/mnt', 9, 10, '');"
	"PRAGMA user_version = 1;";

/* And what version 2 had more: one attachment with owners mapped. */
static const char version_2[] =
	"ALTER TABLE attachment ADD COLUMN replaces TEXT;"
	"UPDATE attachment SET flags = 1 + 2 + 16 + 32, replaces = 'ba9876543210';"
	"PRAGMA user_version = 2;";

/* And version 3. */
static const char version_3[] =
	"ALTER TABLE attachment ADD COLUMN started_at TEXT;"
	"ALTER TABLE attachment ADD COLUMN state TEXT NOT NULL DEFAULT 'attached';"
	"ALTER TABLE attachment ADD COLUMN problem TEXT;"
	"ALTER TABLE attachment ADD COLUMN root_dev INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE attachment ADD COLUMN root_ino INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE boot (id TEXT NOT NULL);"
	"UPDATE attachment SET flags = flags + 64 + 256 + 512;"
	"PRAGMA user_version = 3;";

/* And version 4. */
static const char version_4[] = "ALTER TABLE volume RENAME COLUMN removing TO phase;"
				"ALTER TABLE volume ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;"
				"PRAGMA user_version = 4;";

/* And version 5. */
static const char version_5[] = "ALTER TABLE volume ADD COLUMN made_dev INTEGER NOT NULL DEFAULT 0;"
				"ALTER TABLE volume ADD COLUMN made_ino INTEGER NOT NULL DEFAULT 0;"
				"PRAGMA user_version = 5;";

/* And version 6. */
static const char version_6[] = "CREATE INDEX volume_unfinished ON volume (name) WHERE phase;"
				"CREATE INDEX opt_value ON opt (key, value);"
				"PRAGMA user_version = 6;";

/* And version 7. */
static const char version_7[] = "ALTER TABLE attachment ADD COLUMN engine TEXT;"
				"PRAGMA user_version = 7;";

/* And version 8. */
static const char version_8[] = "CREATE INDEX volume_source ON volume (source);"
				"CREATE INDEX attachment_source ON attachment (source);"
				"PRAGMA user_version = 8;";

/* And version 9. */
static const char version_9[] =
	"ALTER TABLE attachment ADD COLUMN late_ms INTEGER NOT NULL DEFAULT -1;"
	"PRAGMA user_version = 9;";

/* And version 10. */
static const char version_10[] =
	"CREATE TABLE mounted (volume TEXT NOT NULL, dev INTEGER NOT NULL, ino INTEGER NOT NULL);"
	"CREATE INDEX mounted_volume ON mounted (volume);"
	"INSERT INTO mounted SELECT name, 0, 0 FROM volume;"
	"PRAGMA user_version = 10;";

/* And versions 11 to 13. */
static const char version_11[] =
	"ALTER TABLE attachment ADD COLUMN leftovers TEXT NOT NULL DEFAULT '';"
	"PRAGMA user_version = 11;";
static const char version_12[] = "CREATE TABLE root (path TEXT PRIMARY KEY) WITHOUT ROWID;"
				 "PRAGMA user_version = 12;";

static const char version_13[] =
	"ALTER TABLE attachment ADD COLUMN problem_kind INTEGER NOT NULL DEFAULT 0;"
	"PRAGMA user_version = 13;";

static const char *const versions[] = {version_1, version_2, version_3, version_4, version_5,
	version_6, version_7, version_8, version_9, version_10, version_11, version_12, version_13};

/* The last version without that column. */
enum { WITHOUT_PROBLEM_KIND = 12 };

static void expect_upgraded(const struct hv_record *record, bool is_2)
{
	assert_string_equal(record->view.id, "0123456789ab");
	assert_true(record->view.read_only && record->is_done);
	assert_int_equal(record->view.persist, is_2);
	assert_int_equal(record->view.no_suid, is_2);
	assert_int_equal(record->view.is_mapped, is_2);
	assert_int_equal(record->may_map, is_2);
	assert_true(record->mkdir && record->is_suid_explicit);
	assert_int_equal(record->view.state, HV_ATTACHED);
	assert_null(record->view.problem);
	assert_null(record->view.as);
	assert_null(record->view.rule);
	assert_int_equal(record->problem, HV_PROBLEM_NONE);
	assert_null(record->started_at);
	assert_null(record->engine);
	assert_true(record->view.late_ms == HV_LATE_UNKNOWN && !record->view.required);
	assert_string_equal(record->leftovers, "");
	assert_null(record->view.until);
	assert_int_equal(record->view.grace_seconds, HV_GRACE_UNSAID);
	assert_true(record->pid == 7 && record->ns_ino == 8 && record->mount_id == 9);
	if (is_2)
		assert_string_equal(record->replaces, "ba9876543210");
	else
		assert_null(record->replaces);
}

static void expect_upgrade(size_t version)
{
	char *made = scratch_path(dir, "old"), *path = scratch_path(dir, "old/hostvol.db");
	const struct hv_record_filter all = {0};
	struct hv_records records = {0};
	struct hv_mounted_roots roots;
	struct hv_error err = {0};
	sqlite3 *db = NULL;

	assert_int_equal(mkdir(made, 0755), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < version; i++)
		assert_int_equal(sqlite3_exec(db, versions[i], NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	for (int i = 0; i < 2; i++) { /* and opened again as what it is then */
		hv_store_close(store);
		store = row_store(made);
		assert_true(row_has_volume(store, "old"));
		assert_false(row_has_volume(store, "going"));
		row_expect_unfinished(store, "going", HV_REMOVING);
		assert_int_equal(hv_store_attachment_list(store, &all, &records, &err), HV_OK);
		assert_int_equal(records.count, 1);
		expect_upgraded(&records.items[0], version >= 2);
		hv_records_done(&records);
		assert_int_equal(hv_store_mounted_get(store, "old", &roots, &err), HV_OK);
		assert_int_equal(roots.count, 1); /* of a mount that may be there */
		assert_int_equal(roots.items[0].ino, 0);
	}
	free(made);
	free(path);
}

STORE_UPGRADE_TEST(version_1_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(1);
}

STORE_UPGRADE_TEST(version_2_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(2);
}

STORE_UPGRADE_TEST(version_3_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(3);
}

STORE_UPGRADE_TEST(version_4_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(4);
}

STORE_UPGRADE_TEST(version_5_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(5);
}

STORE_UPGRADE_TEST(version_6_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(6);
}

STORE_UPGRADE_TEST(version_7_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(7);
}

STORE_UPGRADE_TEST(version_8_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(8);
}

STORE_UPGRADE_TEST(version_9_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(9);
}

STORE_UPGRADE_TEST(version_10_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(10);
}

STORE_UPGRADE_TEST(version_12_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(12);
}

STORE_UPGRADE_TEST(version_13_is_upgraded_with_all_that_is_in_it)
{
	expect_upgrade(13);
}

STORE_UPGRADE_TEST(a_problem_that_was_known_by_its_words_has_a_kind)
{
	static const struct {
		const char *sql;
		enum hv_problem problem;
	} cases[] = {
		{"UPDATE attachment SET problem = 'the Docker Engine that answers at /run/docker.sock"
		 " does not know container ''web'', which runs and has the volume'",
			HV_PROBLEM_DOUBTED},
		{"UPDATE attachment SET problem = 'there is no file or directory x'",
			HV_PROBLEM_FAILED},
	};
	char *made = scratch_path(dir, "old"), *path = scratch_path(dir, "old/hostvol.db");
	const struct hv_record_filter all = {0};

	assert_int_equal(mkdir(made, 0755), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_records records = {0};
		struct hv_error err = {0};
		sqlite3 *db = NULL;

		unlink(path);
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		for (size_t k = 0; k < WITHOUT_PROBLEM_KIND; k++)
			assert_int_equal(
				sqlite3_exec(db, versions[k], NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		hv_store_close(store);
		store = row_store(made);
		assert_int_equal(hv_store_attachment_list(store, &all, &records, &err), HV_OK);
		assert_int_equal(records.count, 1);
		assert_int_equal(records.items[0].problem, cases[i].problem);
		assert_non_null(records.items[0].view.problem);
		hv_records_done(&records);
	}
	free(made);
	free(path);
}

TEST_MAIN()

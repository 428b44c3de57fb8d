/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that no version of hostvol writes, and a SQLite without memory. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "db.h"
#include "rows.h"
#include "scratch.h"
#include "store_fixture.h"

/* SQLite's memory: allocation number `fail_at` fails, once; 0: none. */
static struct sqlite3_mem_methods memory;
static unsigned fail_at, allocations;

static bool is_refused(void)
{
	return fail_at != 0 && ++allocations == fail_at;
}

static void *allocate(int size)
{
	return is_refused() ? NULL : memory.xMalloc(size);
}

static void *reallocate(void *old, int size)
{
	return is_refused() ? NULL : memory.xRealloc(old, size);
}

/* Before SQLite is used. */
__attribute__((constructor)) static void take_memory(void)
{
	struct sqlite3_mem_methods own;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory) != SQLITE_OK)
		abort();
	own = memory;
	own.xMalloc = allocate;
	own.xRealloc = reallocate;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &own) != SQLITE_OK ||
		sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
		abort();
}

static int close_with_memory(void **state)
{
	fail_at = 0;
	return close_one(state);
}

#define STORE_ROWS_TEST(name) TEST_WITH(name, open_one, close_with_memory)

/* Run `sql` on the database while no store has it. */
static void change(const char *sql)
{
	char *path = scratch_path(dir, "hostvol.db");
	sqlite3 *db = NULL;

	hv_store_close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
	store = row_store(dir);
	free(path);
}

static void add_rows(void)
{
	static char id[] = "00000000000a", text[] = "text", volume[] = "data";
	const struct hv_rule_record rule = {id, text, volume, text, text, text, false};
	struct hv_mounted_roots roots = {1, {{2, 3}}};
	struct hv_error err = {0};

	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	assert_int_equal(row_put(store, "0123456789ab", "data", "c1", true), HV_OK);
	assert_int_equal(hv_store_rule_add(store, &rule, &err), HV_OK);
	assert_int_equal(hv_store_root_add(store, "/run/runc", &err), HV_OK);
	assert_int_equal(hv_store_mounted_set(store, "data", &roots, &err), HV_OK);
}

static enum hv_code read_volume(struct hv_error *err)
{
	struct hv_volume volume = {0};
	enum hv_code code = hv_store_volume_get(store, "data", &volume, err);

	if (code == HV_OK) {
		assert_string_equal(volume.name, "data");
		assert_string_equal(volume.kind, "path");
		assert_non_null(volume.source);
		assert_string_equal(volume.created_at, "2024-01-01T00:00:00.000Z");
		assert_int_equal(volume.opts.count, 1);
		assert_non_null(hv_opts_get(&volume.opts, "path"));
	}
	hv_volume_done(&volume);
	return code;
}

static enum hv_code read_volumes(struct hv_error *err)
{
	struct hv_volume *list = NULL;
	size_t count = 0;
	enum hv_code code = hv_store_volume_list(store, &list, &count, err);

	if (code == HV_OK) {
		assert_int_equal(count, 1);
		assert_non_null(list[0].source);
		assert_int_equal(list[0].opts.count, 1);
	}
	hv_store_volumes_free(list, count);
	return code;
}

static enum hv_code read_attachments(struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = "data"};
	struct hv_records list = {0};
	enum hv_code code = hv_store_attachment_list(store, &filter, &list, err);

	if (code == HV_OK) {
		assert_int_equal(list.count, 1);
		assert_string_equal(list.items[0].view.source, "/srv/source");
		assert_string_equal(list.items[0].made, "1:2 3:4 ");
		assert_string_equal(list.items[0].leftovers, "");
		assert_int_equal(list.items[0].view.state, HV_ATTACHED);
		assert_null(list.items[0].view.subpath);
	}
	hv_records_done(&list);
	return code;
}

static enum hv_code read_containers(struct hv_error *err)
{
	struct hv_store_container *list = NULL;
	size_t count = 0;
	enum hv_code code = hv_store_attachment_containers(store, &list, &count, err);

	if (code == HV_OK) {
		assert_int_equal(count, 1);
		assert_string_equal(list[0].id, "c1");
	}
	hv_store_containers_free(list, count);
	return code;
}

static enum hv_code read_alias(struct hv_error *err)
{
	char *name = NULL;
	enum hv_code code = hv_store_volume_with_opt(store, "path", "/srv/data", &name, err);

	if (code == HV_OK)
		assert_string_equal(name, "data");
	free(name);
	return code;
}

static enum hv_code read_roots(struct hv_error *err)
{
	struct hv_texts roots = {0};
	enum hv_code code = hv_store_root_list(store, &roots, err);

	if (code == HV_OK) {
		assert_int_equal(roots.count, 1);
		assert_non_null(roots.items[0]);
	}
	hv_texts_done(&roots);
	return code;
}

static enum hv_code read_rules(struct hv_error *err)
{
	struct hv_rule_records rules = {0};
	enum hv_code code = hv_store_rule_list(store, "data", &rules, err);

	if (code == HV_OK) {
		assert_int_equal(rules.count, 1);
		assert_non_null(rules.items[0].request);
	}
	hv_rule_records_done(&rules);
	return code;
}

static enum hv_code read_mounted(struct hv_error *err)
{
	struct hv_mounted_roots roots;
	enum hv_code code = hv_store_mounted_get(store, "data", &roots, err);

	if (code == HV_OK) {
		assert_int_equal(roots.count, 1);
		assert_true(roots.items[0].dev == 2 && roots.items[0].ino == 3);
	}
	return code;
}

typedef enum hv_code (*read_fn)(struct hv_error *err);

/* A copy of a table has no NOT NULL, and no type for a column that is computed. */
#define COPY(table, columns)                                                                       \
	"CREATE TABLE copy AS SELECT " columns " FROM " table "; DROP TABLE " table ";"            \
	"ALTER TABLE copy RENAME TO " table ";"
#define LOOSEN(table) COPY(table, "*")

/* Read with the first allocation of SQLite failing, then with the second one, until none does. */
static void read_without_memory(read_fn read)
{
	bool is_whole = false;

	for (unsigned at = 1; !is_whole; at++) {
		struct hv_error err = {0};
		enum hv_code code;

		fail_at = at;
		allocations = 0;
		code = read(&err);
		is_whole = allocations < at;
		fail_at = 0;
		assert_true(code == HV_OK || code == HV_INTERNAL || code == HV_STATE_UNREADABLE);
		assert_int_equal(code, err.code);
		assert_true(!is_whole || code == HV_OK);
		hv_error_done(&err);
	}
}

/* Without memory the text of a number is NULL, as SQL NULL is. */
STORE_ROWS_TEST(each_reading_without_memory_fails_or_has_all_texts)
{
	static const read_fn reads[] = {read_volume, read_volumes, read_attachments,
		read_containers, read_roots, read_mounted, read_rules};

	add_rows();
	read_without_memory(read_alias);
	change(COPY("opt", "volume, position, key, 7 AS value") COPY("root", "7 AS path") COPY(
		"rule", "id, selector, volume, target, 7 AS request, since, is_own") COPY("volume",
		"name, kind, 7 AS source, created_at, read_only, phase, missing,"
		" made_dev, made_ino"));
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		read_without_memory(reads[i]);
}

static void expect_unreadable(read_fn read, const char *owner, const char *column)
{
	struct hv_error err = {0};

	assert_int_equal(read(&err), HV_STATE_UNREADABLE);
	if (!strstr(hv_error_text(&err), owner) || !strstr(hv_error_text(&err), column))
		fail_msg("'%s' has no '%s' or no '%s'", hv_error_text(&err), owner, column);
	hv_error_done(&err);
}

STORE_ROWS_TEST(null_in_a_column_that_may_not_be_null_is_unreadable)
{
	static const struct {
		const char *sql;
		read_fn read;
		const char *owner, *column;
	} cases[] = {
		{LOOSEN("volume") "UPDATE volume SET source = NULL", read_volume, "volume 'data'",
			"column source"},
		{"UPDATE volume SET source = '/srv/data', missing = NULL", read_volumes,
			"volume 'data'", "column missing"},
		{"UPDATE volume SET missing = 0;" LOOSEN("opt") "UPDATE opt SET value = NULL",
			read_volume, "option of volume 'data'", "column value"},
		{LOOSEN("attachment") "UPDATE attachment SET leftovers = NULL", read_attachments,
			"attachment '0123456789ab'", "column leftovers"},
		{"UPDATE attachment SET leftovers = '', pid = NULL", read_attachments,
			"attachment '0123456789ab'", "column pid"},
		{"UPDATE attachment SET pid = 1, container_id = NULL", read_containers,
			"attachment to container", "column container_id"},
		{LOOSEN("root") "UPDATE root SET path = NULL", read_roots, "root", "column path"},
		{LOOSEN("rule") "UPDATE rule SET request = NULL", read_rules, "rule '00000000000a'",
			"column request"},
		{LOOSEN("mounted") "UPDATE mounted SET ino = NULL", read_mounted, "volume 'data'",
			"column ino"},
	};

	add_rows();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		change(cases[i].sql);
		expect_unreadable(cases[i].read, cases[i].owner, cases[i].column);
	}
}

static enum hv_code list_volumes(struct hv_error *err)
{
	assert_int_equal(read_volumes(err), HV_OK);
	return hv_store_volume_tell_damage(store, err);
}

static enum hv_code tell_volumes(struct hv_error *err)
{
	return hv_store_volume_tell_damage(store, err);
}

static enum hv_code tell_attachments(struct hv_error *err)
{
	return hv_store_attachment_tell_damage(store, err);
}

/* The row of an unknown phase would be a volume in HV_REMOVING, whose data is deleted. */
STORE_ROWS_TEST(a_number_or_word_that_no_enum_has_is_unreadable)
{
	static const struct {
		const char *sql;
		read_fn read;
		const char *owner, *column;
	} cases[] = {
		{"UPDATE volume SET phase = 4", read_volume, "volume 'data'", "column phase"},
		{"UPDATE volume SET phase = -1", read_volume, "volume 'data'", "column phase"},
		{"UPDATE volume SET phase = 1.5", read_volume, "volume 'data'", "column phase"},
		{"UPDATE volume SET phase = 4294967297", read_volume, "volume 'data'",
			"column phase"},
		{"UPDATE volume SET phase = 'x'", read_volume, "volume 'data'", "column phase"},
		{"UPDATE volume SET phase = 4", list_volumes, "volume 'data'", "column phase"},
		{"UPDATE attachment SET state = 'lost'", read_attachments,
			"attachment '0123456789ab'", "column state"},
		{"UPDATE attachment SET state = 'attached', flags = 3 * 4096", read_attachments,
			"attachment '0123456789ab'", "column flags (replace)"},
		{"UPDATE attachment SET flags = 3 * 262144", read_attachments,
			"attachment '0123456789ab'", "column flags (refusal)"},
		{"UPDATE attachment SET flags = 0, problem_kind = 99", read_attachments,
			"attachment '0123456789ab'", "column problem_kind"},
		{"UPDATE attachment SET problem_kind = -1", read_attachments,
			"attachment '0123456789ab'", "column problem_kind"},
		{"UPDATE attachment SET problem_kind = 0, until = 'soon'", read_attachments,
			"attachment '0123456789ab'", "column until"},
		{"UPDATE attachment SET until = NULL, grace = -1", read_attachments,
			"attachment '0123456789ab'", "column grace"},
		{"UPDATE attachment SET grace = 'long'", read_attachments,
			"attachment '0123456789ab'", "column grace"},
	};

	add_rows();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		change(cases[i].sql);
		expect_unreadable(cases[i].read, cases[i].owner, cases[i].column);
	}
}

static void expect_damaged(struct hv_volume *list, size_t count, size_t expected)
{
	assert_int_equal(count, expected);
	for (size_t i = 0; i < count; i++) {
		bool is_data = strcmp(list[i].name, "data") == 0;

		assert_int_equal(list[i].phase, is_data ? HV_DAMAGED : HV_VOLUME_READY);
		assert_non_null(list[i].source);
		assert_int_equal(list[i].opts.count, 1);
	}
	hv_store_volumes_free(list, count);
}

STORE_ROWS_TEST(a_damaged_volume_is_in_no_other_s_way)
{
	static const char *const changes[] = {"UPDATE volume SET phase = 4 WHERE name = 'data'",
		"UPDATE volume SET phase = -1 WHERE name = 'data'",
		"UPDATE volume SET phase = 1.5 WHERE name = 'data'"};
	struct hv_error err = {0};

	add_rows();
	assert_int_equal(row_add_volume(store, "other"), HV_OK);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct hv_volume *list = NULL;
		size_t count = 0;

		change(changes[i]);
		assert_int_equal(tell_volumes(&err), HV_OK); /* no list has met it */
		assert_int_equal(hv_store_volume_list(store, &list, &count, &err), HV_OK);
		expect_damaged(list, count, 2);
		expect_unreadable(tell_volumes, "volume 'data'", "column phase");
		list = NULL;
		count = 0;
		assert_int_equal(hv_store_volume_unfinished(store, &list, &count, &err), HV_OK);
		expect_damaged(list, count, 1);
		assert_true(row_has_volume(store, "other"));
	}
}

STORE_ROWS_TEST(a_damaged_volume_is_told_until_a_list_of_all_is_without_it)
{
	struct hv_volume *list = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	add_rows();
	change("UPDATE volume SET phase = 4");
	row_expect_unfinished(store, "data", HV_DAMAGED);
	expect_unreadable(tell_volumes, "volume 'data'", "column phase");
	assert_int_equal(hv_store_volume_set_phase(store, "data", HV_VOLUME_READY, &err), HV_OK);
	assert_int_equal(hv_store_volume_unfinished(store, &list, &count, &err), HV_OK);
	hv_store_volumes_free(list, count);
	expect_unreadable(tell_volumes, "volume 'data'", "column phase");
	assert_int_equal(list_volumes(&err), HV_OK);
}

STORE_ROWS_TEST(a_damaged_attachment_is_in_no_other_volume_s_way)
{
	static const char *const changes[] = {
		"UPDATE attachment SET state = 'lost' WHERE volume = 'data'",
		"UPDATE attachment SET state = 'attached', problem_kind = 99 WHERE volume = 'data'"};
	struct hv_error err = {0};

	add_rows();
	assert_int_equal(row_put(store, "0123456789ac", "other", "c1", true), HV_OK);
	assert_int_equal(row_put(store, "0123456789ad", "other", "c2", true), HV_OK);
	assert_int_equal(row_count_records(store, NULL, NULL, NULL), 3);
	assert_int_equal(tell_attachments(&err), HV_OK);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		change(changes[i]);
		assert_int_equal(row_count_records(store, NULL, NULL, NULL), 2);
		assert_int_equal(row_count_records(store, NULL, "other", NULL), 2);
		assert_int_equal(row_count_records(store, NULL, NULL, "c1"), 1);
		expect_unreadable(
			read_attachments, "attachment '0123456789ab'", "has no valid value");
		expect_unreadable(
			tell_attachments, "attachment '0123456789ab'", "has no valid value");
	}
}

STORE_ROWS_TEST(a_damaged_attachment_is_told_until_a_list_of_all_is_without_it)
{
	struct hv_error err = {0};

	add_rows();
	change("UPDATE attachment SET state = 'lost'");
	assert_int_equal(row_count_records(store, NULL, NULL, "c2"), 0);
	assert_int_equal(tell_attachments(&err), HV_OK); /* no list has met it */
	assert_int_equal(row_count_records(store, NULL, NULL, "c1"), 0);
	expect_unreadable(tell_attachments, "attachment '0123456789ab'", "column state");
	assert_int_equal(hv_store_attachment_drop(store, "0123456789ab", NULL, &err), HV_OK);
	assert_int_equal(row_count_records(store, NULL, NULL, "c1"), 0);
	expect_unreadable(tell_attachments, "attachment '0123456789ab'", "column state");
	assert_int_equal(row_count_records(store, NULL, NULL, NULL), 0);
	assert_int_equal(tell_attachments(&err), HV_OK);
}

/* It is not retired with its attachment, nor is the volume that it may be another name for. */
STORE_ROWS_TEST(a_damaged_volume_stays_and_keeps_its_origin)
{
	struct hv_error err = {0};
	char *alias = NULL;

	add_rows();
	change("UPDATE volume SET phase = 4;"
	       "INSERT INTO opt (volume, position, key, value) VALUES ('data', 1, 'from', 'origin')");
	assert_int_equal(hv_store_volume_with_opt(store, "from", "origin", &alias, &err), HV_OK);
	assert_non_null(alias);
	assert_string_equal(alias, "data");
	free(alias);
	assert_int_equal(
		hv_store_attachment_drop_with_volume(store, "0123456789ab", "data", NULL, &err),
		HV_OK);
	expect_unreadable(read_volume, "volume 'data'", "column phase");
	row_expect_unfinished(store, "data", HV_DAMAGED);
}

/* No statement with one row of sums does that. */
STORE_ROWS_TEST(a_row_that_is_missing_is_told)
{
	struct hv_error err = {0};
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	sqlite3_stmt *statement = hv_sql_get(held, HV_SQL_ROOT_LIST, NULL, &err);

	assert_non_null(statement);
	assert_int_equal(hv_sql_row(held, statement, &err), HV_STATE_UNREADABLE);
	assert_int_equal(err.code, HV_STATE_UNREADABLE);
	assert_non_null(strstr(hv_error_text(&err), "a row is missing"));
	hv_error_done(&err);
}

TEST_MAIN()

/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's plan for each statement, and the work that it takes: among thousands of volumes and
 * attachments, a query for one of them must not read all. */
#include <stdio.h>
#include <string.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "db.h"
#include "rows.h"
#include "scratch.h"

enum { STEPS_MAX = 1000 };

/* Each row that fill() adds has a number for its texts and keys; this one is asked for. */
static const char some[] = "1234";

/* Statements that may read a whole table, or sort.  Each entry must be needed. */
static const struct {
	enum hv_sql sql;
	bool is_long; /* it does as many steps as there are rows */
	const char *reason;
} exceptions[] = {
	{HV_SQL_VOLUME_LIST, true, "docker volume ls and the start read all volumes"},
	{HV_SQL_VOLUME_MOVE, true, "the state directory has moved, with all sources in it"},
	{HV_SQL_ATTACHMENT_LIST, true, "docker hostvol ls and the start read all attachments"},
	{HV_SQL_ATTACHMENT_CONTAINERS, true, "the reconciler goes through all containers"},
	{HV_SQL_ATTACHMENT_MOVE, true, "the state directory has moved, with all sources in it"},
	{HV_SQL_BOOT_UNMOUNT, true, "the machine was booted: no mount is left"},
	{HV_SQL_COUNTS, true,
		"a scrape counts all volumes and attachments, which takes one look at each row"},
	{HV_SQL_BOOT_HAS, false, "the table has one row"},
	{HV_SQL_ROOT_LIST, false, "the table has a row for each directory of a runtime"},
	{HV_SQL_ATTACHMENT_BY_CONTAINER, false, "a container has few attachments to sort"},
	{HV_SQL_ATTACHMENT_BY_RULE, false, "a rule has as many attachments as it is worth"},
	{HV_SQL_RULE_LIST, true, "docker hostvol ls --rules and the start read all rules"},
	{HV_SQL_RULE_BY_VOLUME, false, "a volume has few rules to sort"},
	{HV_SQL_ATTACHMENT_BY_VOLUME, false, "a volume has few attachments to sort"},
};

enum { EXCEPTIONS = sizeof(exceptions) / sizeof(exceptions[0]) };

static int find_exception(enum hv_sql sql)
{
	for (int i = 0; i < EXCEPTIONS; i++)
		if (exceptions[i].sql == sql)
			return i;
	return -1;
}

static void run(struct hv_store *store, const char *sql)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(store->db));
}

/* Thousands of rows in each table that grows. */
static struct hv_store *fill(const char *dir)
{
	struct hv_store *store = row_store(dir);

	run(store,
		"BEGIN;"
		"CREATE TEMP TABLE number AS WITH RECURSIVE n (i) AS"
		" (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT i FROM n;"
		"INSERT INTO volume (name, kind, source, created_at, read_only)"
		" SELECT i, 'path', i, '', 0 FROM number;"
		"INSERT INTO opt (volume, position, key, value) SELECT i, 0, i, i FROM number;"
		"INSERT INTO attachment (id, volume, source, container_id, container_name, target, flags,"
		" since, is_done, pid, ns_ino, path, mount_id, mountinfo_id, made)"
		" SELECT i, i, i, i, '', '', 0, '', 1, 0, 0, '', 0, 0, '' FROM number;"
		"INSERT INTO ref (volume, id, count) SELECT i, i, 1 FROM number;"
		"INSERT INTO mounted (volume, dev, ino) SELECT i, 1, 1 FROM number;"
		"INSERT INTO rule (id, selector, volume, target, request, since, is_own)"
		" SELECT i, '', i, '', '', '', 0 FROM number;"
		"UPDATE attachment SET rule = id;"
		"DROP TABLE number;"
		"COMMIT");
	return store;
}

/* The one scan that is no exception: the partial index has the few unfinished volumes. */
static bool is_bad(const char *step)
{
	if (strstr(step, "TEMP B-TREE"))
		return true;
	return strstr(step, "SCAN ") && strcmp(step, "SCAN CONSTANT ROW") != 0 &&
	       !strstr(step, "INDEX volume_unfinished");
}

static void check_plan(struct hv_store *store, enum hv_sql sql)
{
	sqlite3_stmt *statement = NULL;
	const bool may_be_bad = find_exception(sql) >= 0;
	bool has_bad = false;
	char explain[4096];

	snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", hv_sql_string(sql));
	assert_int_equal(sqlite3_prepare_v2(store->db, explain, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(statement, 3);

		has_bad = has_bad || is_bad(step);
		if (is_bad(step) && !may_be_bad)
			fail_msg("%s: %s", hv_sql_string(sql), step);
	}
	if (may_be_bad && !has_bad)
		fail_msg("needs no exception: %s", hv_sql_string(sql));
	sqlite3_finalize(statement);
}

/* The steps of SQLite's machine for one run with `some` for each parameter, which is undone.  One
 * that violates a constraint counts as well. */
static int count_steps(struct hv_store *store, enum hv_sql sql)
{
	sqlite3_stmt *statement = NULL;
	int steps;

	assert_int_equal(
		sqlite3_prepare_v2(store->db, hv_sql_string(sql), -1, &statement, NULL), SQLITE_OK);
	for (int at = sqlite3_bind_parameter_count(statement); at > 0; at--)
		assert_int_equal(
			sqlite3_bind_text(statement, at, some, -1, SQLITE_STATIC), SQLITE_OK);
	run(store, "SAVEPOINT before");
	while (sqlite3_step(statement) == SQLITE_ROW)
		;
	steps = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
	sqlite3_finalize(statement);
	run(store, "ROLLBACK TO before; RELEASE before");
	return steps;
}

TEST(only_the_exceptions_read_whole_tables)
{
	char *dir = scratch_new();
	struct hv_store *store = row_store(dir);

	for (int sql = HV_SQL_BEGIN; sql < HV_SQL_COUNT; sql++)
		check_plan(store, (enum hv_sql)sql);
	hv_store_close(store);
	scratch_free(dir);
}

TEST(a_query_for_one_of_thousands_takes_few_steps)
{
	char *dir = scratch_new();
	struct hv_store *store = fill(dir);

	for (int sql = HV_SQL_ROLLBACK + 1; sql < HV_SQL_COUNT; sql++) {
		int at = find_exception((enum hv_sql)sql);
		bool is_long = at >= 0 && exceptions[at].is_long;
		int steps = count_steps(store, (enum hv_sql)sql);

		if ((steps > STEPS_MAX) != is_long)
			fail_msg("%d steps: %s", steps, hv_sql_string((enum hv_sql)sql));
	}
	hv_store_close(store);
	scratch_free(dir);
}

TEST_MAIN()

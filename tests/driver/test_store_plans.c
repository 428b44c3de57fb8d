/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's plan for each statement: among thousands of volumes and attachments, a query for one of
 * them must not read all. */
#include <stdio.h>
#include <string.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "db.h"
#include "rows.h"
#include "scratch.h"

/* Statements that read or change a whole table on purpose. */
static bool is_of_all(enum hv_sql sql)
{
	return sql == HV_SQL_VOLUME_LIST || sql == HV_SQL_ATTACHMENT_LIST ||
	       sql == HV_SQL_ATTACHMENT_CONTAINERS || sql == HV_SQL_VOLUME_MOVE ||
	       sql == HV_SQL_ROOT_LIST || sql == HV_SQL_ATTACHMENT_MOVE || /* the directory moved */
	       sql == HV_SQL_BOOT_HAS || sql == HV_SQL_BOOT_FORGET ||      /* of one row */
	       sql == HV_SQL_BOOT_UNMOUNT;                                 /* once for each boot */
}

/* Statements that sort the few rows from an index. */
static bool is_sorted(enum hv_sql sql)
{
	return sql == HV_SQL_ATTACHMENT_BY_CONTAINER || sql == HV_SQL_ATTACHMENT_BY_VOLUME;
}

/* Of the few that a partial index has. */
static bool is_of_few(const char *step)
{
	return strstr(step, "USING INDEX volume_unfinished");
}

static bool is_scan(const char *step)
{
	return strstr(step, "SCAN ") && strcmp(step, "SCAN CONSTANT ROW") != 0 && !is_of_few(step);
}

static void check_plan(struct hv_store *store, enum hv_sql sql)
{
	sqlite3_stmt *statement = NULL;
	char explain[4096];

	snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", hv_sql_string(sql));
	assert_int_equal(sqlite3_prepare_v2(store->db, explain, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(statement, 3);

		if (is_scan(step) || (strstr(step, "TEMP B-TREE") && !is_sorted(sql)))
			fail_msg("%s: %s", hv_sql_string(sql), step);
	}
	sqlite3_finalize(statement);
}

TEST(only_lists_read_whole_tables)
{
	char *dir = scratch_new();
	struct hv_store *store = row_store(dir);

	for (int sql = HV_SQL_BEGIN; sql < HV_SQL_COUNT; sql++)
		if (!is_of_all((enum hv_sql)sql))
			check_plan(store, (enum hv_sql)sql);
	hv_store_close(store);
	scratch_free(dir);
}

TEST_MAIN()

/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include <string.h>

enum hv_code hv_sql_refuse(
	sqlite3_stmt *statement, const char *owner, const char *column, struct hv_error *err)
{
	return hv_sql_refuse_key(
		(const char *)sqlite3_column_text(statement, 0), owner, column, err);
}

enum hv_code hv_sql_refuse_key(
	const char *key, const char *owner, const char *column, struct hv_error *err)
{
	return hv_fail(err, HV_STATE_UNREADABLE,
		"hostvol's state cannot be used: column %s of %s '%.255s' has no valid value",
		column ? column : "?", owner, key ? key : "?");
}

enum hv_code hv_sql_check_null(
	sqlite3_stmt *statement, const char *owner, unsigned nullable, struct hv_error *err)
{
	for (int at = 0; at < sqlite3_column_count(statement); at++)
		if (!(nullable & 1u << at) && sqlite3_column_type(statement, at) == SQLITE_NULL)
			return hv_sql_refuse(
				statement, owner, sqlite3_column_name(statement, at), err);
	return HV_OK;
}

bool hv_sql_is_enum(sqlite3_stmt *statement, int at, int last)
{
	bool is_number = sqlite3_column_type(statement, at) == SQLITE_INTEGER;
	sqlite3_int64 number = sqlite3_column_int64(statement, at);

	return is_number && number >= 0 && number <= last;
}

char *hv_sql_column(sqlite3_stmt *statement, int at, bool *ok)
{
	/* Asked first: without memory the text is NULL as well. */
	bool is_null = sqlite3_column_type(statement, at) == SQLITE_NULL;
	const char *text = is_null ? NULL : (const char *)sqlite3_column_text(statement, at);
	char *copy = text ? strdup(text) : NULL;

	if (!copy && !is_null)
		*ok = false;
	return copy;
}

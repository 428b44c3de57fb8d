/* SPDX-License-Identifier: Apache-2.0 */
/* The row that a statement is at. */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <sqlite3.h>
#include <stdbool.h>

#include "wire/error.h"

/* Refuse the row in hand for its `column`: HV_STATE_UNREADABLE.  The sentence names `owner`
 * ("volume") and the text of column 0, which is the owner's key. */
enum hv_code hv_sql_refuse(
	sqlite3_stmt *statement, const char *owner, const char *column, struct hv_error *err);

/* The same for the row of that key, which may not be in hand any more. */
enum hv_code hv_sql_refuse_key(
	const char *key, const char *owner, const char *column, struct hv_error *err);

/* Refuse the row in hand if a column is NULL; bit N of `nullable`: column N may be. */
enum hv_code hv_sql_check_null(
	sqlite3_stmt *statement, const char *owner, unsigned nullable, struct hv_error *err);

/* Whether a column is a number of an enum that ends with `last`. */
bool hv_sql_is_enum(sqlite3_stmt *statement, int at, int last);

/* A copy of a text column; NULL for SQL NULL.  Sets *ok to false on ENOMEM. */
char *hv_sql_column(sqlite3_stmt *statement, int at, bool *ok);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The directories that runtimes were seen to keep their containers in. */
#include "store/store.h"

#include "db.h"
#include "row.h"

enum hv_code hv_store_root_add(struct hv_store *store, const char *path, struct hv_error *err)
{
	return hv_sql_write(store, true, HV_SQL_ROOT_ADD, HV_VALUES(HV_TEXT(path)), err);
}

static enum hv_code read_root(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	const char *path;

	if (hv_sql_check_null(statement, "root", 0, err) != HV_OK)
		return err->code;
	path = (const char *)sqlite3_column_text(statement, 0);
	return path && hv_texts_add(context, path) == 0 ? HV_OK : hv_oom(err);
}

enum hv_code hv_store_root_list(struct hv_store *store, struct hv_texts *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	return hv_sql_each(held, HV_SQL_ROOT_LIST, NULL, read_root, ret, err);
}

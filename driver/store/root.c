/* The directories that runtimes were seen to keep their containers in. */
#include "store/store.h"

#include "db.h"
#include "row.h"

enum hv_code hv_store_root_add(struct hv_store *store, const char *path, struct hv_error *err)
{
	return hv_sql_exec(store, HV_SQL_ROOT_ADD, err, path, NULL);
}

enum hv_code hv_store_root_list(struct hv_store *store, struct hv_texts *ret, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_start(store, HV_SQL_ROOT_LIST, err);
	enum hv_code code = statement ? HV_OK : err->code;
	int rc = SQLITE_DONE;

	while (code == HV_OK && (rc = hv_sql_step(store, statement, err)) == SQLITE_ROW) {
		const char *path;

		code = hv_sql_check_null(statement, "root", 0, err);
		path = (const char *)sqlite3_column_text(statement, 0);
		if (code == HV_OK && (!path || hv_texts_add(ret, path) < 0))
			code = hv_oom(err);
	}
	if (code == HV_OK && rc != SQLITE_DONE)
		code = err->code;
	hv_sql_end(store);
	return code;
}

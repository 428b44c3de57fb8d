#include "store/store.h"

#include "db.h"
#include "row.h"

enum hv_code hv_store_mounted_get(struct hv_store *store, const char *volume,
	struct hv_mounted_roots *ret, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_start(store, HV_SQL_MOUNTED_LIST, err);
	int rc = statement ? SQLITE_ROW : SQLITE_ERROR;

	ret->count = 0;
	if (statement) {
		hv_sql_text(statement, 1, volume);
		sqlite3_bind_int(statement, 2, HV_MOUNTED_MAX);
		rc = hv_sql_step(store, statement, err);
	}
	for (; rc == SQLITE_ROW; rc = hv_sql_step(store, statement, err)) {
		size_t at = ret->count++;

		if (hv_sql_check_null(statement, "the mounts of volume", 0, err) != HV_OK)
			break;
		ret->items[at].dev = (unsigned long long)sqlite3_column_int64(statement, 1);
		ret->items[at].ino = (unsigned long long)sqlite3_column_int64(statement, 2);
	}
	hv_sql_end(store);
	return rc == SQLITE_DONE ? HV_OK : err->code;
}

struct change {
	const char *volume;
	const struct hv_mounted_roots *roots;
};

static enum hv_code set(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct change *change = context;
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_MOUNTED_CLEAR, err);

	if (statement)
		hv_sql_text(statement, 1, change->volume);
	if (hv_sql_run(store, statement, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < change->roots->count; i++) {
		statement = hv_sql_get(store, HV_SQL_MOUNTED_ADD, err);
		if (!statement)
			return err->code;
		hv_sql_text(statement, 1, change->volume);
		sqlite3_bind_int64(statement, 2, (sqlite3_int64)change->roots->items[i].dev);
		sqlite3_bind_int64(statement, 3, (sqlite3_int64)change->roots->items[i].ino);
		if (hv_sql_run(store, statement, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

enum hv_code hv_store_mounted_set(struct hv_store *store, const char *volume,
	const struct hv_mounted_roots *roots, struct hv_error *err)
{
	const struct change change = {volume, roots};

	return hv_sql_transaction(store, false, set, &change, err);
}

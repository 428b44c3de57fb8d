#include "store/store.h"

#include "db.h"

static enum hv_code total(
	struct hv_store *store, const char *volume, long long *ret, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_REF_TOTAL, err);

	if (!statement)
		return err->code;
	hv_sql_text(statement, 1, volume);
	if (hv_sql_step(store, statement, err) != SQLITE_ROW)
		return HV_STATE_UNREADABLE;
	*ret = sqlite3_column_int64(statement, 0);
	return HV_OK;
}

static enum hv_code change_count(struct hv_store *store, const char *volume, const char *id,
	int change, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_REF_ADD, err);

	if (!statement)
		return err->code;
	hv_sql_text(statement, 1, volume);
	hv_sql_text(statement, 2, id);
	sqlite3_bind_int(statement, 3, change);
	if (hv_sql_run(store, statement, err) != HV_OK)
		return err->code;
	statement = hv_sql_get(store, HV_SQL_REF_PRUNE, err);
	if (statement)
		hv_sql_text(statement, 1, volume);
	return hv_sql_run(store, statement, err);
}

/* Not synced: what is counted is mounts, which are gone with the machine. */
enum hv_code hv_store_ref_change(struct hv_store *store, const char *volume, const char *id,
	int change, long long *ret_total, struct hv_error *err)
{
	sqlite3_stmt *begin = hv_sql_start(store, HV_SQL_BEGIN, err);
	struct hv_error ignored = {0};
	enum hv_code code;

	hv_sql_set_durable(store, false);
	code = hv_sql_run(store, begin, err);
	if (code == HV_OK) {
		code = change_count(store, volume, id, change, err);
		if (code == HV_OK)
			code = hv_sql_run(store, hv_sql_get(store, HV_SQL_COMMIT, err), err);
		if (code != HV_OK)
			(void)hv_sql_run(
				store, hv_sql_get(store, HV_SQL_ROLLBACK, &ignored), &ignored);
	}
	if (code == HV_OK)
		code = total(store, volume, ret_total, err);
	hv_sql_set_durable(store, true);
	hv_sql_end(store);
	hv_error_done(&ignored);
	return code;
}

enum hv_code hv_store_ref_clear(struct hv_store *store, const char *volume, struct hv_error *err)
{
	return hv_sql_exec(store, HV_SQL_REF_CLEAR, err, volume, NULL);
}

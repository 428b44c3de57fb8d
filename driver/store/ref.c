#include "store/store.h"

#include "db.h"

static enum hv_code total(
	struct hv_store *store, const char *volume, long long *ret, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_REF_TOTAL, err);

	if (!statement)
		return err->code;
	hv_sql_text(statement, 1, volume);
	if (hv_sql_row(store, statement, err) != HV_OK)
		return err->code;
	*ret = sqlite3_column_int64(statement, 0);
	return HV_OK;
}

enum hv_code hv_store_ref_total(
	struct hv_store *store, const char *volume, long long *ret, struct hv_error *err)
{
	enum hv_code code;

	pthread_mutex_lock(&store->lock);
	code = total(store, volume, ret, err);
	hv_sql_end(store);
	return code;
}

struct change {
	const char *volume;
	const char *id;
	int change;
	long long *ret_total;
};

static enum hv_code change_count(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct change *change = context;
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_REF_ADD, err);

	if (!statement)
		return err->code;
	hv_sql_text(statement, 1, change->volume);
	hv_sql_text(statement, 2, change->id);
	sqlite3_bind_int(statement, 3, change->change);
	if (hv_sql_run(store, statement, err) != HV_OK)
		return err->code;
	statement = hv_sql_get(store, HV_SQL_REF_PRUNE, err);
	if (statement)
		hv_sql_text(statement, 1, change->volume);
	if (hv_sql_run(store, statement, err) != HV_OK)
		return err->code;
	return total(store, change->volume, change->ret_total, err);
}

enum hv_code hv_store_ref_change(struct hv_store *store, const char *volume, const char *id,
	/* NOLINTNEXTLINE(readability-non-const-parameter): written through the context */
	int change, long long *ret_total, struct hv_error *err)
{
	const struct change context = {volume, id, change, ret_total};

	/* Not synced: the counted mounts end with the machine. */
	return hv_sql_transaction(store, false, change_count, &context, err);
}

enum hv_code hv_store_ref_clear(struct hv_store *store, const char *volume, struct hv_error *err)
{
	return hv_sql_exec(store, HV_SQL_REF_CLEAR, err, volume, NULL);
}

enum hv_code hv_store_source_is_used(
	struct hv_store *store, const char *source, bool *ret, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_start(store, HV_SQL_SOURCE_IS_USED, err);
	enum hv_code code = statement ? HV_OK : err->code;

	if (statement) {
		hv_sql_text(statement, 1, source);
		code = hv_sql_row(store, statement, err);
		if (code == HV_OK)
			*ret = sqlite3_column_int(statement, 0);
	}
	hv_sql_end(store);
	return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "db.h"

static enum hv_code total(
	struct hv_store *store, const char *volume, long long *ret, struct hv_error *err)
{
	sqlite3_stmt *statement =
		hv_sql_get(store, HV_SQL_REF_TOTAL, HV_VALUES(HV_TEXT(volume)), err);

	if (hv_sql_row(store, statement, err) != HV_OK)
		return err->code;
	*ret = sqlite3_column_int64(statement, 0);
	return HV_OK;
}

enum hv_code hv_store_ref_total(
	struct hv_store *store, const char *volume, long long *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	return total(held, volume, ret, err);
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
	const struct hv_sql_value values[] = {
		HV_TEXT(change->volume), HV_TEXT(change->id), HV_NUMBER(change->change), {0}};

	if (hv_sql_run(store, HV_SQL_REF_ADD, values, err) != HV_OK ||
		hv_sql_run(store, HV_SQL_REF_PRUNE, values, err) != HV_OK)
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
	return hv_sql_write(store, true, HV_SQL_REF_CLEAR, HV_VALUES(HV_TEXT(volume)), err);
}

enum hv_code hv_store_source_is_used(
	struct hv_store *store, const char *source, bool *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	sqlite3_stmt *statement =
		hv_sql_get(held, HV_SQL_SOURCE_IS_USED, HV_VALUES(HV_TEXT(source)), err);

	if (hv_sql_row(held, statement, err) != HV_OK)
		return err->code;
	*ret = sqlite3_column_int(statement, 0);
	return HV_OK;
}

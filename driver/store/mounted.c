/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "db.h"
#include "row.h"

static enum hv_code read_root(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	struct hv_mounted_roots *roots = context;
	size_t at = roots->count;

	if (hv_sql_check_null(statement, "the mounts of volume", 0, err) != HV_OK)
		return err->code;
	roots->items[at].dev = (unsigned long long)sqlite3_column_int64(statement, 1);
	roots->items[at].ino = (unsigned long long)sqlite3_column_int64(statement, 2);
	roots->count++;
	return HV_OK;
}

enum hv_code hv_store_mounted_get(struct hv_store *store, const char *volume,
	struct hv_mounted_roots *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	ret->count = 0;
	return hv_sql_each(held, HV_SQL_MOUNTED_LIST,
		HV_VALUES(HV_TEXT(volume), HV_NUMBER(HV_MOUNTED_MAX)), read_root, ret, err);
}

struct change {
	const char *volume;
	const struct hv_mounted_roots *roots;
};

static enum hv_code set(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct change *change = context;

	if (hv_sql_run(store, HV_SQL_MOUNTED_CLEAR, HV_VALUES(HV_TEXT(change->volume)), err) !=
		HV_OK)
		return err->code;
	for (size_t i = 0; i < change->roots->count; i++)
		if (hv_sql_run(store, HV_SQL_MOUNTED_ADD,
			    HV_VALUES(HV_TEXT(change->volume),
				    HV_NUMBER(change->roots->items[i].dev),
				    HV_NUMBER(change->roots->items[i].ino)),
			    err) != HV_OK)
			return err->code;
	return HV_OK;
}

enum hv_code hv_store_mounted_set(struct hv_store *store, const char *volume,
	const struct hv_mounted_roots *roots, struct hv_error *err)
{
	const struct change change = {volume, roots};

	return hv_sql_transaction(store, false, set, &change, err);
}

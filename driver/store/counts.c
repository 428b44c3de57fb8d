/* SPDX-License-Identifier: Apache-2.0 */
/* How many records there are. */
#include "store/store.h"

#include "db.h"

static enum hv_code read_count(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	struct hv_store_counts *counts = context;
	const char *state = (const char *)sqlite3_column_text(statement, 0);
	unsigned long long count = (unsigned long long)sqlite3_column_int64(statement, 1);

	(void)err;
	if (state) /* a damaged one is of the unknown state */
		counts->attachments[hv_attachment_state_parse(state)] += count;
	else
		counts->volumes = count;
	return HV_OK;
}

enum hv_code hv_store_count(
	struct hv_store *store, struct hv_store_counts *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	*ret = (struct hv_store_counts){0};
	return hv_sql_each(held, HV_SQL_COUNTS, NULL, read_count, ret, err);
}

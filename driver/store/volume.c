/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "store/store.h"

#include "damage.h"
#include "db.h"
#include "row.h"

enum { PHASE = 5, PHASE_LAST = HV_ATTACHING };

static enum hv_code add_opts(
	struct hv_store *store, const struct hv_volume *volume, struct hv_error *err)
{
	for (size_t i = 0; i < volume->opts.count; i++)
		if (hv_sql_run(store, HV_SQL_OPT_ADD,
			    HV_VALUES(HV_TEXT(volume->name), HV_NUMBER(i),
				    HV_TEXT(volume->opts.items[i].key),
				    HV_TEXT(volume->opts.items[i].value)),
			    err) != HV_OK)
			return err->code;
	return HV_OK;
}

static enum hv_code add_row(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_volume *volume = context;
	const struct hv_sql_value values[] = {HV_TEXT(volume->name), HV_TEXT(volume->kind),
		HV_TEXT(volume->source), HV_TEXT(volume->created_at), HV_NUMBER(volume->read_only),
		HV_NUMBER(volume->phase), HV_NUMBER(volume->missing), HV_NUMBER(volume->made_dev),
		HV_NUMBER(volume->made_ino), {0}};

	if (hv_sql_run(store, HV_SQL_VOLUME_ADD, values, err) == HV_OK)
		return add_opts(store, volume, err);
	if (sqlite3_errcode(store->db) == SQLITE_CONSTRAINT)
		hv_fail(err, HV_VOLUME_EXISTS, "a volume named '%s' exists already", volume->name);
	return err->code;
}

enum hv_code hv_store_volume_add(
	struct hv_store *store, const struct hv_volume *volume, struct hv_error *err)
{
	/* A volume with its first attachment still to come does not count before that is committed.
	 */
	bool comes_with = volume->phase == HV_ATTACHING || hv_opts_get(&volume->opts, "attach");

	return hv_sql_transaction(store, !comes_with, add_row, volume, err);
}

static enum hv_code read_opt(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	const char *key, *value;

	if (hv_sql_check_null(statement, "an option of volume", 0, err) != HV_OK)
		return err->code;
	key = (const char *)sqlite3_column_text(statement, 1);
	value = (const char *)sqlite3_column_text(statement, 2);
	return key && value && hv_opts_add(context, key, value) == 0 ? HV_OK : hv_oom(err);
}

static enum hv_code read_opts(
	struct hv_store *store, struct hv_volume *volume, struct hv_error *err)
{
	return hv_sql_each(store, HV_SQL_OPT_LIST, HV_VALUES(HV_TEXT(volume->name)), read_opt,
		&volume->opts, err);
}

static bool has_phase(sqlite3_stmt *statement)
{
	return hv_sql_is_enum(statement, PHASE, PHASE_LAST);
}

static enum hv_code refuse_phase(const struct hv_volume *volume, struct hv_error *err)
{
	return hv_sql_refuse_key(volume->name, "volume", "phase", err);
}

static enum hv_code read_volume(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	struct hv_volume *ret = context;
	bool ok = true;

	if (hv_sql_check_null(statement, "volume", 0, err) != HV_OK)
		return err->code;
	ret->name = hv_sql_column(statement, 0, &ok);
	ret->kind = hv_sql_column(statement, 1, &ok);
	ret->source = hv_sql_column(statement, 2, &ok);
	ret->created_at = hv_sql_column(statement, 3, &ok);
	ret->read_only = sqlite3_column_int(statement, 4);
	/* Taken for another, it deletes data. */
	ret->phase = has_phase(statement) ? (enum hv_phase)sqlite3_column_int(statement, PHASE)
					  : HV_DAMAGED;
	ret->missing = (unsigned)sqlite3_column_int64(statement, 6);
	ret->made_dev = (unsigned long long)sqlite3_column_int64(statement, 7);
	ret->made_ino = (unsigned long long)sqlite3_column_int64(statement, 8);
	return ok ? HV_OK : hv_oom(err);
}

enum hv_code hv_store_volume_get(
	struct hv_store *store, const char *name, struct hv_volume *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	sqlite3_stmt *statement =
		hv_sql_get(held, HV_SQL_VOLUME_GET, HV_VALUES(HV_TEXT(name)), err);
	int rc = hv_sql_step(held, statement, err);

	if (rc == SQLITE_DONE)
		return hv_fail(err, HV_NO_SUCH_VOLUME, "no such volume: %.255s", name);
	if (rc != SQLITE_ROW || read_volume(statement, ret, err) != HV_OK)
		return err->code;
	if (ret->phase == HV_DAMAGED)
		return refuse_phase(ret, err);
	return read_opts(held, ret, err);
}

enum hv_code hv_store_volume_with_opt(struct hv_store *store, const char *key, const char *value,
	char **ret_name, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	sqlite3_stmt *statement =
		hv_sql_get(held, HV_SQL_OPT_FIND, HV_VALUES(HV_TEXT(key), HV_TEXT(value)), err);
	bool ok = true;

	if (hv_sql_row(held, statement, err) != HV_OK)
		return err->code;
	*ret_name = hv_sql_column(statement, 0, &ok);
	return ok ? HV_OK : hv_oom(err);
}

static enum hv_code read_name(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	const char *name;

	if (hv_sql_check_null(statement, "an option of volume", 0, err) != HV_OK)
		return err->code;
	name = (const char *)sqlite3_column_text(statement, 0);
	return name && hv_texts_add(context, name) == 0 ? HV_OK : hv_oom(err);
}

enum hv_code hv_store_volumes_with_opt(
	struct hv_store *store, const char *key, struct hv_texts *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	return hv_sql_each(held, HV_SQL_OPT_VOLUMES, HV_VALUES(HV_TEXT(key)), read_name, ret, err);
}

static void note_damage(
	struct hv_store *store, const struct hv_volume *volumes, size_t count, bool is_all)
{
	hv_auto_error struct hv_error damage = {0};

	for (size_t i = 0; damage.code == HV_OK && i < count; i++)
		if (volumes[i].phase == HV_DAMAGED)
			(void)refuse_phase(&volumes[i], &damage);
	hv_damage_note(&store->damaged_volume, damage.message, is_all);
	damage.message = NULL; /* taken over */
}

static enum hv_code list(struct hv_store *store, enum hv_sql sql, struct hv_volume **ret,
	size_t *ret_count, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	struct hv_sql_array array = {sizeof(**ret), read_volume, NULL, 0, NULL, NULL};
	enum hv_code code = hv_sql_append(held, sql, NULL, &array, err);
	struct hv_volume *volumes = array.items;

	for (size_t i = 0; code == HV_OK && i < array.count; i++)
		code = read_opts(held, &volumes[i], err);
	if (code != HV_OK) {
		hv_store_volumes_free(volumes, array.count);
		return code;
	}
	note_damage(held, volumes, array.count, sql == HV_SQL_VOLUME_LIST);
	*ret = volumes;
	*ret_count = array.count;
	return HV_OK;
}

enum hv_code hv_store_volume_list(
	struct hv_store *store, struct hv_volume **ret, size_t *ret_count, struct hv_error *err)
{
	return list(store, HV_SQL_VOLUME_LIST, ret, ret_count, err);
}

enum hv_code hv_store_volume_tell_damage(struct hv_store *store, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	return hv_damage_tell(held->damaged_volume, err);
}

enum hv_code hv_store_volume_unfinished(
	struct hv_store *store, struct hv_volume **ret, size_t *ret_count, struct hv_error *err)
{
	return list(store, HV_SQL_VOLUME_UNFINISHED, ret, ret_count, err);
}

void hv_store_volumes_free(struct hv_volume *volumes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hv_volume_done(&volumes[i]);
	free(volumes);
}

enum hv_code hv_store_volume_set_phase(
	struct hv_store *store, const char *name, enum hv_phase phase, struct hv_error *err)
{
	return hv_sql_write(store, phase != HV_ATTACHING, HV_SQL_VOLUME_PHASE,
		HV_VALUES(HV_TEXT(name), HV_NUMBER(phase)), err);
}

enum hv_code hv_store_volume_made(
	struct hv_store *store, const struct hv_volume *volume, struct hv_error *err)
{
	return hv_sql_write(store, volume->phase != HV_ATTACHING, HV_SQL_VOLUME_MADE,
		HV_VALUES(HV_TEXT(volume->name), HV_NUMBER(volume->phase),
			HV_NUMBER(volume->made_dev), HV_NUMBER(volume->made_ino)),
		err);
}

static enum hv_code write_opts(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_volume *volume = context;
	const struct hv_sql_value values[] = {
		HV_TEXT(volume->name), HV_NUMBER(volume->read_only), {0}};

	if (hv_sql_run(store, HV_SQL_OPT_CLEAR, values, err) != HV_OK ||
		add_opts(store, volume, err) != HV_OK)
		return err->code;
	return hv_sql_run(store, HV_SQL_VOLUME_SET, values, err);
}

enum hv_code hv_store_volume_set_opts(
	struct hv_store *store, const struct hv_volume *volume, struct hv_error *err)
{
	return hv_sql_transaction(store, true, write_opts, volume, err);
}

static enum hv_code forget(struct hv_store *store, const void *values, struct hv_error *err)
{
	if (hv_sql_run(store, HV_SQL_OPT_FORGET, values, err) != HV_OK ||
		hv_sql_run(store, HV_SQL_REF_FORGET, values, err) != HV_OK)
		return err->code;
	return hv_sql_run(store, HV_SQL_VOLUME_FORGET, values, err);
}

enum hv_code hv_store_volume_forget(struct hv_store *store, const char *name, struct hv_error *err)
{
	/* Not synced: after a power cut the removal is finished once more. */
	return hv_sql_transaction(store, false, forget, HV_VALUES(HV_TEXT(name)), err);
}

static enum hv_code move(struct hv_store *store, const void *values, struct hv_error *err)
{
	if (hv_sql_run(store, HV_SQL_ATTACHMENT_MOVE, values, err) != HV_OK)
		return err->code;
	return hv_sql_run(store, HV_SQL_VOLUME_MOVE, values, err);
}

enum hv_code hv_store_move(struct hv_store *store, const char *from, const char *to,
	const char *kinds, struct hv_error *err)
{
	return hv_sql_transaction(
		store, true, move, HV_VALUES(HV_TEXT(from), HV_TEXT(to), HV_TEXT(kinds)), err);
}

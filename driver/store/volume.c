#include <stdlib.h>

#include "store/store.h"

#include "db.h"
#include "row.h"

enum { PHASE_LAST = HV_ATTACHING };

static enum hv_code add_opts(
	struct hv_store *store, const struct hv_volume *volume, struct hv_error *err)
{
	for (size_t i = 0; i < volume->opts.count; i++) {
		sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_OPT_ADD, err);

		if (!statement)
			return err->code;
		hv_sql_text(statement, 1, volume->name);
		sqlite3_bind_int64(statement, 2, (sqlite3_int64)i);
		hv_sql_text(statement, 3, volume->opts.items[i].key);
		hv_sql_text(statement, 4, volume->opts.items[i].value);
		if (hv_sql_run(store, statement, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

static enum hv_code add_row(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_volume *volume = context;
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_VOLUME_ADD, err);
	int rc;

	if (!statement)
		return err->code;
	hv_sql_text(statement, 1, volume->name);
	hv_sql_text(statement, 2, volume->kind);
	hv_sql_text(statement, 3, volume->source);
	hv_sql_text(statement, 4, volume->created_at);
	sqlite3_bind_int(statement, 5, volume->read_only);
	sqlite3_bind_int(statement, 6, (int)volume->phase);
	sqlite3_bind_int64(statement, 7, volume->missing);
	sqlite3_bind_int64(statement, 8, (sqlite3_int64)volume->made_dev);
	sqlite3_bind_int64(statement, 9, (sqlite3_int64)volume->made_ino);
	rc = hv_sql_step(store, statement, err);
	sqlite3_reset(statement);
	if (rc == SQLITE_CONSTRAINT)
		return hv_fail(
			err, HV_VOLUME_EXISTS, "a volume named '%s' exists already", volume->name);
	return rc == SQLITE_DONE ? add_opts(store, volume, err) : HV_STATE_UNREADABLE;
}

enum hv_code hv_store_volume_add(
	struct hv_store *store, const struct hv_volume *volume, struct hv_error *err)
{
	/* A volume with option attach does not count before its attachment is committed. */
	return hv_sql_transaction(
		store, !hv_opts_get(&volume->opts, "attach"), add_row, volume, err);
}

static enum hv_code read_opts(
	struct hv_store *store, struct hv_volume *volume, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_OPT_LIST, err);
	int rc;

	if (!statement)
		return err->code;
	hv_sql_text(statement, 1, volume->name);
	while ((rc = hv_sql_step(store, statement, err)) == SQLITE_ROW) {
		const char *key, *value;

		if (hv_sql_check_null(statement, "an option of volume", 0, err) != HV_OK)
			return err->code;
		key = (const char *)sqlite3_column_text(statement, 1);
		value = (const char *)sqlite3_column_text(statement, 2);
		if (!key || !value || hv_opts_add(&volume->opts, key, value) < 0)
			return hv_oom(err);
	}
	return rc == SQLITE_DONE ? HV_OK : HV_STATE_UNREADABLE;
}

static enum hv_code read_volume(
	sqlite3_stmt *statement, struct hv_volume *ret, struct hv_error *err)
{
	bool ok = true;

	if (hv_sql_check_null(statement, "volume", 0, err) != HV_OK)
		return err->code;
	if (!hv_sql_is_enum(statement, 5, PHASE_LAST)) /* taken for another, it deletes data */
		return hv_sql_refuse(statement, "volume", "phase", err);
	ret->name = hv_sql_column(statement, 0, &ok);
	ret->kind = hv_sql_column(statement, 1, &ok);
	ret->source = hv_sql_column(statement, 2, &ok);
	ret->created_at = hv_sql_column(statement, 3, &ok);
	ret->read_only = sqlite3_column_int(statement, 4);
	ret->phase = (enum hv_phase)sqlite3_column_int(statement, 5);
	ret->missing = (unsigned)sqlite3_column_int64(statement, 6);
	ret->made_dev = (unsigned long long)sqlite3_column_int64(statement, 7);
	ret->made_ino = (unsigned long long)sqlite3_column_int64(statement, 8);
	return ok ? HV_OK : hv_oom(err);
}

enum hv_code hv_store_volume_get(
	struct hv_store *store, const char *name, struct hv_volume *ret, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_start(store, HV_SQL_VOLUME_GET, err);
	enum hv_code code;

	if (statement) {
		int rc;

		hv_sql_text(statement, 1, name);
		rc = hv_sql_step(store, statement, err);
		if (rc == SQLITE_ROW)
			code = read_volume(statement, ret, err);
		else if (rc == SQLITE_DONE)
			code = hv_fail(err, HV_NO_SUCH_VOLUME, "no such volume: %.255s", name);
		else
			code = HV_STATE_UNREADABLE;
	} else {
		code = err->code;
	}
	if (code == HV_OK)
		code = read_opts(store, ret, err);
	hv_sql_end(store);
	return code;
}

enum hv_code hv_store_volume_with_opt(struct hv_store *store, const char *key, const char *value,
	char **ret_name, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_start(store, HV_SQL_OPT_FIND, err);
	enum hv_code code = statement ? HV_OK : err->code;
	bool ok = true;

	if (statement) {
		hv_sql_text(statement, 1, key);
		hv_sql_text(statement, 2, value);
		code = hv_sql_row(store, statement, err);
		if (code == HV_OK)
			*ret_name = hv_sql_column(statement, 0, &ok);
	}
	hv_sql_end(store);
	return ok ? code : hv_oom(err);
}

/* Append an empty volume to the array.  NULL on ENOMEM. */
static struct hv_volume *append(struct hv_volume **volumes, size_t *count)
{
	struct hv_volume *grown = *volumes;

	if ((*count & (*count - 1)) == 0) /* a power of two: double */
		grown = reallocarray(*volumes, *count ? *count * 2 : 1, sizeof(*grown));
	if (!grown)
		return NULL;
	*volumes = grown;
	grown[*count] = (struct hv_volume){0};
	return &grown[(*count)++];
}

static enum hv_code list(struct hv_store *store, enum hv_sql sql, struct hv_volume **ret,
	size_t *ret_count, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_start(store, sql, err);
	struct hv_volume *volumes = NULL;
	enum hv_code code = statement ? HV_OK : err->code;
	size_t count = 0;
	int rc = SQLITE_DONE;

	while (code == HV_OK && (rc = hv_sql_step(store, statement, err)) == SQLITE_ROW) {
		struct hv_volume *volume = append(&volumes, &count);

		code = volume ? read_volume(statement, volume, err) : hv_oom(err);
	}
	if (code == HV_OK && rc != SQLITE_DONE)
		code = err->code;
	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = read_opts(store, &volumes[i], err);
	hv_sql_end(store);
	if (code != HV_OK) {
		hv_volumes_free(volumes, count);
		return code;
	}
	*ret = volumes;
	*ret_count = count;
	return HV_OK;
}

enum hv_code hv_store_volume_list(
	struct hv_store *store, struct hv_volume **ret, size_t *ret_count, struct hv_error *err)
{
	return list(store, HV_SQL_VOLUME_LIST, ret, ret_count, err);
}

enum hv_code hv_store_volume_unfinished(
	struct hv_store *store, struct hv_volume **ret, size_t *ret_count, struct hv_error *err)
{
	return list(store, HV_SQL_VOLUME_UNFINISHED, ret, ret_count, err);
}

void hv_volumes_free(struct hv_volume *volumes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hv_volume_done(&volumes[i]);
	free(volumes);
}

struct change {
	const char *name;
	enum hv_phase phase;
};

static enum hv_code change_phase(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct change *change = context;
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_VOLUME_PHASE, err);

	if (statement) {
		hv_sql_text(statement, 1, change->name);
		sqlite3_bind_int(statement, 2, (int)change->phase);
	}
	return hv_sql_run(store, statement, err);
}

enum hv_code hv_store_volume_set_phase(
	struct hv_store *store, const char *name, enum hv_phase phase, struct hv_error *err)
{
	const struct change change = {name, phase};

	return hv_sql_transaction(store, phase != HV_ATTACHING, change_phase, &change, err);
}

static enum hv_code write_made(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_volume *volume = context;
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_VOLUME_MADE, err);

	if (statement) {
		hv_sql_text(statement, 1, volume->name);
		sqlite3_bind_int(statement, 2, (int)volume->phase);
		sqlite3_bind_int64(statement, 3, (sqlite3_int64)volume->made_dev);
		sqlite3_bind_int64(statement, 4, (sqlite3_int64)volume->made_ino);
	}
	return hv_sql_run(store, statement, err);
}

enum hv_code hv_store_volume_made(
	struct hv_store *store, const struct hv_volume *volume, struct hv_error *err)
{
	return hv_sql_transaction(store, volume->phase != HV_ATTACHING, write_made, volume, err);
}

static enum hv_code write_opts(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_volume *volume = context;
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_OPT_CLEAR, err);
	enum hv_code code;

	if (statement)
		hv_sql_text(statement, 1, volume->name);
	code = hv_sql_run(store, statement, err);
	if (code == HV_OK)
		code = add_opts(store, volume, err);
	statement = code == HV_OK ? hv_sql_get(store, HV_SQL_VOLUME_SET, err) : NULL;
	if (statement) {
		hv_sql_text(statement, 1, volume->name);
		sqlite3_bind_int(statement, 2, volume->read_only);
	}
	return hv_sql_run(store, statement, err);
}

enum hv_code hv_store_volume_set_opts(
	struct hv_store *store, const struct hv_volume *volume, struct hv_error *err)
{
	return hv_sql_transaction(store, true, write_opts, volume, err);
}

static enum hv_code forget(struct hv_store *store, const void *context, struct hv_error *err)
{
	static const enum hv_sql steps[] = {
		HV_SQL_OPT_FORGET, HV_SQL_REF_FORGET, HV_SQL_VOLUME_FORGET};
	enum hv_code code = HV_OK;

	for (size_t i = 0; code == HV_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
		sqlite3_stmt *statement = hv_sql_get(store, steps[i], err);

		if (statement)
			hv_sql_text(statement, 1, context);
		code = hv_sql_run(store, statement, err);
	}
	return code;
}

enum hv_code hv_store_volume_forget(struct hv_store *store, const char *name, struct hv_error *err)
{
	/* Not synced: after a power cut the removal is finished once more. */
	return hv_sql_transaction(store, false, forget, name, err);
}

struct move {
	const char *from, *to, *kinds;
};

static enum hv_code move(struct hv_store *store, const void *context, struct hv_error *err)
{
	static const enum hv_sql steps[] = {HV_SQL_ATTACHMENT_MOVE, HV_SQL_VOLUME_MOVE};
	const struct move *move = context;
	enum hv_code code = HV_OK;

	for (size_t i = 0; code == HV_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
		sqlite3_stmt *statement = hv_sql_get(store, steps[i], err);

		if (statement) {
			hv_sql_text(statement, 1, move->from);
			hv_sql_text(statement, 2, move->to);
			hv_sql_text(statement, 3, move->kinds);
		}
		code = hv_sql_run(store, statement, err);
	}
	return code;
}

enum hv_code hv_store_move(struct hv_store *store, const char *from, const char *to,
	const char *kinds, struct hv_error *err)
{
	const struct move paths = {from, to, kinds};

	return hv_sql_transaction(store, true, move, &paths, err);
}

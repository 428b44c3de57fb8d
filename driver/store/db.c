/* SPDX-License-Identifier: Apache-2.0 */
#include "db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "store/store.h"
#include "wire/lock.h"
#include "wire/metrics.h"
#include "wire/text.h"

#include "wal.h"

enum { BUSY_WAIT_MS = 3000 };

static int commit_nothing(struct hv_store *store)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", hv_schema_version());
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

/* A commit of nothing goes where the failed one is, if the disk works again; the second one syncs
 * the log that was written once more. */
static int overwrite_failed(struct hv_store *store)
{
	int rc = commit_nothing(store);
	int rewritten = rc == SQLITE_OK ? hv_wal_rewrite(store->db) : rc;

	if (rewritten == SQLITE_OK)
		rc = commit_nothing(store);
	store->has_failed = rc != SQLITE_OK || rewritten != SQLITE_OK;
	return rc;
}

static enum hv_code fail_disk(struct hv_store *store, struct hv_error *err)
{
	const char *file = sqlite3_db_filename(store->db, "main");
	struct statvfs disk;
	bool is_read_only = file && statvfs(file, &disk) == 0 && disk.f_flag & ST_RDONLY;

	hv_fail(err, HV_STATE_UNREADABLE, "hostvol's state cannot be read or written: %s",
		is_read_only ? "it is on a read-only file system" : sqlite3_errmsg(store->db));
	return hv_hint(err,
		"repair the disk: acknowledged changes are kept, and hostvol needs no restart; see the host's kernel log: dmesg");
}

/* Report the last error of SQLite. */
static enum hv_code fail(struct hv_store *store, struct hv_error *err)
{
	switch (sqlite3_errcode(store->db) & 0xff) {
	case SQLITE_IOERR:
		store->has_failed = true;
		return fail_disk(store, err);
	case SQLITE_FULL:
		store->has_failed = true;
		hv_fail(err, HV_STATE_UNREADABLE, "the disk that holds hostvol's state is full");
		return hv_hint(err, "free some space and try again: nothing was lost");
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return fail_disk(store, err);
	case SQLITE_BUSY:
		hv_fail(err, HV_STATE_UNREADABLE,
			"another hostvol daemon uses this state directory");
		return hv_hint(err, "stop the other one, or give each its own HOSTVOL_STATE");
	default:
		return hv_fail(err, HV_STATE_UNREADABLE, "hostvol's state cannot be used: %s",
			sqlite3_errmsg(store->db));
	}
}

struct hv_store *hv_sql_start(struct hv_store *store)
{
	pthread_mutex_lock(&store->lock);
	return store;
}

/* A statement not reset holds its read lock. */
static void reset_all(struct hv_store *store)
{
	for (int i = 0; i < HV_SQL_COUNT; i++)
		if (store->statements[i])
			sqlite3_reset(store->statements[i]);
}

void hv_sql_end(struct hv_store **store)
{
	void (*on_event)(void *context);
	void *context;

	reset_all(*store);
	if ((*store)->has_failed) /* at once, if it can be; a crash may come before the next call */
		(void)overwrite_failed(*store);
	on_event = (*store)->has_event ? (*store)->on_event : NULL;
	context = (*store)->context;
	(*store)->has_event = false;
	pthread_mutex_unlock(&(*store)->lock);
	if (on_event)
		on_event(context);
}

sqlite3_stmt *hv_sql_get(struct hv_store *store, enum hv_sql sql, const struct hv_sql_value *values,
	struct hv_error *err)
{
	sqlite3_stmt **statement = &store->statements[sql];

	if (!*statement && sqlite3_prepare_v3(store->db, hv_sql_string(sql), -1,
				   SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
		fail(store, err);
		return NULL;
	}
	sqlite3_reset(*statement);
	sqlite3_clear_bindings(*statement);
	/* Cannot fail but for an index out of range: nothing is copied. */
	for (int at = 1; values && values->type != HV_VALUE_END; at++, values++)
		if (values->type == HV_VALUE_NUMBER)
			(void)sqlite3_bind_int64(*statement, at, values->number);
		else
			(void)sqlite3_bind_text(*statement, at, values->text, -1, SQLITE_STATIC);
	return *statement;
}

int hv_sql_step(struct hv_store *store, sqlite3_stmt *statement, struct hv_error *err)
{
	int rc = statement ? sqlite3_step(statement) : SQLITE_ERROR;

	if (statement && rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail(store, err);
	return rc;
}

enum hv_code hv_sql_row(struct hv_store *store, sqlite3_stmt *statement, struct hv_error *err)
{
	int rc = hv_sql_step(store, statement, err);

	if (rc == SQLITE_DONE)
		return hv_fail(err, HV_STATE_UNREADABLE,
			"hostvol's state cannot be used: a row is missing in the answer to %s",
			sqlite3_sql(statement));
	return rc == SQLITE_ROW ? HV_OK : err->code;
}

enum hv_code hv_sql_each(struct hv_store *store, enum hv_sql sql, const struct hv_sql_value *values,
	hv_sql_read_fn fn, void *context, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_get(store, sql, values, err);
	int rc;

	while ((rc = hv_sql_step(store, statement, err)) == SQLITE_ROW)
		if (fn(statement, context, err) != HV_OK)
			return err->code;
	return rc == SQLITE_DONE ? HV_OK : err->code;
}

static enum hv_code append(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	struct hv_sql_array *array = context;
	char *items = array->items;
	enum hv_code code;

	if ((array->count & (array->count - 1)) == 0) /* a power of two: double */
		items = reallocarray(items, array->count ? array->count * 2 : 1, array->size);
	if (!items)
		return hv_oom(err);
	array->items = items;
	items += array->count++ * array->size;
	code = array->fn(statement, memset(items, 0, array->size), err);
	if (code != HV_STATE_UNREADABLE || !array->leave_out)
		return code;
	array->leave_out(items);
	array->count--;
	if (!array->damage) {
		array->damage = err->message;
		err->message = NULL;
	}
	hv_error_done(err);
	return HV_OK;
}

enum hv_code hv_sql_append(struct hv_store *store, enum hv_sql sql,
	const struct hv_sql_value *values, struct hv_sql_array *array, struct hv_error *err)
{
	return hv_sql_each(store, sql, values, append, array, err);
}

enum hv_code hv_sql_run(struct hv_store *store, enum hv_sql sql, const struct hv_sql_value *values,
	struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_get(store, sql, values, err);
	int rc;

	do
		rc = hv_sql_step(store, statement, err);
	while (rc == SQLITE_ROW);
	sqlite3_reset(statement);
	return rc == SQLITE_DONE ? HV_OK : err->code;
}

/* A PRAGMA acts when it is compiled, so it cannot be one of the prepared statements.  It cannot
 * fail but for ENOMEM, and then commits stay durable as they are. */
static void set_durable(struct hv_store *store, bool is_durable)
{
	(void)sqlite3_exec(store->db,
		is_durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", NULL,
		NULL, NULL);
}

static enum hv_code run(
	struct hv_store *store, hv_sql_fn fn, const void *context, struct hv_error *err)
{
	hv_auto_error struct hv_error ignored = {0};

	if (hv_sql_run(store, HV_SQL_BEGIN, NULL, err) != HV_OK)
		return err->code;
	if (fn(store, context, err) == HV_OK &&
		hv_sql_run(store, HV_SQL_COMMIT, NULL, err) == HV_OK) {
		hv_counter_add(HV_COUNT_COMMITS);
		return HV_OK;
	}
	/* The first error is the one to tell. */
	reset_all(store);
	(void)hv_sql_run(store, HV_SQL_ROLLBACK, NULL, &ignored);
	return err->code;
}

static enum hv_code transact(struct hv_store *store, bool is_durable, hv_sql_fn fn,
	const void *context, struct hv_error *err)
{
	enum hv_code code;

	if (store->has_failed && overwrite_failed(store) != SQLITE_OK)
		return fail(store, err);
	if (is_durable)
		return run(store, fn, context, err);
	/* FULL before and after: the commits that overwrite a failed one wait for the disk. */
	set_durable(store, false);
	code = run(store, fn, context, err);
	set_durable(store, true);
	return code;
}

static enum hv_code run_all(struct hv_store *store, const void *context, struct hv_error *err)
{
	for (const struct hv_sql_waiting *each = context; each; each = each->next)
		if (each->fn(store, each->context, err) != HV_OK)
			return err->code;
	return HV_OK;
}

static enum hv_code write_alone(
	struct hv_store *store, bool is_durable, const struct hv_sql_waiting *self)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	return transact(held, is_durable, self->fn, self->context, self->err);
}

/* One commit for all that wait by now; it is done, or each is to be tried alone. */
static void commit_waiting(struct hv_store *store)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	hv_auto_error struct hv_error ignored = {0};
	struct hv_sql_waiting *all;
	bool are_done;

	pthread_mutex_lock(&held->waiting_lock);
	all = held->waiting;
	held->waiting = NULL;
	pthread_mutex_unlock(&held->waiting_lock);
	if (!all->next)
		all->code = transact(held, true, all->fn, all->context, all->err);
	are_done = !all->next || transact(held, true, run_all, all, &ignored) == HV_OK;
	pthread_mutex_lock(&held->waiting_lock); /* none of them leaves before */
	for (; all; all = all->next) {
		all->is_done = are_done;
		all->is_alone = !are_done;
	}
	pthread_mutex_unlock(&held->waiting_lock);
}

static void commit_alone(struct hv_store *store, struct hv_sql_waiting *self)
{
	self->code = write_alone(store, true, self);
	self->is_done = true;
}

/* While one thread waits for the disk others come; the first of them commits for all of those.  If
 * that fails each is tried alone, in its turn and its thread: a refused one costs no other, each
 * has an error of its own, and a call that waits for the store goes in between. */
static enum hv_code commit_with_others(struct hv_store *store, struct hv_sql_waiting *self)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&store->waiting_lock);

	self->next = store->waiting;
	store->waiting = self;
	while (!self->is_done) {
		if (store->is_committing) {
			pthread_cond_wait(&store->committed, lock);
			continue;
		}
		store->is_committing = true;
		pthread_mutex_unlock(lock);
		if (self->is_alone)
			commit_alone(store, self);
		else
			commit_waiting(store);
		pthread_mutex_lock(lock);
		store->is_committing = false;
		pthread_cond_broadcast(&store->committed);
	}
	return self->code;
}

enum hv_code hv_sql_transaction(struct hv_store *store, bool is_durable, hv_sql_fn fn,
	const void *context, struct hv_error *err)
{
	struct hv_sql_waiting self = {.fn = fn, .context = context, .err = err};

	return is_durable ? commit_with_others(store, &self) : write_alone(store, false, &self);
}

struct write {
	enum hv_sql sql;
	const struct hv_sql_value *values;
};

static enum hv_code run_write(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct write *write = context;

	return hv_sql_run(store, write->sql, write->values, err);
}

enum hv_code hv_sql_write(struct hv_store *store, bool is_durable, enum hv_sql sql,
	const struct hv_sql_value *values, struct hv_error *err)
{
	const struct write write = {sql, values};

	return hv_sql_transaction(store, is_durable, run_write, &write, err);
}

static int read_version(struct hv_store *store, int *ret)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &statement, NULL);

	if (rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	else
		rc = SQLITE_ERROR;
	sqlite3_finalize(statement);
	return rc;
}

/* Take the step from `version` to the next, wholly or not at all: closing the connection rolls back
 * what was not committed. */
static int upgrade(struct hv_store *store, int version)
{
	char *sql = sqlite3_mprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT;",
		hv_schema_step(version), version + 1);
	int rc = sql ? sqlite3_exec(store->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	return rc;
}

static enum hv_code set_up(struct hv_store *store, struct hv_error *err)
{
	static const char pragmas[] =
		"PRAGMA locking_mode = EXCLUSIVE;"
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL;"
		"PRAGMA cache_size = -192;"; /* KiB; the kernel has the pages, too */
	int version = 0;

	sqlite3_busy_timeout(store->db, BUSY_WAIT_MS);
	if (sqlite3_exec(store->db, pragmas, NULL, NULL, NULL) != SQLITE_OK ||
		read_version(store, &version) != SQLITE_OK)
		return fail(store, err);
	if (version > hv_schema_version()) {
		hv_fail(err, HV_STATE_UNREADABLE,
			"hostvol's state was written by a newer version (schema %d, this one knows %d)",
			version, hv_schema_version());
		return hv_hint(err, "upgrade the plugin again; nothing was changed");
	}
	for (; version < hv_schema_version(); version++)
		if (upgrade(store, version) != SQLITE_OK)
			return fail(store, err);
	return HV_OK;
}

/* The database is small: allocate pages one by one and not 20 at once, and remember fewer small
 * blocks.  After the first database was opened they change nothing.  Source: sqlite3_config(). */
static void limit_memory(void)
{
	enum { BLOCK_BYTES = 512, BLOCKS = 20 };

	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	(void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, BLOCK_BYTES, BLOCKS);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void close_store(struct hv_store **store)
{
	hv_store_close(*store);
}

enum hv_code hv_store_open(const char *directory, struct hv_store **ret, struct hv_error *err)
{
	HV_AUTO(close_store) struct hv_store *store = calloc(1, sizeof(*store));
	hv_auto_free char *path = NULL;

	if (!store)
		return hv_oom(err);
	pthread_mutex_init(&store->lock, NULL);
	pthread_mutex_init(&store->waiting_lock, NULL);
	pthread_cond_init(&store->committed, NULL);
	path = hv_text_format("%s/hostvol.db", directory);
	if (!path)
		return hv_oom(err);
	limit_memory();
	if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
		SQLITE_OK)
		return store->db ? fail(store, err) : hv_oom(err);
	if (set_up(store, err) != HV_OK)
		return err->code;
	*ret = store;
	store = NULL;
	return HV_OK;
}

void hv_store_close(struct hv_store *store)
{
	if (!store)
		return;
	for (int i = 0; i < HV_SQL_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	pthread_cond_destroy(&store->committed);
	pthread_mutex_destroy(&store->waiting_lock);
	pthread_mutex_destroy(&store->lock);
	free(store->damaged_volume);
	free(store->damaged_attachment);
	free(store->damaged_rule);
	free(store);
}

/* The SQLite connection and its prepared statements. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "wire/error.h"

enum hv_sql {
	HV_SQL_BEGIN,
	HV_SQL_COMMIT,
	HV_SQL_ROLLBACK,
	HV_SQL_VOLUME_ADD,
	HV_SQL_VOLUME_MADE,
	HV_SQL_VOLUME_SET,
	HV_SQL_OPT_CLEAR,
	HV_SQL_VOLUME_GET,
	HV_SQL_VOLUME_LIST,
	HV_SQL_VOLUME_PHASE,
	HV_SQL_VOLUME_ATTACHED,
	HV_SQL_VOLUME_RETIRE,
	HV_SQL_VOLUME_FORGET,
	HV_SQL_VOLUME_MOVE,
	HV_SQL_VOLUME_UNFINISHED,
	HV_SQL_OPT_ADD,
	HV_SQL_OPT_LIST,
	HV_SQL_OPT_FORGET,
	HV_SQL_OPT_FIND,
	HV_SQL_ATTACHMENT_PUT,
	HV_SQL_ATTACHMENT_NOTE,
	HV_SQL_ATTACHMENT_LEAVE,
	HV_SQL_ATTACHMENT_DROP,
	HV_SQL_ATTACHMENT_MOVE,
	HV_SQL_ATTACHMENT_BY_ID,
	HV_SQL_ATTACHMENT_BY_CONTAINER,
	HV_SQL_ATTACHMENT_BY_VOLUME,
	HV_SQL_ATTACHMENT_LIST,
	HV_SQL_ATTACHMENT_CONTAINERS,
	HV_SQL_BOOT_HAS,
	HV_SQL_BOOT_FORGET,
	HV_SQL_BOOT_SET,
	HV_SQL_BOOT_UNMOUNT,
	HV_SQL_REF_ADD,
	HV_SQL_REF_PRUNE,
	HV_SQL_REF_TOTAL,
	HV_SQL_REF_CLEAR,
	HV_SQL_ROOT_ADD,
	HV_SQL_ROOT_LIST,
	HV_SQL_SOURCE_IS_USED,
	HV_SQL_MOUNTED_ADD,
	HV_SQL_MOUNTED_LIST,
	HV_SQL_MOUNTED_CLEAR,
	HV_SQL_REF_FORGET,
	HV_SQL_COUNT
};

struct hv_store {
	sqlite3 *db;
	pthread_mutex_t lock; /* the connection, its statements, one transaction at a time */
	sqlite3_stmt *statements[HV_SQL_COUNT];
	/* A write failed.  Its data in the log may be valid all the same and would come back after
	 * a crash, though its caller got an error: it is overwritten before any other write. */
	bool has_failed;
};

/* The text of a statement. */
const char *hv_sql_string(enum hv_sql sql);

/* Start a call: takes the lock and gives the statement, reset, with `count` text parameters bound
 * (NULL binds NULL).  NULL when SQLite fails, with the sentence in `err`.  The lock is held either
 * way until hv_sql_end(). */
sqlite3_stmt *hv_sql_start(struct hv_store *store, enum hv_sql sql, struct hv_error *err);
void hv_sql_end(struct hv_store *store);

/* The same inside a call that holds the lock. */
sqlite3_stmt *hv_sql_get(struct hv_store *store, enum hv_sql sql, struct hv_error *err);

/* Step once.  Returns SQLITE_ROW, SQLITE_DONE, or another code with the sentence in `err`. */
int hv_sql_step(struct hv_store *store, sqlite3_stmt *statement, struct hv_error *err);

/* Step a statement that always gives a row.  Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_sql_row(struct hv_store *store, sqlite3_stmt *statement, struct hv_error *err);

/* Step a statement that gives no row.  Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_sql_run(struct hv_store *store, sqlite3_stmt *statement, struct hv_error *err);

/* The whole of a call with no row and text parameters only, ended by NULL. */
enum hv_code hv_sql_exec(struct hv_store *store, enum hv_sql sql, struct hv_error *err, ...)
	__attribute__((sentinel));

/* The inside of a transaction. */
typedef enum hv_code (*hv_sql_fn)(
	struct hv_store *store, const void *context, struct hv_error *err);

/* Run `fn` with the lock held, between BEGIN and COMMIT; when it fails all is rolled back.
 * `is_durable`: the commit waits for the disk. */
enum hv_code hv_sql_transaction(struct hv_store *store, bool is_durable, hv_sql_fn fn,
	const void *context, struct hv_error *err);

/* Report the last error of SQLite. */
enum hv_code hv_sql_fail(struct hv_store *store, struct hv_error *err);

/* Bind text; SQLite borrows it until the statement is reset. */
void hv_sql_text(sqlite3_stmt *statement, int at, const char *text);

#endif

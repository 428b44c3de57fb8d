/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite connection and its prepared statements. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "wire/error.h"

#include "sql.h"

struct hv_store;

/* The inside of a transaction. */
typedef enum hv_code (*hv_sql_fn)(
	struct hv_store *store, const void *context, struct hv_error *err);

/* A durable transaction, on the stack of the thread that waits for it. */
struct hv_sql_waiting {
	hv_sql_fn fn;
	const void *context;
	struct hv_error *err;
	enum hv_code code;
	bool is_done;
	bool is_alone; /* the commit with others failed */
	struct hv_sql_waiting *next;
};

struct hv_store {
	sqlite3 *db;
	pthread_mutex_t lock; /* the connection, its statements, one transaction at a time */
	/* The durable transactions that wait for one of their threads to commit them all. */
	pthread_mutex_t waiting_lock; /* of the three below; taken last */
	pthread_cond_t committed;
	struct hv_sql_waiting *waiting; /* newest first */
	bool is_committing;
	sqlite3_stmt *statements[HV_SQL_COUNT];
	/* A write failed.  Its data in the log may be valid all the same and would come back after
	 * a crash, though its caller got an error: it is overwritten before any other write. */
	bool has_failed;
	char *damaged_volume; /* the note (damage.h) */
	char *damaged_attachment;
	char *damaged_rule;
	/* Called after a call that wrote an event, without the lock; or NULL. */
	void (*on_event)(void *context);
	void *context;
	bool has_event; /* it did, or was rolled back */
};

/* A parameter of a statement; a list ends with an empty one. */
struct hv_sql_value {
	enum { HV_VALUE_END, HV_VALUE_TEXT, HV_VALUE_NUMBER } type;
	const char *text; /* NULL binds NULL */
	sqlite3_int64 number;
};
#define HV_TEXT(string) ((struct hv_sql_value){HV_VALUE_TEXT, (string), 0})
#define HV_NUMBER(integer) ((struct hv_sql_value){HV_VALUE_NUMBER, NULL, (sqlite3_int64)(integer)})
#define HV_VALUES(...) ((const struct hv_sql_value[]){__VA_ARGS__, {0}})

/* Start a call: takes the lock, until the variable with `hv_auto_call` goes out of scope. */
struct hv_store *hv_sql_start(struct hv_store *store);
void hv_sql_end(struct hv_store **store);
#define hv_auto_call HV_AUTO(hv_sql_end)

/* The statement, reset, with the parameters (NULL: none) bound; SQLite borrows the texts until the
 * next reset.  A parameter that the statement lacks is left out.  NULL when SQLite fails, with the
 * sentence in `err`.  This and the functions below are for inside a call. */
sqlite3_stmt *hv_sql_get(struct hv_store *store, enum hv_sql sql, const struct hv_sql_value *values,
	struct hv_error *err);

/* Step once.  Returns SQLITE_ROW, SQLITE_DONE, or another code with the sentence in `err`; so it
 * does for a statement that is NULL, with the sentence of hv_sql_get(). */
int hv_sql_step(struct hv_store *store, sqlite3_stmt *statement, struct hv_error *err);

/* Step a statement that always gives a row.  Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_sql_row(struct hv_store *store, sqlite3_stmt *statement, struct hv_error *err);

/* Read the row in hand. */
typedef enum hv_code (*hv_sql_read_fn)(
	sqlite3_stmt *statement, void *context, struct hv_error *err);

/* Read each row of a statement.  Returns HV_OK, HV_STATE_UNREADABLE, or the error of `fn`. */
enum hv_code hv_sql_each(struct hv_store *store, enum hv_sql sql, const struct hv_sql_value *values,
	hv_sql_read_fn fn, void *context, struct hv_error *err);

struct hv_sql_array {
	size_t size; /* of an item, in bytes */
	hv_sql_read_fn fn;
	void *items;
	size_t count;
	/* Frees the content of an item whose reading failed with HV_STATE_UNREADABLE: its row is
	 * damaged, and is left out.  NULL: the whole fails. */
	void (*leave_out)(void *item);
	char *damage; /* the sentence about the first one left out, or NULL; owned */
};

/* The same, each row into a new item, which is zero before; one whose reading failed counts. */
enum hv_code hv_sql_append(struct hv_store *store, enum hv_sql sql,
	const struct hv_sql_value *values, struct hv_sql_array *array, struct hv_error *err);

/* Run a statement that gives no row.  Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_sql_run(struct hv_store *store, enum hv_sql sql, const struct hv_sql_value *values,
	struct hv_error *err);

/* A whole call: run `fn` with the lock held, between BEGIN and COMMIT; when it fails all it did is
 * rolled back.  `is_durable`: the commit waits for the disk.  Those of several threads are
 * committed together: `fn` runs in one of them, and perhaps again in its own, after all that it did
 * the first time was rolled back.  It may see the effects of others that are not on the disk yet.
 */
enum hv_code hv_sql_transaction(struct hv_store *store, bool is_durable, hv_sql_fn fn,
	const void *context, struct hv_error *err);

/* The same with one statement. */
enum hv_code hv_sql_write(struct hv_store *store, bool is_durable, enum hv_sql sql,
	const struct hv_sql_value *values, struct hv_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "store/store.h"

#include "wal.h"

enum { BUSY_WAIT_MS = 3000 };

/* The steps of the schema: step N makes version N + 1 of version N, in one transaction.  A released
 * step never changes: a state directory may be of any version. */
static const char *const steps[] = {
	"CREATE TABLE volume ("
	"  name TEXT PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL,"
	"  created_at TEXT NOT NULL, read_only INTEGER NOT NULL, removing INTEGER NOT NULL DEFAULT 0"
	") WITHOUT ROWID;"
	"CREATE TABLE opt ("
	"  volume TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
	"  PRIMARY KEY (volume, position)) WITHOUT ROWID;"
	"CREATE TABLE attachment ("
	"  id TEXT PRIMARY KEY, volume TEXT NOT NULL, source TEXT NOT NULL, subpath TEXT,"
	"  container_id TEXT NOT NULL, container_name TEXT NOT NULL, target TEXT NOT NULL,"
	"  flags INTEGER NOT NULL, since TEXT NOT NULL, is_done INTEGER NOT NULL,"
	"  pid INTEGER NOT NULL, ns_ino INTEGER NOT NULL, path TEXT NOT NULL,"
	"  mount_id INTEGER NOT NULL, mountinfo_id INTEGER NOT NULL, made TEXT NOT NULL);"
	"CREATE INDEX attachment_volume ON attachment (volume);"
	"CREATE INDEX attachment_container ON attachment (container_id);"
	"CREATE TABLE ref ("
	"  volume TEXT NOT NULL, id TEXT NOT NULL, count INTEGER NOT NULL,"
	"  PRIMARY KEY (volume, id)) WITHOUT ROWID;",
	"ALTER TABLE attachment ADD COLUMN replaces TEXT;",
	/* 256: make the target, 512: nosuid was said, 64: may map owners, where they are (32). */
	"ALTER TABLE attachment ADD COLUMN started_at TEXT;"
	"ALTER TABLE attachment ADD COLUMN state TEXT NOT NULL DEFAULT 'attached';"
	"ALTER TABLE attachment ADD COLUMN problem TEXT;"
	"ALTER TABLE attachment ADD COLUMN root_dev INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE attachment ADD COLUMN root_ino INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE boot (id TEXT NOT NULL);"
	"UPDATE attachment SET flags = flags | 256 | 512 | (flags & 32) * 2;",
	/* enum hv_phase; 1 was "being removed" all along. */
	("ALTER TABLE volume RENAME COLUMN removing TO phase;"
	 "ALTER TABLE volume ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;"),
	("ALTER TABLE volume ADD COLUMN made_dev INTEGER NOT NULL DEFAULT 0;"
	 "ALTER TABLE volume ADD COLUMN made_ino INTEGER NOT NULL DEFAULT 0;"),
	/* For the look-ups of each create and removal, among thousands. */
	("CREATE INDEX volume_unfinished ON volume (name) WHERE phase;"
	 "CREATE INDEX opt_value ON opt (key, value);"),
	"ALTER TABLE attachment ADD COLUMN engine TEXT;",
	/* Whether a file system is still in use. */
	("CREATE INDEX volume_source ON volume (source);"
	 "CREATE INDEX attachment_source ON attachment (source);"),
	"ALTER TABLE attachment ADD COLUMN late_ms INTEGER NOT NULL DEFAULT -1;",
	/* The roots of the mounts for Docker; of an older version's they are not known. */
	("CREATE TABLE mounted (volume TEXT NOT NULL, dev INTEGER NOT NULL, ino INTEGER NOT NULL);"
	 "CREATE INDEX mounted_volume ON mounted (volume);"
	 "INSERT INTO mounted SELECT name, 0, 0 FROM volume;"),
	"ALTER TABLE attachment ADD COLUMN leftovers TEXT NOT NULL DEFAULT '';",
	"CREATE TABLE root (path TEXT PRIMARY KEY) WITHOUT ROWID;",
	/* An enum hv_problem; until then only one was known, by its words. */
	("ALTER TABLE attachment ADD COLUMN problem_kind INTEGER NOT NULL DEFAULT 0;"
	 "UPDATE attachment SET problem_kind = CASE"
	 " WHEN problem LIKE 'the Docker Engine that answers at %' THEN 8 ELSE 1 END"
	 " WHERE problem IS NOT NULL;"),
};

enum { SCHEMA_VERSION = sizeof(steps) / sizeof(steps[0]) };

#define ATTACHMENT_COLUMNS                                                                         \
	"id, volume, source, subpath, container_id, container_name, target, since, path, made,"    \
	" replaces, started_at, state, problem, engine, flags, is_done, pid, ns_ino, mount_id,"    \
	" mountinfo_id, root_dev, root_ino, late_ms, problem_kind, leftovers"

#define ATTACHMENTS "SELECT " ATTACHMENT_COLUMNS " FROM attachment"

#define VOLUME_COLUMNS                                                                             \
	"name, kind, source, created_at, read_only, phase, missing, made_dev, made_ino"

/* The volumes that exist for a caller: HV_THERE and HV_ATTACHING. */
#define EXISTS "phase IN (0, 3)"
/* The same and the damaged ones: they are refused by name, and nothing may delete their data. */
#define MAY_EXIST "phase NOT IN (1, 2)"

/* Move the sources below ?1 to below ?2. */
#define MOVED                                                                                      \
	"?2 || substr(source, length(?1) + 1)"                                                     \
	" WHERE substr(source, 1, length(?1) + 1) = ?1 || '/'"

/* ?3: ",a,b,". */
#define OF_KINDS "instr(?3, ',' || kind || ',')"

static const char *const texts[HV_SQL_COUNT] = {
	[HV_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[HV_SQL_COMMIT] = "COMMIT",
	[HV_SQL_ROLLBACK] = "ROLLBACK",
	[HV_SQL_VOLUME_ADD] = "INSERT INTO volume (" VOLUME_COLUMNS ")"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[HV_SQL_VOLUME_MADE] =
		"UPDATE volume SET phase = ?2, made_dev = ?3, made_ino = ?4 WHERE name = ?1",
	[HV_SQL_VOLUME_SET] = "UPDATE volume SET read_only = ?2 WHERE name = ?1",
	[HV_SQL_OPT_CLEAR] = "DELETE FROM opt WHERE volume = ?1",
	[HV_SQL_VOLUME_GET] =
		"SELECT " VOLUME_COLUMNS " FROM volume WHERE name = ?1 AND " MAY_EXIST,
	[HV_SQL_VOLUME_LIST] =
		"SELECT " VOLUME_COLUMNS " FROM volume WHERE " MAY_EXIST " ORDER BY name",
	[HV_SQL_VOLUME_PHASE] = "UPDATE volume SET phase = ?2 WHERE name = ?1",
	[HV_SQL_VOLUME_ATTACHED] = "UPDATE volume SET phase = 0 WHERE name = ?1 AND phase = 3",
	/* If nothing keeps it. */
	[HV_SQL_VOLUME_RETIRE] = "UPDATE volume SET phase = 1 WHERE name = ?1 AND " EXISTS
				 " AND NOT EXISTS (SELECT 1 FROM attachment WHERE volume = ?1)"
				 " AND NOT EXISTS (SELECT 1 FROM opt JOIN volume AS other"
				 " ON other.name = opt.volume WHERE opt.key = 'from'"
				 " AND opt.value = ?1 AND other." MAY_EXIST ")",
	[HV_SQL_VOLUME_FORGET] = "DELETE FROM volume WHERE name = ?1 AND phase",
	[HV_SQL_VOLUME_MOVE] = "UPDATE volume SET source = " MOVED " AND " OF_KINDS,
	[HV_SQL_VOLUME_UNFINISHED] =
		"SELECT " VOLUME_COLUMNS " FROM volume WHERE phase ORDER BY name",
	[HV_SQL_OPT_ADD] = "INSERT INTO opt (volume, position, key, value) VALUES (?1, ?2, ?3, ?4)",
	[HV_SQL_OPT_LIST] =
		"SELECT volume, key, value FROM opt WHERE volume = ?1 ORDER BY position",
	[HV_SQL_OPT_FORGET] = "DELETE FROM opt WHERE volume = ?1"
			      " AND volume IN (SELECT name FROM volume WHERE phase)",
	[HV_SQL_OPT_FIND] =
		"SELECT min(volume) FROM opt WHERE key = ?1 AND value = ?2"
		" AND EXISTS (SELECT 1 FROM volume WHERE name = opt.volume AND " MAY_EXIST ")",
	/* With the rowid it has: the order stays. */
	[HV_SQL_ATTACHMENT_PUT] =
		"INSERT OR REPLACE INTO attachment (" ATTACHMENT_COLUMNS ", rowid)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
		" ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, (SELECT rowid FROM attachment WHERE id = ?1))",
	/* With the parameters of the one above. */
	[HV_SQL_ATTACHMENT_NOTE] =
		"UPDATE attachment SET container_name = ?6, path = ?9, made = ?10, started_at = ?12,"
		" state = ?13, problem = ?14, engine = ?15, flags = ?16, is_done = ?17, pid = ?18,"
		" ns_ino = ?19, mount_id = ?20, mountinfo_id = ?21, root_dev = ?22, root_ino = ?23,"
		" late_ms = ?24, problem_kind = ?25"
		" WHERE id = ?1",
	[HV_SQL_ATTACHMENT_LEAVE] = "UPDATE attachment SET leftovers = ?2 WHERE id = ?1",
	[HV_SQL_ATTACHMENT_DROP] = "DELETE FROM attachment WHERE id = ?1",
	[HV_SQL_ATTACHMENT_MOVE] =
		"UPDATE attachment SET source = " MOVED
		" AND volume NOT IN (SELECT name FROM volume WHERE NOT " OF_KINDS ")",
	/* With one text of parameters; each by the index of what it is called after. */
	[HV_SQL_ATTACHMENT_BY_ID] = ATTACHMENTS " WHERE id = ?1 AND (?2 IS NULL OR volume = ?2)"
						" AND (?3 IS NULL OR container_id = ?3)",
	[HV_SQL_ATTACHMENT_BY_CONTAINER] = ATTACHMENTS
	" WHERE container_id = ?3 AND (?2 IS NULL OR volume = ?2) ORDER BY since, rowid",
	[HV_SQL_ATTACHMENT_BY_VOLUME] = ATTACHMENTS " WHERE volume = ?2 ORDER BY since, rowid",
	[HV_SQL_ATTACHMENT_LIST] = ATTACHMENTS " ORDER BY since, rowid",
	[HV_SQL_ATTACHMENT_CONTAINERS] =
		"SELECT container_id, min(pid) > 0 FROM attachment GROUP BY container_id"
		" ORDER BY container_id",
	[HV_SQL_BOOT_HAS] = "SELECT count(*), coalesce(sum(id = ?1), 0) FROM boot",
	[HV_SQL_BOOT_FORGET] = "DELETE FROM boot",
	[HV_SQL_BOOT_SET] = "INSERT INTO boot (id) VALUES (?1)",
	[HV_SQL_BOOT_UNMOUNT] =
		"UPDATE attachment SET pid = 0, ns_ino = 0, mount_id = 0, mountinfo_id = 0,"
		" state = 'pending', problem = NULL, problem_kind = 0",
	[HV_SQL_REF_ADD] = "INSERT INTO ref (volume, id, count) VALUES (?1, ?2, ?3)"
			   " ON CONFLICT (volume, id) DO UPDATE SET count = count + ?3",
	[HV_SQL_REF_PRUNE] = "DELETE FROM ref WHERE volume = ?1 AND count <= 0",
	[HV_SQL_REF_TOTAL] = "SELECT coalesce(sum(count), 0) FROM ref WHERE volume = ?1",
	[HV_SQL_REF_CLEAR] = "DELETE FROM ref WHERE volume = ?1",
	[HV_SQL_ROOT_ADD] = "INSERT OR IGNORE INTO root (path) VALUES (?1)",
	[HV_SQL_ROOT_LIST] = "SELECT path FROM root ORDER BY path",
	[HV_SQL_SOURCE_IS_USED] =
		"SELECT EXISTS (SELECT 1 FROM attachment WHERE source = ?1)"
		" OR EXISTS (SELECT 1 FROM ref JOIN volume ON volume.name = ref.volume"
		" WHERE volume.source = ?1)",
	[HV_SQL_MOUNTED_ADD] = "INSERT INTO mounted (volume, dev, ino) VALUES (?1, ?2, ?3)",
	[HV_SQL_MOUNTED_LIST] =
		"SELECT volume, dev, ino FROM mounted WHERE volume = ?1 ORDER BY rowid LIMIT ?2",
	[HV_SQL_MOUNTED_CLEAR] = "DELETE FROM mounted WHERE volume = ?1",
	[HV_SQL_REF_FORGET] = "DELETE FROM ref WHERE volume = ?1"
			      " AND volume IN (SELECT name FROM volume WHERE phase)",
};

const char *hv_sql_string(enum hv_sql sql)
{
	return texts[sql];
}

static int commit_nothing(struct hv_store *store)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", SCHEMA_VERSION);
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

void hv_sql_end(struct hv_store **store)
{
	for (int i = 0; i < HV_SQL_COUNT; i++) /* a statement not reset holds its read lock */
		if ((*store)->statements[i])
			sqlite3_reset((*store)->statements[i]);
	if ((*store)->has_failed) /* at once, if it can be; a crash may come before the next call */
		(void)overwrite_failed(*store);
	pthread_mutex_unlock(&(*store)->lock);
}

sqlite3_stmt *hv_sql_get(struct hv_store *store, enum hv_sql sql, const struct hv_sql_value *values,
	struct hv_error *err)
{
	sqlite3_stmt **statement = &store->statements[sql];

	if (!*statement && sqlite3_prepare_v3(store->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
				   statement, NULL) != SQLITE_OK) {
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

static enum hv_code transact(
	struct hv_store *store, hv_sql_fn fn, const void *context, struct hv_error *err)
{
	hv_auto_error struct hv_error ignored = {0};

	if (hv_sql_run(store, HV_SQL_BEGIN, NULL, err) != HV_OK)
		return err->code;
	if (fn(store, context, err) == HV_OK &&
		hv_sql_run(store, HV_SQL_COMMIT, NULL, err) == HV_OK)
		return HV_OK;
	/* The first error is the one to tell. */
	(void)hv_sql_run(store, HV_SQL_ROLLBACK, NULL, &ignored);
	return err->code;
}

enum hv_code hv_sql_transaction(struct hv_store *store, bool is_durable, hv_sql_fn fn,
	const void *context, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	enum hv_code code;

	if (held->has_failed && overwrite_failed(held) != SQLITE_OK)
		return fail(held, err);
	if (is_durable)
		return transact(held, fn, context, err);
	/* FULL before and after: the commits that overwrite a failed one wait for the disk. */
	set_durable(held, false);
	code = transact(held, fn, context, err);
	set_durable(held, true);
	return code;
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
		steps[version], version + 1);
	int rc = sql ? sqlite3_exec(store->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	return rc;
}

static enum hv_code set_up(struct hv_store *store, struct hv_error *err)
{
	static const char pragmas[] = "PRAGMA locking_mode = EXCLUSIVE;"
				      "PRAGMA journal_mode = WAL;"
				      "PRAGMA synchronous = FULL;";
	int version = 0;

	sqlite3_busy_timeout(store->db, BUSY_WAIT_MS);
	if (sqlite3_exec(store->db, pragmas, NULL, NULL, NULL) != SQLITE_OK ||
		read_version(store, &version) != SQLITE_OK)
		return fail(store, err);
	if (version > SCHEMA_VERSION) {
		hv_fail(err, HV_STATE_UNREADABLE,
			"hostvol's state was written by a newer version (schema %d, this one knows %d)",
			version, SCHEMA_VERSION);
		return hv_hint(err, "upgrade the plugin again; nothing was changed");
	}
	for (; version < SCHEMA_VERSION; version++)
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
	if (asprintf(&path, "%s/hostvol.db", directory) < 0) {
		path = NULL;
		return hv_oom(err);
	}
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
	pthread_mutex_destroy(&store->lock);
	free(store);
}

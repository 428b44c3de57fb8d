#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SQLite: an UPDATE that sets a column to the value it has commits without a sync and leaves the database as it
# was; with an index on the column, or on the primary key, the same UPDATE is a full commit.
#
# Versions: libsqlite3-0 3.40.1-2+deb12u2.
# Expected: one sync for each commit with synchronous=FULL and a write-ahead log, four with a rollback journal. The
# statement takes the write lock, changes() counts the row, and "PRAGMA user_version" with the number that is set
# already is a full commit.
# Means: a benchmark of commits that updates a row to a constant measures nothing, an UPDATE is no way to find
# out whether the disk still takes writes, and PRAGMA data_version does not tell another connection of it. A test
# that counts syncs depends on the indexes of the table.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount
pinned libsqlite3-0 3.40.1-2+deb12u2
pinned libsqlite3-dev 3.40.1-2+deb12u2

compile update -lsqlite3 <<'END'
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>

static int syncs;

/* The library's calls come here. */
int fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static int number(void *ret, int count, char **values, char **names)
{
	(void)count;
	(void)names;
	*(int *)ret = atoi(values[0]);
	return 0;
}

static int run(sqlite3 *db, const char *sql)
{
	int ret = 0;

	if (sqlite3_exec(db, sql, number, &ret, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		exit(2);
	}
	return ret;
}

int main(int argc, char **argv)
{
	sqlite3 *db, *other;
	char mode[64];
	int before;

	if (argc != 3 || sqlite3_open(argv[1], &db) || sqlite3_open(argv[1], &other))
		return 2;
	snprintf(mode, sizeof mode, "PRAGMA journal_mode=%s", argv[1]);
	run(db, mode);
	run(db, "PRAGMA synchronous=FULL");
	run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, plain, indexed); CREATE INDEX i ON t(indexed);"
		"INSERT INTO t VALUES(1,'a','b')");
	before = run(other, "PRAGMA data_version");
	syncs = 0;
	run(db, argv[2]);
	printf("syncs=%d rows=%d moved=%d\n", syncs, sqlite3_changes(db),
	       run(other, "PRAGMA data_version") != before);
	return 0;
}
END

# commit MODE SQL: run it in a new database.
commit() {
	rm -f wal* delete*
	./update "$1" "$2"
}

seen "wal: another value" "$(commit wal "UPDATE t SET plain='z' WHERE id=1")" "syncs=1 rows=1 moved=1"
seen "wal: the same value" "$(commit wal "UPDATE t SET plain='a' WHERE id=1")" "syncs=0 rows=1 moved=0"
seen "wal: the same value of an indexed column" \
	"$(commit wal "UPDATE t SET indexed='b' WHERE id=1")" "syncs=1 rows=1 moved=1"
seen "wal: the same primary key" "$(commit wal "UPDATE t SET id=1 WHERE id=1")" "syncs=1 rows=1 moved=1"
seen "wal: the same user_version" "$(commit wal "PRAGMA user_version=0")" "syncs=1 rows=1 moved=1"
seen "delete: another value" "$(commit delete "UPDATE t SET plain='z' WHERE id=1")" "syncs=4 rows=1 moved=1"
seen "delete: the same value" "$(commit delete "UPDATE t SET plain='a' WHERE id=1")" "syncs=0 rows=1 moved=0"
seen "delete: the same value of an indexed column" \
	"$(commit delete "UPDATE t SET indexed='b' WHERE id=1")" "syncs=4 rows=1 moved=1"
end

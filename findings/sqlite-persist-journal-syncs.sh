#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SQLite: journal_mode=PERSIST and TRUNCATE cost five syncs for each commit, one more than DELETE: the directory is
# synced in every commit, although its journal is there already and stays.
#
# Versions: libsqlite3-0 3.40.1-2+deb12u2, synchronous=FULL.
# Expected: fewer than DELETE. Both modes exist to save the work on the directory: the journal is created once and
# neither unlinked nor created again, so only the first commit needs a sync of the directory, and the later ones
# need the journal, the journal's header, the database and the end of the journal.
# Means: on a disk where a sync is dear, these two modes are the slow ones. DELETE leaves the directory
# alone at the end (only synchronous=EXTRA syncs it there), they sync the ended journal and the directory as well.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount
pinned libsqlite3-0 3.40.1-2+deb12u2
pinned libsqlite3-dev 3.40.1-2+deb12u2

compile journal -lsqlite3 <<'END'
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char seen[16];
static struct stat journal;

/* The library's call comes here: D the database, J its journal, d the directory. */
int fdatasync(int fd)
{
	struct stat st;
	char path[32], name[512];
	ssize_t size;
	size_t length = strlen(seen);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	size = readlink(path, name, sizeof name - 1);
	if (fstat(fd, &st) || size < 0 || length + 1 >= sizeof seen)
		abort();
	name[size] = '\0';
	seen[length] = S_ISDIR(st.st_mode) ? 'd' : strstr(name, "-journal") ? 'J' : 'D';
	return (int)syscall(SYS_fdatasync, fd);
}

int main(int argc, char **argv)
{
	sqlite3 *db;
	struct stat st;
	char sql[64];
	int i;

	if (argc != 2 || sqlite3_open(argv[1], &db))
		return 2;
	snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s", argv[1]);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) ||
	    sqlite3_exec(db, "PRAGMA synchronous=FULL; CREATE TABLE t(a)", NULL, NULL, NULL))
		return 2;
	snprintf(sql, sizeof sql, "%s-journal", argv[1]);
	if (stat(sql, &journal))
		memset(&journal, 0, sizeof journal);
	for (i = 0; i < 3; i++) {
		memset(seen, 0, sizeof seen);
		if (sqlite3_exec(db, "INSERT INTO t VALUES(1)", NULL, NULL, NULL))
			return 2;
		printf("%s ", seen);
	}
	printf("%s\n", stat(sql, &st) ? "no journal" : st.st_ino == journal.st_ino ? "same journal"
										  : "new journal");
	return 0;
}
END

echo '  the syncs of three commits; J is the journal, d the directory, D the database'
seen "delete" "$(./journal delete)" "JdJD JdJD JdJD no journal"
seen "truncate" "$(./journal truncate)" "JdJDJ JdJDJ JdJDJ same journal"
seen "persist" "$(./journal persist)" "JdJDJ JdJDJ JdJDJ same journal"
end

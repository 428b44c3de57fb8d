/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's write-ahead log. */
#ifndef STORE_WAL_H
#define STORE_WAL_H

#include <sqlite3.h>

/* Write the log once more, as it is now; the next commit that waits for the disk syncs it.  For
 * after a write or a sync that failed: the kernel reports a page that it could not write once, and
 * takes it for written then.  Commits before the failed one, that did not wait for the disk, may
 * have such a hole, and after a power cut the log is read up to there.  Without a transaction.
 * Returns SQLITE_OK or another code of SQLite.  Source: fsync(2), sqlite.org/walformat.html. */
int hv_wal_rewrite(sqlite3 *db);

#endif

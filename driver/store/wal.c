/* SPDX-License-Identifier: Apache-2.0 */
#include "wal.h"

#include <stddef.h>

enum { PART_BYTES = 16384 };

int hv_wal_rewrite(sqlite3 *db)
{
	char part[PART_BYTES];
	sqlite3_file *log = NULL;
	sqlite3_int64 size = 0;
	int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);

	if (rc != SQLITE_OK || !log || !log->pMethods)
		return rc;
	rc = log->pMethods->xFileSize(log, &size);
	for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < size; at += PART_BYTES) {
		int length = (int)(size - at < PART_BYTES ? size - at : PART_BYTES);

		rc = log->pMethods->xRead(log, part, length, at);
		if (rc == SQLITE_OK)
			rc = log->pMethods->xWrite(log, part, length, at);
	}
	return rc;
}

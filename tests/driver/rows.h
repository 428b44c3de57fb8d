/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for the store. */
#ifndef TESTS_DRIVER_ROWS_H
#define TESTS_DRIVER_ROWS_H

#include <stddef.h>

#include "store/store.h"

/* Open the store in `dir`, which must work. */
struct hv_store *row_store(const char *dir);

/* Add a volume with the source /srv/`name`.  Returns HV_OK or the store's error; empties `err`. */
enum hv_code row_add_volume(struct hv_store *store, const char *name);

bool row_has_volume(struct hv_store *store, const char *name);
size_t row_count_volumes(struct hv_store *store);

/* An attachment of `volume` to the container `container`; free with hv_record_done(). */
struct hv_record row_record(const char *id, const char *volume, const char *container);

enum hv_code row_put(struct hv_store *store, const char *id, const char *volume,
	const char *container, bool is_done);

/* How many attachments match. */
size_t row_count_records(
	struct hv_store *store, const char *id, const char *volume, const char *container);

/* The store has one unfinished volume: this one. */
void row_expect_unfinished(struct hv_store *store, const char *name, enum hv_phase phase);

/* The directory `where` is not opened, with an error that has `sentence` in it. */
void row_expect_refused(const char *where, const char *sentence);

/* Change a reference and give the total. */
long long row_ref(struct hv_store *store, const char *volume, const char *id, int change);

#endif

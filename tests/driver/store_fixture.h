/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a directory of its own. */
#ifndef TESTS_DRIVER_STORE_FIXTURE_H
#define TESTS_DRIVER_STORE_FIXTURE_H

#include "store/store.h"

extern char *dir;
extern struct hv_store *store; /* a test that closes it sets it to NULL, or opens another */

/* cmocka's setup and teardown. */
int open_one(void **state);
int close_one(void **state);

#endif

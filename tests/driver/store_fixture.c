/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include "rows.h"
#include "scratch.h"

char *dir;
struct hv_store *store;

int open_one(void **state)
{
	(void)state;
	dir = scratch_new();
	store = row_store(dir);
	return 0;
}

int close_one(void **state)
{
	(void)state;
	hv_store_close(store);
	store = NULL;
	scratch_free(dir);
	return 0;
}

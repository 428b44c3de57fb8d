/* SPDX-License-Identifier: Apache-2.0 */
/* A mount table that parses has its own mounts, each complete and to be found by its id. */
#include <stdlib.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"

enum { INPUT_MAX = 16384 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct mc_mounts *mounts)
{
	struct mc_mount mount, found, cover;
	size_t at = 0, count = 0;

	while (mc_mounts_next(mounts, &at, &mount)) {
		count++;
		if (!mount.root || !mount.target || !mount.fstype)
			abort();
		if (mc_mounts_find(mounts, mount.id, &found) != 0 || found.id != mount.id)
			abort();
		(void)mc_mounts_find_cover(mounts, mount.id, &cover); /* either; it must end */
	}
	if (count != mc_mounts_count(mounts))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mc_mounts *mounts = NULL;
	mc_auto_file stream = NULL;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	stream = fmemopen((void *)(uintptr_t)data, size, "r");
	if (stream && mc_mounts_parse(stream, &mounts) == 0)
		check(mounts);
	mc_mounts_free(mounts);
	return 0;
}

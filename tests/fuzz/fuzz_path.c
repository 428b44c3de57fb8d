/* SPDX-License-Identifier: Apache-2.0 */
/* A path that was cleaned is absolute, has no empty, "." or ".." component, stays as it is when
 * cleaned again, and is below the root and itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"

enum { INPUT_MAX = 8192, ROOM = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_odd_component(const char *path)
{
	if (path[1] == '\0')
		return false;
	for (const char *at = path; *at; at += 1 + strcspn(at + 1, "/")) {
		size_t length = strcspn(at + 1, "/");

		if (length == 0 || (length == 1 && at[1] == '.') ||
			(length == 2 && at[1] == '.' && at[2] == '.'))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[INPUT_MAX + 1], clean[ROOM], again[ROOM];

	if (size > INPUT_MAX)
		return 0;
	memcpy(path, data, size);
	path[size] = '\0';
	if (mc_path_clean(path, clean, sizeof(clean)) < 0)
		return 0;
	if (clean[0] != '/' || has_odd_component(clean))
		abort();
	if (mc_path_clean(clean, again, sizeof(again)) != 0 || strcmp(clean, again) != 0)
		abort();
	if (!mc_path_is_below(clean, "/") || !mc_path_is_below(clean, clean))
		abort();
	(void)mc_path_is_refused(clean); /* either; it must not read past the end */
	return 0;
}

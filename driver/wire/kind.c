/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kind.h"

#include <string.h>

static const char *const names[HV_KIND_COUNT] = {
	[HV_KIND_UNKNOWN] = "unknown",
	[HV_KIND_MANAGED] = "managed",
	[HV_KIND_PATH] = "path",
	[HV_KIND_ALIAS] = "alias",
	[HV_KIND_FILESYSTEM] = "filesystem",
	[HV_KIND_HOST] = "host",
	[HV_KIND_ENGINE] = "engine",
};

enum hv_kind hv_kind_parse(const char *name)
{
	for (unsigned i = 0; name && i < HV_KIND_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return (enum hv_kind)i;
	return HV_KIND_UNKNOWN;
}

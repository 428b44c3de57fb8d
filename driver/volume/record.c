/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <string.h>

#include "kind.h"

bool hv_source_is_owned(const struct hv_opts *opts)
{
	return hv_opts_get(opts, "uid") || hv_opts_get(opts, "gid") || hv_opts_get(opts, "mode");
}

bool hv_purge_is_wanted(const struct hv_volumes *volumes, const struct hv_volume *volume)
{
	const char *said = hv_opts_get(&volume->opts, "on-remove");

	if (hv_kind_of(volumes, volume)->own_directory)
		return !said || strcmp(said, "keep") != 0;
	return said && strcmp(said, "purge") == 0;
}

bool hv_purge_is_begun(const struct hv_volumes *volumes, const struct hv_volume *volume)
{
	return volume->phase == HV_REMOVING && !hv_kind_of(volumes, volume)->own_directory &&
	       hv_purge_is_wanted(volumes, volume);
}

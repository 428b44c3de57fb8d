#include "record.h"

#include <string.h>

bool hv_source_is_ours(const struct hv_volume *volume)
{
	return strcmp(volume->kind, "managed") == 0 || strcmp(volume->kind, "filesystem") == 0;
}

bool hv_source_is_owned(const struct hv_opts *opts)
{
	return hv_opts_get(opts, "uid") || hv_opts_get(opts, "gid") || hv_opts_get(opts, "mode");
}

bool hv_purge_is_wanted(const struct hv_volume *volume)
{
	const char *said = hv_opts_get(&volume->opts, "on-remove");

	if (hv_source_is_ours(volume))
		return !said || strcmp(said, "keep") != 0;
	return said && strcmp(said, "purge") == 0;
}

bool hv_purge_is_begun(const struct hv_volume *volume)
{
	return volume->phase == HV_REMOVING && !hv_source_is_ours(volume) &&
	       hv_purge_is_wanted(volume);
}

bool hv_volume_is_fs(const struct hv_volume *volume)
{
	return volume->kind && strcmp(volume->kind, "filesystem") == 0;
}

/* A file system (options type, device and o), mounted on a directory of hostvol's own while the
 * volume is used. */
#include "kinds.h"

static bool claims(const struct hv_volume_options *options)
{
	return options->type != NULL;
}

const struct hv_volume_kind hv_kind_filesystem = {
	.name = "filesystem",
	.own_directory = true,
	.may_be_in_state = true,
	.mounted_while_used = true,
	.claims = claims,
};

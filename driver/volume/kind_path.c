/* A directory of the user's (option path, or bind in option o). */
#include "kinds.h"

static bool claims(const struct hv_volume_options *options)
{
	return options->path != NULL;
}

const struct hv_volume_kind hv_kind_path = {
	.name = "path",
	.claims = claims,
};

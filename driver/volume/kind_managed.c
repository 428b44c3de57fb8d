/* A directory of hostvol's own, volumes/NAME/_data. */
#include "kinds.h"

static bool claims(const struct hv_volume_options *options)
{
	(void)options; /* whatever no other kind has claimed */
	return true;
}

const struct hv_volume_kind hv_kind_managed = {
	.name = "managed",
	.own_directory = true,
	.may_be_in_state = true,
	.claims = claims,
};

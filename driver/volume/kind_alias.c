/* Another name for the data of a volume, its origin (option from): what becomes of the data is the
 * business of the origin's kind. */
#include "kinds.h"

static bool claims(const struct hv_volume_options *options)
{
	return options->from != NULL;
}

const struct hv_volume_kind hv_kind_alias = {
	.name = "alias",
	.may_be_in_state = true,
	.claims = claims,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/attachment_state.h"

#include <string.h>

static const char *const names[HV_STATE_COUNT] = {
	[HV_UNKNOWN_STATE] = "unknown",
	[HV_PENDING] = "pending",
	[HV_ATTACHED] = "attached",
	[HV_MISSING] = "missing",
	[HV_COVERED] = "covered",
};

const char *hv_attachment_state_name(enum hv_attachment_state state)
{
	return (unsigned)state < HV_STATE_COUNT ? names[state] : names[HV_UNKNOWN_STATE];
}

enum hv_attachment_state hv_attachment_state_parse(const char *name)
{
	for (unsigned i = 0; name && i < HV_STATE_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return (enum hv_attachment_state)i;
	return HV_UNKNOWN_STATE;
}

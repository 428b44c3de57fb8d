/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/action.h"

#include <string.h>

static const char *const names[HV_ACTION_COUNT] = {
	[HV_ACTION_ATTACH] = "attach",
	[HV_ACTION_COVERED] = "covered",
	[HV_ACTION_DETACH] = "detach",
	[HV_ACTION_END] = "end",
	[HV_ACTION_FOLLOW] = "follow",
	[HV_ACTION_LATE] = "late",
	[HV_ACTION_MISSING] = "missing",
	[HV_ACTION_PENDING] = "pending",
	[HV_ACTION_REATTACH] = "reattach",
	[HV_ACTION_REFUSED] = "refused",
	[HV_ACTION_UNCOVERED] = "uncovered",
	[HV_ACTION_VOLUME_OK] = "volume-ok",
	[HV_ACTION_VOLUME_PROBLEM] = "volume-problem",
};

const char *hv_action_name(enum hv_action action)
{
	return (unsigned)action < HV_ACTION_COUNT ? names[action] : "";
}

enum hv_action hv_action_parse(const char *name)
{
	unsigned at = 0;

	while (at < HV_ACTION_COUNT && strcmp(names[at], name) != 0)
		at++;
	return (enum hv_action)at;
}

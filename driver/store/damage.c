/* SPDX-License-Identifier: Apache-2.0 */
#include "damage.h"

#include <stdlib.h>

void hv_damage_note(char **noted, char *found, bool is_all)
{
	if (!is_all && (!found || *noted)) {
		free(found);
		return;
	}
	free(*noted);
	*noted = found;
}

enum hv_code hv_damage_tell(const char *noted, struct hv_error *err)
{
	return noted ? hv_fail(err, HV_STATE_UNREADABLE, "%s", noted) : HV_OK;
}

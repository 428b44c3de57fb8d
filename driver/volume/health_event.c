/* SPDX-License-Identifier: Apache-2.0 */
/* The events of the health of volumes. */
#include <string.h>

#include "store/store.h"
#include "volume/health.h"
#include "wire/action.h"

#include "volumes.h"

enum hv_code hv_volume_tell_health(
	struct hv_volumes *volumes, const char *name, const char *sentence, struct hv_error *err)
{
	return hv_store_event_add_volume(volumes->store, name,
		sentence ? HV_ACTION_VOLUME_PROBLEM : HV_ACTION_VOLUME_OK, sentence ? sentence : "",
		err);
}

/* Whether the last of these events of this one's volume is this one, and says that it is ill. */
static bool is_last_problem(const struct hv_events *events, size_t at)
{
	const struct hv_attachment_event *event = &events->items[at];

	if (hv_action_parse(event->action) != HV_ACTION_VOLUME_PROBLEM)
		return false;
	for (size_t i = at + 1; i < events->count; i++) {
		enum hv_action action = hv_action_parse(events->items[i].action);

		if ((action == HV_ACTION_VOLUME_PROBLEM || action == HV_ACTION_VOLUME_OK) &&
			strcmp(events->items[i].volume, event->volume) == 0)
			return false;
	}
	return true;
}

enum hv_code hv_volumes_ill_before(
	struct hv_volumes *volumes, struct hv_texts *ret, struct hv_error *err)
{
	const struct hv_event_filter all = {.until_ns = INT64_MAX, .limit = HV_EVENTS_MAX};
	hv_auto_events struct hv_events events = {0};

	if (hv_store_event_list(volumes->store, &all, &events, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < events.count; i++)
		if (is_last_problem(&events, i) && hv_texts_add(ret, events.items[i].volume) < 0)
			return hv_oom(err);
	return HV_OK;
}

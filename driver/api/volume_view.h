/* SPDX-License-Identifier: Apache-2.0 */
/* The view of a volume for Docker, without its secrets. */
#ifndef API_VOLUME_VIEW_H
#define API_VOLUME_VIEW_H

#include "api/api.h"

struct json_object;

/* Add the view of a volume for Docker: Name, Mountpoint, CreatedAt, Status. */
enum hv_code hv_add_volume(struct hv_api *api, const struct hv_volume *volume,
	const char *mountpoint, struct json_object *object, struct hv_error *err);

/* Append the same of each volume that is there, the mountpoints as List tells them. */
enum hv_code hv_append_volumes(struct hv_api *api, const struct hv_volume_list *volumes,
	struct json_object *array, struct hv_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The VolumeDriver calls for volumes that are requests (api/tunnel.h): a filter before those for
 * volumes. */
#ifndef API_SRC_TUNNEL_H
#define API_SRC_TUNNEL_H

#include <stdbool.h>

#include "api/api.h"

struct json_object;

/* Answers a request as hv_api_handle() does. */
typedef void (*hv_handler)(
	struct hv_api *api, const struct hv_http_request *http, struct hv_reply *ret);

/* A call for a request.  Create has `handle` answer it and keeps the answer, whatever that is; to
 * Get, Status has "reply", the answer as text, and "status"; to Mount, and to a Create that asks
 * for it, "Err" has the answer; Remove forgets it. Returns HV_OK, HV_BAD_REQUEST, HV_DENIED,
 * HV_BUSY (too many at once), HV_NO_SUCH_VOLUME (it was forgotten meanwhile), HV_INTERNAL. */
typedef enum hv_code (*hv_tunnel_call)(struct hv_api *api, const struct hv_driver_request *in,
	hv_handler handle, struct json_object *reply, struct hv_error *err);

/* The call that answers in the place of `endpoint`; NULL: `in` is about a volume. */
hv_tunnel_call hv_tunnel_find(
	struct hv_api *api, const char *endpoint, const struct hv_driver_request *in);

#endif

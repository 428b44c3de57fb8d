/* The VolumeDriver calls for volumes that are requests (api/tunnel.h). */
#ifndef API_SRC_TUNNEL_H
#define API_SRC_TUNNEL_H

#include <stdbool.h>

#include "api/api.h"

struct json_object;

/* Whether `name` is one that only requests may have. */
bool hv_tunnel_is_name(const char *name);

/* Answer the request in `opts`, whatever the answer is, and keep it.
 * Returns HV_OK, HV_BAD_REQUEST, HV_DENIED, HV_BUSY (too many at once), HV_INTERNAL. */
enum hv_code hv_tunnel_create(
	struct hv_api *api, const char *name, const struct hv_opts *opts, struct hv_error *err);

/* Whether there is such a request. */
bool hv_tunnel_has(struct hv_api *api, const char *name);

/* Fill `volume` as VolumeDriver.Get does; Status has "reply", the answer as text, and "status". */
enum hv_code hv_tunnel_get(
	struct hv_api *api, const char *name, struct json_object *volume, struct hv_error *err);

/* Forget it; one that is not there is fine. */
void hv_tunnel_remove(struct hv_api *api, const char *name);

#endif

/* Docker's own calls: Plugin.Activate and VolumeDriver.*. */
#ifndef API_DRIVER_CALLS_H
#define API_DRIVER_CALLS_H

#include "endpoint.h"

enum hv_code hv_call_activate(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_capabilities(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_create(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_remove(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_mount(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_unmount(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_path(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_get(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_list(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);

#endif

/* The calls of the companion command: /Hot*. */
#ifndef API_HOT_CALLS_H
#define API_HOT_CALLS_H

#include "endpoint.h"

enum hv_code hv_call_hot_attach(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_hot_detach(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_hot_list(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_hot_check(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_hot_set(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_call_hot_info(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);

#endif

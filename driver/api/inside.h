/* The calls behind the endpoints, and what they build replies with. */
#ifndef API_INSIDE_H
#define API_INSIDE_H

#include "api/api.h"

struct json_object;

struct hv_request {
	const char *body;
	size_t size;
	pid_t client;               /* as in struct hv_http_request */
	struct hv_mounted *mounted; /* for Mount to fill */
};

/* A call: fills `reply`, a JSON object, or fails with the sentence in `err`. */
typedef enum hv_code (*hv_call)(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);

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

/* Add what Docker shows of a volume: Name, Mountpoint, CreatedAt, Status. */
enum hv_code hv_add_volume(struct hv_api *api, const struct hv_volume *volume,
	const char *mountpoint, struct json_object *object, struct hv_error *err);

#endif

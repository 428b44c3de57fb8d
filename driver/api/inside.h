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

/* Add a member; takes over `value`, which NULL (ENOMEM) makes HV_INTERNAL. */
enum hv_code hv_add(struct json_object *object, const char *name, struct json_object *value,
	struct hv_error *err);

/* Add a string member; NULL text is left out. */
enum hv_code hv_add_text(
	struct json_object *object, const char *name, const char *text, struct hv_error *err);

/* Append to an array; as hv_add. */
enum hv_code hv_append(struct json_object *array, struct json_object *value, struct hv_error *err);

/* Add what Docker shows of a volume: Name, Mountpoint, CreatedAt, Status. */
enum hv_code hv_add_volume(struct hv_api *api, const struct hv_volume *volume,
	const char *mountpoint, struct json_object *object, struct hv_error *err);

/* Have the hint name commands that a user of Podman has: podman for docker, docker-hostvol for
 * docker hostvol.  Without memory it stays. */
void hv_hint_podman(struct hv_error *err);

/* The body of a failed call.  With `fold_hint` the hint stands in Err, for clients that show
 * nothing else: the Engine's. */
char *hv_error_body(const struct hv_error *err, bool fold_hint);

#endif

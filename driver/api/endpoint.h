/* What is asked of an endpoint, and the call that answers it. */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include "api/api.h"

struct json_object;

struct hv_request {
	const char *body;
	size_t size;
	pid_t client;               /* as in struct hv_http_request */
	struct hv_mounted *mounted; /* for Mount to fill */
	/* What the body says, where it is Docker's on one volume; else NULL.  A call may take of
	 * it. */
	struct hv_driver_request *in;
};

/* A call: fills `reply`, a JSON object, or fails with the sentence in `err`. */
typedef enum hv_code (*hv_call)(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);

#endif

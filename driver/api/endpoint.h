/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint: the request, the call that answers it, and the steps before and after. */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include "api/api.h"

struct json_object;

struct hv_request {
	const char *body;
	size_t size;
	pid_t client;               /* as in struct hv_http_request */
	struct hv_mounted *mounted; /* for Mount to fill */
	/* The parsed body with HV_NAMES_VOLUME, else NULL.  A call may take its members. */
	struct hv_driver_request *in;
};

/* A call: fills `reply`, a JSON object, or fails with the sentence in `err`. */
typedef enum hv_code (*hv_call)(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err);

enum {
	HV_NEEDS_STATE = 1,
	/* With state that cannot be read the Engine must get no answer at all: an error from Get
	 * makes it forget its record of the volume. */
	HV_HANGS_UP = 2,
	/* The same for every failure that is not a definite "no": memory that ran out, for example.
	 */
	HV_IS_SURE = 8,
	/* Docker's own calls: the user sees Err and nothing else. */
	HV_FOLDS_HINT = 4,
	/* The body is a struct hv_driver_request. */
	HV_NAMES_VOLUME = 16,
	/* It is asked for with GET, and answered in text: the one of metrics.h, without a call. */
	HV_IS_TEXT = 32,
};

/* A row of a table that ends with a NULL path. */
struct hv_endpoint {
	const char *path;
	hv_call call;
	unsigned flags;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about rules. */
#ifndef API_RULE_CALLS_H
#define API_RULE_CALLS_H

#include "endpoint.h"

extern const struct hv_endpoint hv_rule_endpoints[];

/* Whether a request to attach names a container or a selector, and not both.
 * Returns HV_OK or HV_BAD_REQUEST. */
enum hv_code hv_attach_request_check(const struct hv_attach_request *in, struct hv_error *err);

/* Answer requests that name a selector, or the ID of a rule. */
enum hv_code hv_answer_rule_attach(struct hv_api *api, const struct hv_attach_request *in,
	struct json_object *reply, struct hv_error *err);
enum hv_code hv_answer_rule_check(struct hv_api *api, const struct hv_attach_request *in,
	struct json_object *checks, struct hv_error *err);
enum hv_code hv_answer_rule_detach(struct hv_api *api, const struct hv_detach_request *in,
	struct json_object *reply, struct hv_error *err);

#endif

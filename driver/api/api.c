/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include <json-c/json.h>
#include <string.h>

#include "wire/metrics.h"

#include "driver_calls.h"
#include "endpoint.h"
#include "hot_calls.h"
#include "metrics.h"
#include "reply.h"
#include "rule_calls.h"
#include "tunnel.h"

static const char text_type[] = "text/plain; version=0.0.4; charset=utf-8";

/* Each ended by one without a path. */
static const struct hv_endpoint *const tables[] = {
	hv_driver_endpoints, hv_hot_endpoints, hv_rule_endpoints, hv_metrics_endpoints};

static const struct hv_endpoint *find_endpoint(const char *path)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct hv_endpoint *at = tables[i]; at->path; at++)
			if (strcmp(at->path, path) == 0)
				return at;
	return NULL;
}

static const char *methods_of(const struct hv_endpoint *endpoint)
{
	return endpoint->flags & HV_IS_TEXT ? "GET, HEAD" : "POST";
}

/* An answer to HEAD is one to GET, of which libmicrohttpd leaves out the body. */
static bool takes(const struct hv_endpoint *endpoint, const char *method)
{
	if (!(endpoint->flags & HV_IS_TEXT))
		return strcmp(method, "POST") == 0;
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* The tunnel stands before the calls: the volume may be a request. */
static enum hv_code call_on_volume(struct hv_api *api, const struct hv_endpoint *endpoint,
	const struct hv_request *request, struct json_object *reply, struct hv_error *err)
{
	hv_auto_driver_request struct hv_driver_request in = {0};
	struct hv_request named = *request;
	hv_tunnel_call tunnel;

	if (hv_fields_read(request->body, request->size, hv_driver_request_fields,
		    HV_UNKNOWN_IGNORE, &in, err) != HV_OK)
		return err->code;
	tunnel = hv_tunnel_find(api, endpoint->path, &in);
	if (tunnel)
		return tunnel(api, &in, hv_api_handle, reply, err);
	named.in = &in;
	return endpoint->call(api, &named, reply, err);
}

/* Run the call with an object to fill; "Err" stands in every answer. */
static enum hv_code run(struct hv_api *api, const struct hv_endpoint *endpoint,
	const struct hv_request *request, struct hv_reply *ret)
{
	hv_auto_json struct json_object *object = json_object_new_object();
	enum hv_code code;

	if (!object)
		return hv_oom(&ret->err);
	if (hv_add_text(object, "Err", "", &ret->err) != HV_OK)
		return ret->err.code;
	if (endpoint->flags & HV_NAMES_VOLUME)
		code = call_on_volume(api, endpoint, request, object, &ret->err);
	else
		code = endpoint->call(api, request, object, &ret->err);
	if (code == HV_OK)
		ret->body = strdup(json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return code;
}

static enum hv_code run_text(struct hv_api *api, struct hv_reply *ret)
{
	ret->body = hv_metrics_format(api);
	if (!ret->body)
		return hv_oom(&ret->err);
	ret->type = text_type;
	return HV_OK;
}

/* Check everything that can be checked before the call, then call. */
static enum hv_code dispatch(struct hv_api *api, const struct hv_endpoint *endpoint,
	const char *method, const struct hv_request *request, struct hv_reply *ret)
{
	enum hv_code code;

	if (!takes(endpoint, method))
		return hv_fail(&ret->err, HV_BAD_REQUEST, "%s is called with %s, not %.16s",
			endpoint->path, methods_of(endpoint), method);
	if (endpoint->flags & HV_IS_TEXT)
		return run_text(api, ret);
	code = endpoint->flags & HV_NEEDS_STATE ? api->open_state(api->context, &ret->err) : HV_OK;
	return code == HV_OK ? run(api, endpoint, request, ret) : code;
}

/* Whether the Engine would take this failure for more than it says. */
static bool is_unsure(unsigned flags, enum hv_code code, size_t body_size)
{
	if (code == HV_OK || code == HV_NO_SUCH_VOLUME || (code == HV_BAD_REQUEST && body_size > 0))
		return false;
	return (flags & HV_IS_SURE) || ((flags & HV_HANGS_UP) && code == HV_STATE_UNREADABLE);
}

void hv_api_handle(struct hv_api *api, const struct hv_http_request *http, struct hv_reply *ret)
{
	const struct hv_endpoint *endpoint = find_endpoint(http->path);
	const struct hv_request request = {
		.body = http->body,
		.size = http->size,
		.client = http->client,
		.mounted = &ret->mounted,
	};
	unsigned flags = endpoint ? endpoint->flags : 0;
	enum hv_code code;

	*ret = (struct hv_reply){0};
	if (endpoint)
		code = dispatch(api, endpoint, http->method, &request, ret);
	else
		code = hv_fail(
			&ret->err, HV_NO_SUCH_ENDPOINT, "no such endpoint: %.64s", http->path);
	ret->status = hv_code_status(code);
	if (endpoint && !takes(endpoint, http->method)) {
		ret->status = 405;
		ret->allow = methods_of(endpoint);
	}
	ret->hang_up = is_unsure(flags, code, http->size) && !ret->allow;
	if (code != HV_OK && ret->err.hint && hv_engine_is_known_as_podman(api->engine))
		hv_hint_podman(&ret->err);
	if (code != HV_OK && !ret->hang_up)
		ret->body = hv_error_body(&ret->err, flags & HV_FOLDS_HINT);
	hv_request_add(endpoint ? endpoint->path : NULL, code);
}

void hv_api_refuse_path(struct hv_reply *ret, const char *path)
{
	*ret = (struct hv_reply){0};
	hv_fail(&ret->err, HV_NO_SUCH_ENDPOINT, "no such endpoint: %.64s", path);
	ret->status = hv_code_status(HV_NO_SUCH_ENDPOINT);
	ret->body = hv_error_body(&ret->err, false);
}

void hv_api_refuse_size(struct hv_reply *ret, size_t limit)
{
	*ret = (struct hv_reply){0};
	hv_fail(&ret->err, HV_BAD_REQUEST, "the request body is longer than %zu bytes", limit);
	ret->status = 413;
	ret->body = hv_error_body(&ret->err, false);
	hv_request_add(NULL, HV_BAD_REQUEST);
}

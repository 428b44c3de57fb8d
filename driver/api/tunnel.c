/* SPDX-License-Identifier: Apache-2.0 */
#include "api/tunnel.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/clock.h"

#include "reply.h"
#include "tunnel.h"

static const char prefix[] = "hostvol-request-";

static void item_done(struct hv_tunnelled *item)
{
	free(item->name);
	free(item->body);
	*item = (struct hv_tunnelled){0};
}

void hv_tunnel_done(struct hv_tunnel *tunnel)
{
	for (size_t i = 0; i < HV_TUNNEL_MAX; i++)
		item_done(&tunnel->items[i]);
	pthread_mutex_destroy(&tunnel->lock);
}

/* Whether `name` is one that only requests may have. */
static bool is_name(const char *name)
{
	return strncmp(name, prefix, sizeof(prefix) - 1) == 0;
}

/* Drop the answers that nobody fetched in a minute.  With the lock held, like all functions up to
 * create(). */
static void forget_old(struct hv_tunnel *tunnel)
{
	time_t old = hv_clock_seconds() - HV_TUNNEL_SECONDS;

	for (size_t i = 0; i < HV_TUNNEL_MAX; i++)
		if (tunnel->items[i].name && tunnel->items[i].body && tunnel->items[i].since < old)
			item_done(&tunnel->items[i]);
}

static struct hv_tunnelled *find(struct hv_tunnel *tunnel, const char *name)
{
	forget_old(tunnel);
	for (size_t i = 0; i < HV_TUNNEL_MAX; i++)
		if (tunnel->items[i].name && strcmp(tunnel->items[i].name, name) == 0)
			return &tunnel->items[i];
	return NULL;
}

static struct hv_tunnelled *find_free(struct hv_tunnel *tunnel)
{
	for (size_t i = 0; i < HV_TUNNEL_MAX; i++)
		if (!tunnel->items[i].name)
			return &tunnel->items[i];
	return NULL;
}

/* Take the name.  `ret_is_known`: it was asked before; the Engine repeats what got no answer. */
static enum hv_code take(
	struct hv_tunnel *tunnel, const char *name, bool *ret_is_known, struct hv_error *err)
{
	struct hv_tunnelled *item;
	enum hv_code code = HV_OK;

	pthread_mutex_lock(&tunnel->lock);
	*ret_is_known = find(tunnel, name) != NULL;
	item = *ret_is_known ? NULL : find_free(tunnel);
	if (item) {
		item->name = strdup(name);
		item->since = hv_clock_seconds();
	}
	if (!*ret_is_known && !item)
		code = hv_fail(err, HV_BUSY, "too many requests come through the Engine at once");
	else if (item && !item->name)
		code = hv_oom(err);
	pthread_mutex_unlock(&tunnel->lock);
	return code;
}

/* Keep the answer until it is fetched; without an answer, drop the request. */
static void keep(struct hv_tunnel *tunnel, const char *name, struct hv_reply *reply)
{
	struct hv_tunnelled *item;

	pthread_mutex_lock(&tunnel->lock);
	item = find(tunnel, name);
	if (item) {
		item->body = reply->body;
		item->status = reply->status;
		reply->body = NULL;
		if (!item->body)
			item_done(item);
	}
	pthread_mutex_unlock(&tunnel->lock);
}

/* The endpoints for the companion command: none of these creates or deletes a volume. */
static bool is_hot(const char *endpoint)
{
	return strncmp(endpoint, "/Hot", 4) == 0 || strcmp(endpoint, "/VolumeDriver.List") == 0;
}

static enum hv_code parse(const char *text, struct json_object **ret_endpoint,
	struct json_object **ret_body, struct json_object **ret, struct hv_error *err)
{
	*ret = json_tokener_parse(text);
	if (json_object_is_type(*ret, json_type_object) &&
		json_object_object_get_ex(*ret, "Endpoint", ret_endpoint) &&
		json_object_is_type(*ret_endpoint, json_type_string) &&
		is_hot(json_object_get_string(*ret_endpoint)) &&
		json_object_object_get_ex(*ret, "Body", ret_body) &&
		json_object_is_type(*ret_body, json_type_object) &&
		json_object_object_length(*ret) == 2)
		return HV_OK;
	return hv_fail(err, HV_BAD_REQUEST,
		"option request is not {\"Endpoint\": \"/Hot...\", \"Body\": {...}}");
}

/* The Engine gives up on a call after 30 seconds: a longer wait could detach after the client is
 * gone.  A client that wants to wait longer asks again. */
static void shorten_wait(struct json_object *request)
{
	struct json_object *wait = NULL;

	if (json_object_object_get_ex(request, "WaitSeconds", &wait) &&
		json_object_is_type(wait, json_type_int) &&
		json_object_get_int64(wait) > HV_TUNNEL_WAIT_SECONDS)
		json_object_set_int64(wait, HV_TUNNEL_WAIT_SECONDS);
}

static void answer(struct hv_api *api, const char *name, struct json_object *endpoint,
	struct json_object *request, hv_handler handle)
{
	struct hv_reply reply = {0};
	struct hv_http_request http = {
		.method = "POST",
		.path = json_object_get_string(endpoint),
	};

	shorten_wait(request);
	http.body = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	http.size = strlen(http.body);
	handle(api, &http, &reply);
	keep(&api->tunnel, name, &reply);
	hv_reply_done(&reply);
}

static enum hv_code create(struct hv_api *api, const struct hv_driver_request *in,
	hv_handler handle, struct json_object *reply, struct hv_error *err)
{
	const char *text = hv_opts_get(&in->opts, "request");
	hv_auto_json struct json_object *request = NULL;
	struct json_object *endpoint = NULL, *body = NULL;
	bool is_known = false;

	(void)reply;
	if (api->tunnel.is_denied) {
		hv_fail(err, HV_DENIED, "requests through the Docker Engine are switched off");
		return hv_hint(err, "ask the administrator to set HOSTVOL_REMOTE_ATTACH=allow");
	}
	if (!is_name(in->name) || !text || in->opts.count != 1)
		return hv_fail(err, HV_BAD_REQUEST,
			"option request stands alone, for a volume that is called %s...; nothing else may be called so",
			prefix);
	if (parse(text, &endpoint, &body, &request, err) != HV_OK ||
		take(&api->tunnel, in->name, &is_known, err) != HV_OK)
		return err->code;
	if (!is_known)
		answer(api, in->name, endpoint, body, handle);
	return HV_OK;
}

static enum hv_code tell(
	const struct hv_tunnelled *item, struct json_object *status, struct hv_error *err)
{
	/* As text: the Engine would sort an object's members. */
	if (hv_add_text(status, "reply", item->body, err) != HV_OK)
		return err->code;
	return hv_add(status, "status", json_object_new_int64(item->status), err);
}

static enum hv_code get(struct hv_api *api, const struct hv_driver_request *in, hv_handler handle,
	struct json_object *reply, struct hv_error *err)
{
	struct json_object *volume = json_object_new_object(), *status;
	struct hv_tunnelled *item;
	enum hv_code code;

	(void)handle;
	if (hv_add(reply, "Volume", volume, err) != HV_OK)
		return err->code;
	status = json_object_new_object();
	if (hv_add(volume, "Status", status, err) != HV_OK)
		return err->code;
	pthread_mutex_lock(&api->tunnel.lock);
	item = find(&api->tunnel, in->name);
	code = item ? tell(item, status, err)
		    : hv_fail(err, HV_NO_SUCH_VOLUME, "no such volume: %s", in->name);
	pthread_mutex_unlock(&api->tunnel.lock);
	if (code != HV_OK || hv_add_text(volume, "Name", in->name, err) != HV_OK)
		return err->code;
	return hv_add_text(volume, "Mountpoint", "", err);
}

static enum hv_code path(struct hv_api *api, const struct hv_driver_request *in, hv_handler handle,
	struct json_object *reply, struct hv_error *err)
{
	(void)api;
	(void)in;
	(void)handle;
	return hv_add_text(reply, "Mountpoint", "", err);
}

static enum hv_code forget(struct hv_api *api, const struct hv_driver_request *in,
	hv_handler handle, struct json_object *reply, struct hv_error *err)
{
	struct hv_tunnelled *item;

	(void)handle;
	(void)reply;
	(void)err;
	pthread_mutex_lock(&api->tunnel.lock);
	item = find(&api->tunnel, in->name);
	if (item && item->body)
		item_done(item);
	pthread_mutex_unlock(&api->tunnel.lock);
	return HV_OK;
}

static bool has(struct hv_tunnel *tunnel, const char *name)
{
	bool is_there;

	pthread_mutex_lock(&tunnel->lock);
	is_there = find(tunnel, name) != NULL;
	pthread_mutex_unlock(&tunnel->lock);
	return is_there;
}

static hv_tunnel_call find_call(const char *endpoint)
{
	static const struct {
		const char *endpoint;
		hv_tunnel_call call;
	} calls[] = {
		{"/VolumeDriver.Create", create},
		{"/VolumeDriver.Get", get},
		{"/VolumeDriver.Path", path},
		{"/VolumeDriver.Remove", forget},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].endpoint, endpoint) == 0)
			return calls[i].call;
	return NULL;
}

hv_tunnel_call hv_tunnel_find(
	struct hv_api *api, const char *endpoint, const struct hv_driver_request *in)
{
	const hv_tunnel_call call = find_call(endpoint);
	bool is_request = false;

	if (call == create)
		is_request = is_name(in->name) || hv_opts_get(&in->opts, "request");
	else if (call)
		is_request = has(&api->tunnel, in->name);
	return is_request ? call : NULL;
}

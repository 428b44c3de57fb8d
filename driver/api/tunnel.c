/* SPDX-License-Identifier: Apache-2.0 */
#include "api/tunnel.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/clock.h"
#include "wire/lock.h"
#include "wire/text.h"
#include "wire/tunnel.h"

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

/* A free item; else the oldest whose answer was told already, and is kept for a repetition only. */
static struct hv_tunnelled *find_free(struct hv_tunnel *tunnel)
{
	struct hv_tunnelled *oldest = NULL;

	for (size_t i = 0; i < HV_TUNNEL_MAX; i++) {
		struct hv_tunnelled *item = &tunnel->items[i];

		if (!item->name)
			return item;
		if (item->as_error && item->body && (!oldest || item->since < oldest->since))
			oldest = item;
	}
	if (oldest)
		item_done(oldest);
	return oldest;
}

/* Take the name.  `ret_is_known`: it was asked before; the Engine repeats what got no answer. */
static enum hv_code take(struct hv_tunnel *tunnel, const char *name, bool as_error,
	bool *ret_is_known, struct hv_error *err)
{
	struct hv_tunnelled *item;
	enum hv_code code = HV_OK;

	pthread_mutex_lock(&tunnel->lock);
	*ret_is_known = find(tunnel, name) != NULL;
	item = *ret_is_known ? NULL : find_free(tunnel);
	if (item) {
		item->name = strdup(name);
		item->since = hv_clock_seconds();
		item->as_error = as_error;
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
		item->since = hv_clock_seconds(); /* the answer may have taken long */
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

#define auto_request HV_AUTO(request_done)
struct request {
	struct json_object *object; /* to be put */
	struct json_object *endpoint;
	struct json_object *body;
	bool as_error; /* the answer is the error of Create */
};

static void request_done(struct request *request)
{
	json_object_put(request->object);
}

/* Returns how many members say where the answer goes, or -EINVAL. */
static int parse_answer(struct request *request)
{
	struct json_object *answer = NULL;

	if (!json_object_object_get_ex(request->object, "Answer", &answer))
		return 0;
	request->as_error = json_object_is_type(answer, json_type_string) &&
			    strcmp(json_object_get_string(answer), "error") == 0;
	return request->as_error ? 1 : -EINVAL;
}

static enum hv_code parse(const char *text, struct request *ret, struct hv_error *err)
{
	int more;

	ret->object = json_tokener_parse(text);
	more = json_object_is_type(ret->object, json_type_object) ? parse_answer(ret) : -EINVAL;
	if (more >= 0 && json_object_object_get_ex(ret->object, "Endpoint", &ret->endpoint) &&
		json_object_is_type(ret->endpoint, json_type_string) &&
		is_hot(json_object_get_string(ret->endpoint)) &&
		json_object_object_get_ex(ret->object, "Body", &ret->body) &&
		json_object_is_type(ret->body, json_type_object) &&
		json_object_object_length(ret->object) == 2 + more)
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

/* An answer that no error can carry is the refusal of a question; of a change it would tell that
 * nothing was done, so there is a short one in its place.  On ENOMEM it stays. */
static void shorten(const char *endpoint, struct hv_reply *reply)
{
	bool is_change = strcmp(endpoint, "/HotAttach") == 0 || strcmp(endpoint, "/HotDetach") == 0;
	size_t size = reply->body ? strlen(reply->body) : 0;
	char *body;

	if (!is_change || reply->status != 200 || size <= HV_TUNNEL_ERROR_MAX)
		return;
	body = hv_text_format(
		"{\"Err\":\"\",\"Note\":\"it is done; the answer has %zu bytes, which "
		"is more than an error can carry\"}",
		size);
	if (!body)
		return;
	free(reply->body);
	reply->body = body;
}

static void answer(
	struct hv_api *api, const char *name, const struct request *asked, hv_handler handle)
{
	struct json_object *request = asked->body;
	struct hv_reply reply = {0};
	struct hv_http_request http = {
		.method = "POST",
		.path = json_object_get_string(asked->endpoint),
	};

	shorten_wait(request);
	http.body = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	http.size = strlen(http.body);
	handle(api, &http, &reply);
	if (asked->as_error)
		shorten(http.path, &reply);
	keep(&api->tunnel, name, &reply);
	hv_reply_done(&reply);
}

/* The answer as the error that the Engine shows, in the place of "Err".  With the lock held. */
static enum hv_code tell_as_error(
	const struct hv_tunnelled *item, struct json_object *reply, struct hv_error *err)
{
	hv_auto_free char *text = NULL;

	if (!item->body)
		return hv_fail(err, HV_BUSY, "the request is still being answered");
	if (strlen(item->body) > HV_TUNNEL_ERROR_MAX)
		return hv_fail(err, HV_UNSUPPORTED,
			"the answer has %zu bytes, which is more than an error can carry",
			strlen(item->body));
	text = hv_text_format(HV_TUNNEL_ANSWER "%u %s", item->status, item->body);
	return text ? hv_add_text(reply, "Err", text, err) : hv_oom(err);
}

static enum hv_code find_and_tell(
	struct hv_tunnel *tunnel, const char *name, struct json_object *reply, struct hv_error *err)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&tunnel->lock);
	struct hv_tunnelled *item = find(tunnel, name);

	if (!item)
		return hv_fail(err, HV_INTERNAL, "there is no answer to the request");
	return tell_as_error(item, reply, err);
}

static enum hv_code create(struct hv_api *api, const struct hv_driver_request *in,
	hv_handler handle, struct json_object *reply, struct hv_error *err)
{
	const char *text = hv_opts_get(&in->opts, "request");
	auto_request struct request request = {0};
	bool is_known = false;

	if (api->tunnel.is_denied) {
		hv_fail(err, HV_DENIED, "requests through the Docker Engine are switched off");
		return hv_hint(err, "ask the administrator to set HOSTVOL_REMOTE_ATTACH=allow");
	}
	if (!is_name(in->name) || !text || in->opts.count != 1)
		return hv_fail(err, HV_BAD_REQUEST,
			"option request stands alone, for a volume that is called %s...; nothing else may be called so",
			prefix);
	if (parse(text, &request, err) != HV_OK ||
		take(&api->tunnel, in->name, request.as_error, &is_known, err) != HV_OK)
		return err->code;
	if (!is_known)
		answer(api, in->name, &request, handle);
	return request.as_error ? find_and_tell(&api->tunnel, in->name, reply, err) : HV_OK;
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

/* A task of a Swarm service mounts it: the status of the task tells the answer. */
static enum hv_code mount(struct hv_api *api, const struct hv_driver_request *in, hv_handler handle,
	struct json_object *reply, struct hv_error *err)
{
	(void)handle;
	return find_and_tell(&api->tunnel, in->name, reply, err);
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

/* A request whose answer is an error is no volume: the Engine, started anew, would not create it
 * again. */
static bool has(struct hv_tunnel *tunnel, const char *name)
{
	const struct hv_tunnelled *item;
	bool is_there;

	pthread_mutex_lock(&tunnel->lock);
	item = find(tunnel, name);
	is_there = item && !item->as_error;
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
		{"/VolumeDriver.Mount", mount},
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/carrier.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "wire/text.h"

#include "cli/document.h"

/* Of no image: should a node make a container all the same, it has nothing to run. */
#define NO_IMAGE "sha256:0000000000000000000000000000000000000000000000000000000000000000"

enum { CONFLICT = 409, TRIES = 3 };

static bool add(struct json_object *object, const char *key, struct json_object *value)
{
	return object && value && json_object_object_add(object, key, value) == 0;
}

static bool add_text(struct json_object *object, const char *key, const char *text)
{
	return add(object, key, json_object_new_string(text));
}

/* A new object at `key`, borrowed; NULL on ENOMEM. */
static struct json_object *add_object(struct json_object *object, const char *key)
{
	struct json_object *value = json_object_new_object();

	return add(object, key, value) ? value : NULL;
}

static bool add_request(struct json_object *options, const struct hv_call *call)
{
	hv_auto_json struct json_object *request = json_object_new_object();

	if (!add_text(request, "Endpoint", call->endpoint) ||
		!add_text(request, "Answer", "error") ||
		!add(request, "Body",
			call->body ? json_object_get(call->body) : json_object_new_object()))
		return false;
	return add_text(options, "request",
		json_object_to_json_string_ext(
			request, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* The list of mounts, with one. */
static bool add_mount(
	struct json_object *container, const struct hv_swarm *swarm, const struct hv_call *call)
{
	struct json_object *list = json_object_new_array(), *mount = json_object_new_object();
	struct json_object *options, *driver;

	if (!add(container, "Mounts", list) || json_object_array_add(list, mount) < 0)
		return false;
	options = add_object(mount, "VolumeOptions");
	driver = add_object(options, "DriverConfig");
	return add_text(mount, "Type", "volume") && add_text(mount, "Target", "/hostvol") &&
	       add_text(driver, "Name", swarm->driver) &&
	       add_request(add_object(driver, "Options"), call);
}

/* All nodes at once, and a failure, as each answer is one, stops nothing. */
static bool add_modes(
	struct json_object *spec, struct json_object *task, struct json_object *constraints)
{
	struct json_object *update = add_object(spec, "UpdateConfig");

	return add_object(add_object(spec, "Mode"), "Global") &&
	       add(update, "Parallelism", json_object_new_int(0)) &&
	       add_text(update, "FailureAction", "continue") &&
	       add_text(add_object(task, "RestartPolicy"), "Condition", "none") &&
	       add(add_object(task, "Placement"), "Constraints",
		       constraints ? json_object_get(constraints) : json_object_new_array());
}

struct json_object *hv_carrier_spec(const struct hv_swarm *swarm, const struct hv_carrier *carrier)
{
	hv_auto_json struct json_object *spec = json_object_new_object();
	struct json_object *task = add_object(spec, "TaskTemplate");
	struct json_object *container = add_object(task, "ContainerSpec");

	if (!add_text(spec, "Name", carrier->name) ||
		!add(spec, "Labels", json_object_get(carrier->labels)) ||
		!add_text(container, "Image", NO_IMAGE) ||
		!add_mount(container, swarm, carrier->call) ||
		!add_modes(spec, task, carrier->constraints))
		return NULL;
	return json_object_get(spec);
}

/* The only mount of a service's or a task's Spec, borrowed; NULL: it has none. */
static struct json_object *find_mount(struct json_object *template)
{
	struct json_object *container =
		hv_document_get(template, "ContainerSpec", json_type_object);
	struct json_object *mounts = hv_document_get(container, "Mounts", json_type_array);

	return mounts && json_object_array_length(mounts) > 0 ? json_object_array_get_idx(mounts, 0)
							      : NULL;
}

struct json_object *hv_carrier_body(struct json_object *service)
{
	struct json_object *spec = hv_document_get(service, "Spec", json_type_object);
	struct json_object *mount =
		find_mount(hv_document_get(spec, "TaskTemplate", json_type_object));
	struct json_object *options = hv_document_get(mount, "VolumeOptions", json_type_object);
	struct json_object *driver = hv_document_get(options, "DriverConfig", json_type_object);
	const char *text =
		hv_document_text(hv_document_get(driver, "Options", json_type_object), "request");
	hv_auto_json struct json_object *request =
		text ? hv_document_parse(text, strlen(text), json_type_object) : NULL;

	return json_object_get(hv_document_get(request, "Body", json_type_object));
}

void hv_carried_done(struct hv_carried *carried)
{
	free(carried->id);
	free(carried->volume);
	*carried = (struct hv_carried){0};
}

/* A request of the same name would be taken for a repetition. */
static enum hv_code name_request(struct json_object *spec, char **ret, struct hv_error *err)
{
	struct json_object *mount =
		find_mount(hv_document_get(spec, "TaskTemplate", json_type_object));
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return hv_fail(err, HV_INTERNAL, "no random number for the request");
	*ret = hv_text_format("hostvol-request-%016" PRIx64, number);
	return *ret && add_text(mount, "Source", *ret) ? HV_OK : hv_oom(err);
}

static enum hv_code create(const struct hv_swarm *swarm, struct json_object *spec,
	struct hv_carried *ret, struct hv_error *err)
{
	const struct hv_swarm_request request = {
		"POST", strdup("/services/create"), spec, "create the service that asks the nodes"};
	hv_auto_json struct json_object *answer = NULL;
	long status = 0;
	const char *id;

	if (hv_swarm_ask(swarm, &request, &answer, &status, err) != HV_OK) {
		if (status == CONFLICT)
			err->code = HV_TARGET_EXISTS;
		return err->code;
	}
	id = hv_document_text(answer, "ID");
	if (!id)
		return hv_fail(err, HV_INTERNAL, "the Docker Engine tells no ID of the service");
	ret->id = strdup(id);
	return ret->id ? HV_OK : hv_oom(err);
}

static enum hv_code read_version(
	const struct hv_swarm *swarm, const char *id, int64_t *ret, struct hv_error *err)
{
	hv_auto_json struct json_object *service = NULL;
	struct json_object *version;
	long status = 0;

	if (hv_swarm_inspect(swarm, id, &service, &status, err) != HV_OK)
		return err->code;
	version = hv_document_get(service, "Version", json_type_object);
	*ret = json_object_get_int64(json_object_object_get(version, "Index"));
	return HV_OK;
}

/* Another client may update it in between, or Swarm itself. */
static enum hv_code update(const struct hv_swarm *swarm, const char *id, struct json_object *spec,
	struct hv_carried *ret, struct hv_error *err)
{
	enum hv_code code = HV_INTERNAL;

	for (int i = 0; code != HV_OK && i < TRIES; i++) {
		hv_auto_json struct json_object *answer = NULL;
		struct hv_swarm_request request = {
			"POST", NULL, spec, "update the service that asks the nodes"};
		int64_t version = 0;
		long status = 0;

		hv_error_done(err);
		if (read_version(swarm, id, &version, err) != HV_OK)
			return err->code;
		request.path = hv_text_format("/services/%s/update?version=%" PRId64, id, version);
		code = hv_swarm_ask(swarm, &request, &answer, &status, err);
	}
	if (code != HV_OK)
		return code;
	ret->id = strdup(id);
	return ret->id ? HV_OK : hv_oom(err);
}

bool hv_carrier_has_request(struct json_object *service, const char *volume)
{
	struct json_object *spec = hv_document_get(service, "Spec", json_type_object);
	const char *source = hv_document_text(
		find_mount(hv_document_get(spec, "TaskTemplate", json_type_object)), "Source");

	return source && strcmp(source, volume) == 0;
}

void hv_carrier_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
}

/* They are asked for in between, by hv_replies_wait(). */
static void hold_signals(void)
{
	sigset_t set;

	hv_carrier_signals(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

enum hv_code hv_carrier_send(const struct hv_swarm *swarm, const char *id, struct json_object *spec,
	struct hv_carried *ret, struct hv_error *err)
{
	hold_signals();
	if (name_request(spec, &ret->volume, err) != HV_OK)
		return err->code;
	return id ? update(swarm, id, spec, ret, err) : create(swarm, spec, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/swarm.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

#include "cli/daemon.h"
#include "cli/docker.h"
#include "cli/document.h"
#include "cli/endpoint.h"
#include "cli/engine.h"
#include "cli/http.h"
#include "cli/nearest.h"

/* The requests are short, and some are repeated: a manager may be restarted meanwhile. */
enum { TIMEOUT_SECONDS = 20, UNAVAILABLE = 503, NOT_FOUND = 404 };

void hv_swarm_done(struct hv_swarm *swarm)
{
	free(swarm->socket);
	free(swarm->driver);
	free(swarm->manager);
	json_object_put(swarm->services);
	*swarm = (struct hv_swarm){0};
}

enum hv_code hv_swarm_ask(const struct hv_swarm *swarm, const struct hv_swarm_request *request,
	struct json_object **ret, long *ret_status, struct hv_error *err)
{
	hv_auto_free char *path = request->path;
	const struct hv_engine_request sent = {swarm->socket, request->method, path, request->body,
		request->action, TIMEOUT_SECONDS};

	return path ? hv_engine_ask(&sent, ret, ret_status, err) : hv_oom(err);
}

/* A list, to be put. */
static enum hv_code list(const struct hv_swarm *swarm, const struct hv_swarm_request *request,
	struct json_object **ret, struct hv_error *err)
{
	hv_auto_json struct json_object *answer = NULL;
	long status = 0;

	if (hv_swarm_ask(swarm, request, &answer, &status, err) != HV_OK) {
		if (status == NOT_FOUND)
			err->code = HV_NO_SUCH_CONTAINER;
		return err->code;
	}
	if (!json_object_is_type(answer, json_type_array))
		return hv_fail(err, HV_INTERNAL, "the Docker Engine's answer is no list");
	*ret = json_object_get(answer);
	return HV_OK;
}

static enum hv_code take_info(
	struct json_object *info, struct hv_swarm *swarm, struct hv_error *err)
{
	struct json_object *about = hv_document_get(info, "Swarm", json_type_object);
	const char *state = hv_document_text(about, "LocalNodeState");
	struct json_object *managers = hv_document_get(about, "RemoteManagers", json_type_array);
	const char *address;

	if (!state || strcmp(state, "inactive") == 0 || !*state)
		return HV_OK;
	if (strcmp(state, "locked") == 0) {
		hv_fail(err, HV_UNSUPPORTED, "the swarm of this machine is locked");
		return hv_hint(err, "docker swarm unlock");
	}
	swarm->role = HV_SWARM_WORKER;
	if (!managers || json_object_array_length(managers) == 0)
		return HV_OK;
	address = hv_document_text(json_object_array_get_idx(managers, 0), "Addr");
	swarm->manager = address ? strndup(address, strcspn(address, ":")) : NULL;
	return HV_OK;
}

/* The Engine is no manager. */
static enum hv_code find_role(struct hv_swarm *swarm, struct hv_error *err)
{
	const struct hv_swarm_request request = {"GET", strdup("/info"), NULL, "tell what it is"};
	hv_auto_json struct json_object *info = NULL;
	long status = 0;

	if (hv_swarm_ask(swarm, &request, &info, &status, err) != HV_OK)
		return err->code;
	return take_info(info, swarm, err);
}

/* All requests go to the Engine's own socket. */
static enum hv_code refuse_remote(const struct hv_invocation *run, struct hv_error *err)
{
	const char *const words[] = {"info", "--format", "{{.Swarm.LocalNodeState}}", NULL};
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_free char *output = NULL;

	hv_error_done(err);
	if (hv_docker_run(&run->globals, words, &output, &ignored) != HV_OK ||
		strncmp(output, "active", strlen("active")) != 0)
		return HV_OK;
	hv_fail(err, HV_UNSUPPORTED,
		"the services of a swarm are reached on the machine of a manager only");
	return hv_hint(err, "run this there, for instance with ssh");
}

static char *find_driver(const struct hv_invocation *run)
{
	hv_auto_daemon struct hv_client daemon = {0};
	hv_auto_error struct hv_error ignored = {0};

	/* A manager may be without hostvol. */
	if (hv_client_find(&run->globals, &run->environment, &daemon, &ignored) != HV_OK)
		return strdup("hostvol");
	return strdup(daemon.driver);
}

enum hv_code hv_swarm_open(
	const struct hv_invocation *run, struct hv_swarm *ret, struct hv_error *err)
{
	const struct hv_swarm_request request = {
		"GET", strdup("/services"), NULL, "list the services"};
	long status = 0;
	enum hv_code code = HV_OK;

	if (!run->environment.hostvol_socket)
		code = hv_endpoint_resolve(&run->globals, &run->environment, &ret->socket, err);
	if (!ret->socket) {
		free(request.path);
		return code == HV_UNSUPPORTED ? refuse_remote(run, err) : code;
	}
	code = hv_swarm_ask(ret, &request, &ret->services, &status, err);
	if (status == NOT_FOUND || status == UNAVAILABLE) {
		bool is_none = status == NOT_FOUND || strstr(hv_error_text(err), "swarm init");

		hv_error_done(err);
		return is_none ? HV_OK : find_role(ret, err); /* which the Engine takes long for */
	}
	if (code != HV_OK)
		return code;
	if (!json_object_is_type(ret->services, json_type_array))
		return hv_fail(err, HV_INTERNAL, "the Docker Engine's answer is no list");
	ret->role = HV_SWARM_MANAGER;
	ret->driver = find_driver(run);
	return ret->driver ? HV_OK : hv_oom(err);
}

enum hv_code hv_swarm_refuse_worker(const struct hv_swarm *swarm, struct hv_error *err)
{
	hv_fail(err, HV_UNSUPPORTED,
		"this machine is a worker of a swarm, and its services are known to the managers");
	return hv_hint(
		err, "run this on a manager: %s", swarm->manager ? swarm->manager : "docker info");
}

const char *hv_service_text(struct json_object *service, const char *key)
{
	return hv_document_text(hv_document_get(service, "Spec", json_type_object), key);
}

const char *hv_service_label(struct json_object *service, const char *key)
{
	struct json_object *spec = hv_document_get(service, "Spec", json_type_object);

	return hv_document_text(hv_document_get(spec, "Labels", json_type_object), key);
}

struct json_object *hv_swarm_find_service(const struct hv_swarm *swarm, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(swarm->services); i++) {
		struct json_object *item = json_object_array_get_idx(swarm->services, i);
		const char *text = hv_service_text(item, "Name");

		if (text && strcmp(text, name) == 0)
			return item;
	}
	return NULL;
}

enum hv_code hv_swarm_get_service(const struct hv_swarm *swarm, const char *name,
	struct json_object **ret, struct hv_error *err)
{
	struct hv_nearest nearest = {.word = name, .length = strlen(name)};

	*ret = hv_swarm_find_service(swarm, name);
	if (*ret)
		return HV_OK;
	for (size_t i = 0; i < json_object_array_length(swarm->services); i++) {
		struct json_object *item = json_object_array_get_idx(swarm->services, i);
		const char *text = hv_service_text(item, "Name"),
			   *id = hv_document_text(item, "ID");

		if (text && id && strncmp(id, name, strlen(name)) == 0 && strlen(name) >= 12)
			nearest.name = text;
		else if (text && !hv_service_label(item, "hostvol.rule"))
			hv_nearest_add(&nearest, text);
	}
	hv_fail(err, HV_NO_SUCH_CONTAINER, "no such service: %s", name);
	if (nearest.name)
		return hv_hint(err, "did you mean: service:%s", nearest.name);
	return hv_hint(err, "list the services: docker service ls");
}

enum hv_code hv_swarm_inspect(const struct hv_swarm *swarm, const char *service,
	struct json_object **ret, long *ret_status, struct hv_error *err)
{
	const struct hv_swarm_request request = {
		"GET", hv_text_format("/services/%s", service), NULL, "tell about the service"};

	return hv_swarm_ask(swarm, &request, ret, ret_status, err);
}

enum hv_code hv_swarm_remove(const struct hv_swarm *swarm, const char *id, struct hv_error *err)
{
	const struct hv_swarm_request request = {
		"DELETE", hv_text_format("/services/%s", id), NULL, "remove the service"};
	hv_auto_json struct json_object *answer = NULL;
	long status = 0;

	if (hv_swarm_ask(swarm, &request, &answer, &status, err) == HV_OK || status != NOT_FOUND)
		return err->code;
	hv_error_done(err);
	return HV_OK;
}

enum hv_code hv_swarm_list_nodes(
	const struct hv_swarm *swarm, struct json_object **ret, struct hv_error *err)
{
	const struct hv_swarm_request request = {"GET", strdup("/nodes"), NULL, "list the nodes"};

	return list(swarm, &request, ret, err);
}

enum hv_code hv_swarm_list_tasks(const struct hv_swarm *swarm, const char *service,
	const char *other, struct json_object **ret, struct hv_error *err)
{
	hv_auto_free char *filter =
		other ? hv_text_format("{\"service\":[\"%s\",\"%s\"]}", service, other)
		      : hv_text_format("{\"service\":[\"%s\"]}", service);
	hv_auto_free char *escaped = filter ? hv_url_escape(filter) : NULL;
	struct hv_swarm_request request = {"GET", NULL, NULL, "list the tasks"};

	if (!escaped)
		return hv_oom(err);
	request.path = hv_text_format("/tasks?filters=%s", escaped);
	if (list(swarm, &request, ret, err) != HV_NO_SUCH_CONTAINER)
		return err->code;
	return hv_fail(
		err, HV_NO_SUCH_CONTAINER, "the service that asks the nodes was removed meanwhile");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tunnel.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "wire/text.h"

#include "cli/docker.h"
#include "cli/document.h"

static enum hv_code create(const struct hv_globals *globals, const char *driver, const char *name,
	const struct hv_call *call, struct hv_error *err)
{
	hv_auto_json struct json_object *request = json_object_new_object();
	hv_auto_free char *option = NULL;
	const char *words[] = {"volume", "create", "-d", driver, "-o", NULL, name, NULL};

	if (!request)
		return hv_oom(err);
	json_object_object_add(request, "Endpoint", json_object_new_string(call->endpoint));
	json_object_object_add(request, "Body",
		call->body ? json_object_get(call->body) : json_object_new_object());
	words[5] = option = hv_text_format(
		"request=%s", json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	return option ? hv_docker_run(globals, words, NULL, err) : hv_oom(err);
}

static enum hv_code read_answer(const struct hv_globals *globals, const char *name,
	struct json_object **ret_answer, long *ret_status, struct hv_error *err)
{
	const char *const words[] = {
		"volume", "inspect", "--format", "{{json .Status}}", name, NULL};
	hv_auto_json struct json_object *status = NULL;
	hv_auto_free char *output = NULL;
	struct json_object *number, *reply;
	const char *text;
	enum hv_code code = hv_docker_run(globals, words, &output, err);

	if (code != HV_OK)
		return code;
	status = hv_document_parse(output, strlen(output), json_type_object);
	text = hv_document_text(status, "reply");
	reply = text ? hv_document_parse(text, strlen(text), json_type_object) : NULL;
	if (!reply || !json_object_object_get_ex(status, "status", &number)) {
		json_object_put(reply);
		return hv_fail(err, HV_INTERNAL,
			"the hostvol daemon's answer did not come through the Docker Engine");
	}
	*ret_answer = reply;
	*ret_status = (long)json_object_get_int64(number);
	return HV_OK;
}

enum hv_code hv_tunnel_call(const struct hv_globals *globals, const char *driver,
	const struct hv_call *call, struct json_object **ret_answer, long *ret_status,
	struct hv_error *err)
{
	char name[64];
	const char *const forget[] = {"volume", "rm", name, NULL};
	hv_auto_error struct hv_error ignored = {0};
	uint64_t number;
	enum hv_code code;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return hv_fail(err, HV_INTERNAL, "no random number for the request");
	snprintf(name, sizeof(name), "hostvol-request-%016" PRIx64, number);
	if (create(globals, driver, name, call, err) != HV_OK)
		return err->code;
	code = read_answer(globals, name, ret_answer, ret_status, err);
	/* If this fails the daemon forgets it by itself. */
	(void)!hv_docker_run(globals, forget, NULL, &ignored);
	return code;
}

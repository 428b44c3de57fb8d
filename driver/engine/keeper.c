/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that keep a volume from being removed: listed, created, removed. */
#include "wire/keeper.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "wire/cleanup.h"

#include "client.h"

/* {"label":["hostvol.keeps"]} */
#define ALL "%7B%22label%22%3A%5B%22" HV_KEEPER_LABEL "%22%5D%7D"
/* {"label":["hostvol.keeps=NAME"],"volume":["NAME"]} */
#define ONE                                                                                        \
	"%%7B%%22label%%22%%3A%%5B%%22" HV_KEEPER_LABEL                                            \
	"%%3D%s%%22%%5D%%2C%%22volume%%22%%3A%%5B%%22%s%%22%%5D%%7D"
#define LIST "http://docker/containers/json?all=1&filters="

enum { LIST_URL_MAX = 1024 };

/* Why the Engine refused. */
static enum hv_code fail(
	const char *what, const char *name, const struct hv_answer *answer, struct hv_error *err)
{
	hv_auto_free char *message = hv_engine_message_parse(hv_answer_text(answer), answer->size);

	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine cannot %s container '%.300s': %s (HTTP %ld)", what, name,
		message ? message : "no reason given", answer->status);
}

enum hv_code hv_engine_keepers(struct hv_engine *engine, const char *volume, long timeout_ms,
	struct hv_keepers *ret, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};
	char url[LIST_URL_MAX] = LIST ALL;

	if (volume && !hv_engine_is_reference(volume))
		return hv_fail(err, HV_INTERNAL, "'%.255s' is no name of a volume", volume);
	if (volume)
		snprintf(url, sizeof(url), LIST ONE, volume, volume);
	if (hv_engine_get(engine, url, timeout_ms, &answer, err) != HV_OK)
		return err->code;
	if (answer.status != 200)
		return hv_fail(err, HV_INTERNAL,
			"the Docker Engine does not list its containers (HTTP %ld)", answer.status);
	return hv_keepers_parse(hv_answer_text(&answer), answer.size, ret, err);
}

/* A prune of images removed it before the container had it. */
static bool lacks_image(const struct hv_answer *answer)
{
	hv_auto_free char *message = hv_engine_message_parse(hv_answer_text(answer), answer->size);

	return answer->status == 404 && message && strcasestr(message, "no such image");
}

enum hv_code hv_engine_keeper_create(struct hv_engine *engine, const struct hv_keeper_args *args,
	long timeout_ms, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_json struct json_object *body = hv_keeper_body(args);
	char url[HV_URL_MAX];

	if (!body)
		return hv_oom(err);
	if (!hv_engine_is_reference(args->volume))
		return hv_fail(err, HV_INTERNAL, "'%.255s' is no name of a volume", args->volume);
	snprintf(url, sizeof(url), "http://docker/containers/create?name=%s", args->name);
	if (hv_engine_post(engine, url, json_object_to_json_string(body), timeout_ms, &answer,
		    err) != HV_OK)
		return err->code;
	/* 409: the name is in use, perhaps by one that is being removed. */
	return answer.status == 201 || answer.status == 409 || lacks_image(&answer)
		       ? HV_OK
		       : fail("create", args->name, &answer, err);
}

enum hv_code hv_engine_keeper_remove(struct hv_engine *engine, const struct hv_keeper *keeper,
	long timeout_ms, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};
	char url[HV_URL_MAX];

	if (!hv_engine_is_reference(keeper->id))
		return hv_fail(err, HV_INTERNAL, "'%.255s' is no ID of a container", keeper->id);
	/* v: volumes without a name; never the one that it keeps. */
	snprintf(url, sizeof(url), "http://docker/containers/%s?v=1&force=1", keeper->id);
	if (hv_engine_delete(engine, url, timeout_ms, &answer, err) != HV_OK)
		return err->code;
	/* 404: it is gone; 409: it is just being removed. */
	return answer.status == 204 || answer.status == 200 || answer.status == 404 ||
			       answer.status == 409
		       ? HV_OK
		       : fail("remove", keeper->name, &answer, err);
}

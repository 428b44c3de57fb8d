/* SPDX-License-Identifier: Apache-2.0 */
/* One container, looked up and started (GET and POST /containers/{id}). */
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"

#include "client.h"

static enum hv_code fail_unknown(const char *container, struct hv_error *err)
{
	hv_fail(err, HV_NO_SUCH_CONTAINER, "no such container: %.255s", container);
	return hv_hint(err, "list the containers: docker ps -a");
}

/* A 404 may come from what is no Engine at all: only one that says so knows.  Docker says "No such
 * container: x", Podman "no container with name or ID "x" found: no such container". */
static bool says_unknown(const struct hv_answer *answer, const char *message)
{
	return answer->status == 404 && message && strcasestr(message, "no such container");
}

/* Docker lists a container until it is removed, but does not start it any more. */
static bool says_removed(const struct hv_answer *answer, const char *message)
{
	return answer->status == 409 && message && strstr(message, "marked for removal");
}

static enum hv_code fail_inspect(
	const char *container, const struct hv_answer *answer, struct hv_error *err)
{
	hv_auto_free char *message = hv_engine_message_parse(hv_answer_text(answer), answer->size);

	if (message && strstr(message, "ultiple IDs")) {
		hv_fail(err, HV_AMBIGUOUS, "more than one container's ID begins with '%s'",
			container);
		return hv_hint(err, "give more of the ID, or the container's name");
	}
	if (says_unknown(answer, message))
		return fail_unknown(container, err);
	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine cannot look up container '%s': %s (HTTP %ld)", container,
		message ? message : "no reason given", answer->status);
}

enum hv_code hv_engine_inspect(struct hv_engine *engine, const char *container, long timeout_ms,
	struct hv_container *ret, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};
	char url[HV_URL_MAX];

	if (!hv_engine_is_reference(container))
		return fail_unknown(container, err);
	snprintf(url, sizeof(url), "http://docker/containers/%s/json", container);
	if (hv_engine_get(engine, url, timeout_ms, &answer, err) != HV_OK)
		return err->code;
	if (answer.status != 200)
		return fail_inspect(container, &answer, err);
	return hv_container_parse(hv_answer_text(&answer), answer.size, ret, err);
}

static enum hv_code fail_start(
	const char *container, const struct hv_answer *answer, struct hv_error *err)
{
	hv_auto_free char *message = hv_engine_message_parse(hv_answer_text(answer), answer->size);

	if (says_unknown(answer, message) || says_removed(answer, message))
		return fail_unknown(container, err);
	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine cannot start container '%.12s': %s (HTTP %ld)", container,
		message ? message : "no reason given", answer->status);
}

enum hv_code hv_engine_start(
	struct hv_engine *engine, const char *id, long timeout_ms, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};
	char url[HV_URL_MAX];

	if (!hv_engine_is_reference(id))
		return fail_unknown(id, err);
	snprintf(url, sizeof(url), "http://docker/containers/%s/start", id);
	if (hv_engine_post(engine, url, NULL, timeout_ms, &answer, err) != HV_OK)
		return err->code;
	if (answer.status != 204 && answer.status != 304)
		return fail_start(id, &answer, err);
	return HV_OK;
}

/* One container, looked up and started (GET and POST /containers/{id}). */
#include <stdio.h>
#include <stdlib.h>
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

static enum hv_code fail_inspect(
	const char *container, const struct hv_answer *answer, struct hv_error *err)
{
	char *message = hv_engine_message_parse(answer->bytes ? answer->bytes : "", answer->size);
	enum hv_code code;

	if (message && strstr(message, "ultiple IDs")) {
		hv_fail(err, HV_AMBIGUOUS, "more than one container's ID begins with '%s'",
			container);
		code = hv_hint(err, "give more of the ID, or the container's name");
	} else if (says_unknown(answer, message)) {
		code = fail_unknown(container, err);
	} else {
		code = hv_fail(err, HV_INTERNAL,
			"the Docker Engine cannot look up container '%s': %s (HTTP %ld)", container,
			message ? message : "no reason given", answer->status);
	}
	free(message);
	return code;
}

enum hv_code hv_engine_inspect(struct hv_engine *engine, const char *container, long timeout_ms,
	struct hv_container *ret, struct hv_error *err)
{
	struct hv_answer answer = {0};
	char *url = NULL;
	enum hv_code code;

	if (!hv_engine_is_reference(container))
		return fail_unknown(container, err);
	if (asprintf(&url, "http://docker/containers/%s/json", container) < 0)
		return hv_oom(err);
	code = hv_engine_get(engine, url, timeout_ms, &answer, err);
	if (code == HV_OK && answer.status != 200)
		code = fail_inspect(container, &answer, err);
	else if (code == HV_OK)
		code = hv_container_parse(answer.bytes ? answer.bytes : "", answer.size, ret, err);
	free(answer.bytes);
	free(url);
	return code;
}

static enum hv_code fail_start(
	const char *container, const struct hv_answer *answer, struct hv_error *err)
{
	char *message = hv_engine_message_parse(answer->bytes ? answer->bytes : "", answer->size);
	enum hv_code code =
		says_unknown(answer, message)
			? fail_unknown(container, err)
			: hv_fail(err, HV_INTERNAL,
				  "the Docker Engine cannot start container '%.12s': %s (HTTP %ld)",
				  container, message ? message : "no reason given", answer->status);

	free(message);
	return code;
}

enum hv_code hv_engine_start(
	struct hv_engine *engine, const char *id, long timeout_ms, struct hv_error *err)
{
	struct hv_answer answer = {0};
	char *url = NULL;
	enum hv_code code;

	if (!hv_engine_is_reference(id))
		return fail_unknown(id, err);
	if (asprintf(&url, "http://docker/containers/%s/start", id) < 0)
		return hv_oom(err);
	code = hv_engine_post(engine, url, timeout_ms, &answer, err);
	if (code == HV_OK && answer.status != 204 && answer.status != 304)
		code = fail_start(id, &answer, err);
	free(answer.bytes);
	free(url);
	return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A volume as the Engine knows it, whose driver it may be (GET /volumes/{name}), and the containers
 * that have it. */
#include <stdio.h>

#include "engine/engine.h"
#include "wire/json.h"

#include "client.h"

enum hv_code hv_engine_volume(struct hv_engine *engine, const char *name, long timeout_ms,
	struct hv_engine_volume *ret, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};
	char url[HV_URL_MAX];

	*ret = (struct hv_engine_volume){0};
	if (!hv_engine_is_reference(name))
		return hv_fail(err, HV_NO_SUCH_VOLUME, "no such volume: %.255s", name);
	snprintf(url, sizeof(url), "http://docker/volumes/%s", name);
	if (hv_engine_get(engine, url, timeout_ms, &answer, err) != HV_OK)
		return err->code;
	if (answer.status == 404)
		return hv_fail(err, HV_NO_SUCH_VOLUME, "no such volume: %s", name);
	if (answer.status != 200)
		return hv_fail(err, HV_INTERNAL,
			"the Docker Engine cannot look up volume '%s' (HTTP %ld)", name,
			answer.status);
	return hv_engine_volume_parse(hv_answer_text(&answer), answer.size, ret, err);
}

enum hv_code hv_engine_volume_containers(struct hv_engine *engine, const char *volume,
	long timeout_ms, size_t *ret, struct hv_error *err)
{
	/* {"volume":["NAME"]} */
	static const char format[] =
		"http://docker/containers/json?all=1&filters=%%7B%%22volume%%22%%3A%%5B%%22%s%%22%%5D%%7D";
	hv_auto_answer struct hv_answer answer = {0};
	char url[HV_URL_MAX];

	if (!hv_engine_is_reference(volume))
		return hv_fail(err, HV_INTERNAL, "'%.255s' is no name of a volume", volume);
	snprintf(url, sizeof(url), format, volume);
	if (hv_engine_get(engine, url, timeout_ms, &answer, err) != HV_OK)
		return err->code;
	if (answer.status != 200 || hv_json_count(hv_answer_text(&answer), answer.size, ret) < 0)
		return hv_fail(err, HV_INTERNAL,
			"the Docker Engine does not list the containers of volume '%s' (HTTP %ld)",
			volume, answer.status);
	return HV_OK;
}

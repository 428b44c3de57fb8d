/* A volume as the Engine knows it, whose driver it may be: GET /volumes/{name}. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"

#include "inside.h"

enum hv_code hv_engine_volume(struct hv_engine *engine, const char *name, long timeout_ms,
	struct hv_engine_volume *ret, struct hv_error *err)
{
	struct hv_answer answer = {0};
	char *url = NULL;
	enum hv_code code;

	*ret = (struct hv_engine_volume){0};
	if (!hv_engine_is_reference(name))
		return hv_fail(err, HV_NO_SUCH_VOLUME, "no such volume: %.255s", name);
	if (asprintf(&url, "http://docker/volumes/%s", name) < 0)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	code = hv_engine_get(engine, url, timeout_ms, &answer, err);
	if (code == HV_OK && answer.status == 404)
		code = hv_fail(err, HV_NO_SUCH_VOLUME, "no such volume: %s", name);
	else if (code == HV_OK && answer.status != 200)
		code = hv_fail(err, HV_INTERNAL,
			"the Docker Engine cannot look up volume '%s' (HTTP %ld)", name,
			answer.status);
	else if (code == HV_OK)
		code = hv_engine_volume_parse(
			answer.bytes ? answer.bytes : "", answer.size, ret, err);
	free(answer.bytes);
	free(url);
	return code;
}

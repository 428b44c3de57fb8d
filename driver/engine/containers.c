/* SPDX-License-Identifier: Apache-2.0 */
/* The list of all containers, read as it comes: a machine may have thousands. */
#include "wire/containers.h"

#include <string.h>
#include <unistd.h>

#include "client.h"

static size_t take_list(char *bytes, size_t one, size_t count, void *context)
{
	hv_containers_feed(context, bytes, one * count);
	return one * count;
}

enum hv_code hv_engine_containers(struct hv_engine *engine, long timeout_ms, hv_containers_fn fn,
	void *context, struct hv_error *err)
{
	struct hv_containers list = {.fn = fn, .context = context};
	const struct hv_engine_request request = {
		.url = "http://docker/containers/json?all=true",
		.timeout_ms = timeout_ms,
		.take = take_list,
		.context = &list,
	};
	long status = 0;
	enum hv_code code = hv_engine_perform(engine, &request, &status, err);

	if (code != HV_OK)
		return code;
	if (status == 200 && hv_containers_are_whole(&list))
		return HV_OK;
	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine at %s does not list its containers: HTTP %ld",
		engine->socket_path, status);
}

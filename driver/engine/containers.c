/* SPDX-License-Identifier: Apache-2.0 */
/* The list of all containers, read as it comes: a machine may have thousands. */
#include "wire/containers.h"

#include <string.h>
#include <unistd.h>

#include "client.h"

#define ALL "http://docker/containers/json?all=true"

static enum hv_code fail(const struct hv_engine *engine, long status, struct hv_error *err)
{
	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine at %s does not list its containers: HTTP %ld",
		engine->socket_path, status);
}

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
		.url = ALL,
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
	return fail(engine, status, err);
}

static size_t take_labels(char *bytes, size_t one, size_t count, void *context)
{
	(void)!hv_listing_feed(context, bytes, one * count); /* it knows */
	return one * count;
}

enum hv_code hv_engine_list(struct hv_engine *engine, long timeout_ms, hv_listed_fn fn,
	void *context, struct hv_error *err)
{
	hv_auto_listing struct hv_listing listing = {.fn = fn, .context = context};
	const struct hv_engine_request request = {
		.url = ALL,
		.timeout_ms = timeout_ms,
		.take = take_labels,
		.context = &listing,
	};
	long status = 0;
	enum hv_code code = hv_engine_perform(engine, &request, &status, err);

	if (code != HV_OK)
		return code;
	if (status == 200 && listing.err.code != HV_OK)
		return hv_fail(err, listing.err.code, "%s", hv_error_text(&listing.err));
	return status == 200 && hv_listing_is_whole(&listing) ? HV_OK : fail(engine, status, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/code.h"

#include <string.h>

static const struct {
	const char *name;
	unsigned status;
} codes[HV_CODE_COUNT] = {
	[HV_OK] = {"", 200},
	[HV_BAD_REQUEST] = {"bad-request", 400},
	[HV_NO_SUCH_ENDPOINT] = {"no-such-endpoint", 404},
	[HV_NO_SUCH_VOLUME] = {"no-such-volume", 404},
	[HV_NO_SUCH_CONTAINER] = {"no-such-container", 404},
	[HV_NO_SUCH_ATTACHMENT] = {"no-such-attachment", 404},
	[HV_AMBIGUOUS] = {"ambiguous", 409},
	[HV_NOT_RUNNING] = {"not-running", 409},
	[HV_CONTAINER_CHANGED] = {"container-changed", 409},
	[HV_TARGET_EXISTS] = {"target-exists", 409},
	[HV_TARGET_MISSING] = {"target-missing", 404},
	[HV_TARGET_REFUSED] = {"target-refused", 403},
	[HV_TYPE_MISMATCH] = {"type-mismatch", 409},
	[HV_SOURCE_MISSING] = {"source-missing", 404},
	[HV_SOURCE_REFUSED] = {"source-refused", 403},
	[HV_VOLUME_EXISTS] = {"volume-exists", 409},
	[HV_VOLUME_IN_USE] = {"volume-in-use", 409},
	[HV_BUSY] = {"busy", 409},
	[HV_TIMEOUT] = {"timeout", 504},
	[HV_UNSUPPORTED] = {"unsupported", 501},
	[HV_DENIED] = {"denied", 403},
	[HV_STATE_UNREADABLE] = {"state-unreadable", 503},
	[HV_INTERNAL] = {"internal", 500},
};

const char *hv_code_name(enum hv_code code)
{
	return (unsigned)code < HV_CODE_COUNT ? codes[code].name : codes[HV_INTERNAL].name;
}

unsigned hv_code_status(enum hv_code code)
{
	return (unsigned)code < HV_CODE_COUNT ? codes[code].status : codes[HV_INTERNAL].status;
}

enum hv_code hv_code_parse(const char *name)
{
	for (unsigned i = 0; i < HV_CODE_COUNT; i++)
		if (strcmp(codes[i].name, name) == 0)
			return (enum hv_code)i;
	return HV_INTERNAL;
}

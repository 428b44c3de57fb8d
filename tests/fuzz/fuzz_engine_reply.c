/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the Engine answers is a container with an ID and a possible PID, a list with keepers, or
 * refused with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/container.h"
#include "wire/keeper.h"

enum { INPUT_MAX = 1 << 18 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A keeper has an ID and keeps a volume. */
static void parse_keepers(const char *bytes, size_t size)
{
	struct hv_keepers keepers = {0};
	struct hv_error err = {0};

	if (hv_keepers_parse(bytes, size, &keepers, &err) != HV_OK && err.code != HV_INTERNAL)
		abort();
	for (size_t i = 0; i < keepers.count; i++)
		if (!keepers.items[i].id[0] || !keepers.items[i].volume[0] ||
			!keepers.items[i].name || !keepers.items[i].state)
			abort();
	hv_keepers_done(&keepers);
	hv_error_done(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct hv_container container = {0};
	struct hv_engine_info about = {0};
	struct hv_error err = {0};
	enum hv_code code;

	if (size > INPUT_MAX)
		return 0;
	code = hv_container_parse(bytes, size, &container, &err);
	if (code == HV_OK) {
		if (!container.id[0] || !container.started_at[0] || !container.name ||
			container.pid < 0)
			abort();
	} else if (code != HV_INTERNAL || !err.message || container.id) {
		abort();
	}
	hv_container_done(&container);
	hv_error_done(&err);
	free(hv_engine_message_parse(bytes, size));
	if (hv_engine_info_parse(bytes, size, &about, &err) != HV_OK && err.code != HV_INTERNAL)
		abort();
	hv_engine_info_done(&about);
	hv_error_done(&err);
	parse_keepers(bytes, size);
	return 0;
}

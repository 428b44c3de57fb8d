/* SPDX-License-Identifier: Apache-2.0 */
/* A state that is taken names a process that can be. */
#include <stdint.h>
#include <stdlib.h>

#include "start/state.h"

enum { INPUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_first first;

	if (size > INPUT_MAX)
		return 0;
	if (hv_state_parse((const char *)data, size, &first) == 0 &&
		(first.pid <= 1 || first.pid > INT32_MAX || first.start_ticks <= 0))
		abort();
	return 0;
}

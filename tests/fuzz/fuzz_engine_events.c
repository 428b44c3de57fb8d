/* SPDX-License-Identifier: Apache-2.0 */
/* The Engine's stream of events gives the same events in whatever pieces it comes, and after what
 * makes no sense none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/event.h"

enum { INPUT_MAX = 1 << 16 };

struct seen {
	size_t count;
	size_t sum;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see(void *context, const struct hv_event *event)
{
	struct seen *seen = context;

	if (!event->action[0] || !event->container[0])
		abort();
	seen->count++;
	seen->sum = seen->sum * 31 + strlen(event->action) + 7 * strlen(event->container);
}

static enum hv_code feed(const uint8_t *data, size_t size, size_t piece, struct seen *seen)
{
	struct hv_event_lines lines = {0};
	struct hv_error err = {0};
	enum hv_code code = HV_OK;

	for (size_t at = 0; at < size && code == HV_OK; at += piece)
		code = hv_event_lines_feed(&lines, (const char *)data + at,
			piece < size - at ? piece : size - at, see, seen, &err);
	if (code != HV_OK && (code != HV_INTERNAL || !err.message))
		abort();
	hv_event_lines_done(&lines);
	hv_error_done(&err);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = {0}, parts = {0};
	enum hv_code code;

	if (size > INPUT_MAX)
		return 0;
	code = feed(data, size, size + 1, &whole);
	if (feed(data, size, 7, &parts) != code || whole.count != parts.count ||
		whole.sum != parts.sum)
		abort();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Two selectors with other texts select other containers; a target is found where its text is. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/keeper.h"
#include "wire/selector.h"

enum { INPUT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Put it together again. */
static void format(const struct hv_selector *selector, const char *text, char *ret, size_t size)
{
	const char *value = selector->labels[0].value;
	const char *second = selector->count > 1 ? selector->labels[1].value : NULL;

	if (strncmp(text, "label:", 6) == 0)
		snprintf(ret, size, "label:%s%s%s", selector->labels[0].key, value ? "=" : "",
			value ? value : "");
	else
		snprintf(ret, size, "%.8s%s%s%s", text, value, second ? "/" : "",
			second ? second : "");
}

static void check(const char *text, const struct hv_selector *selector)
{
	struct hv_opts labels = {0};
	char again[HV_SELECTOR_MAX + 1];
	size_t at = 0;

	format(selector, text, again, sizeof(again));
	if (strcmp(again, text) != 0)
		abort();
	for (size_t i = 0; i < selector->count; i++)
		if (hv_selector_match(selector, &labels) ||
			hv_selector_miss(selector, &labels, &at) ||
			hv_opts_add(&labels, selector->labels[i].key,
				selector->labels[i].value ? selector->labels[i].value : "x") < 0)
			abort();
	/* A container that keeps a volume is selected by nothing. */
	if (hv_selector_match(selector, &labels) == (hv_opts_get(&labels, HV_KEEPER_LABEL) != NULL))
		abort();
	/* A selected container misses nothing. */
	if (hv_selector_miss(selector, &labels, &at))
		abort();
	hv_opts_done(&labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[INPUT_MAX + 1];
	struct hv_selector selector;
	struct hv_error err = {0};
	size_t length;

	if (size > INPUT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	length = hv_selector_length(text);
	if (length > 0 && (strncmp(text + length, ":/", 2) != 0 || strstr(text + length + 1, ":/")))
		abort();
	if (hv_selector_parse(text, &selector, &err) == HV_OK)
		check(text, &selector);
	else if (!err.message || !err.hint)
		abort();
	hv_selector_done(&selector);
	hv_error_done(&err);
	return 0;
}

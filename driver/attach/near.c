/* SPDX-License-Identifier: Apache-2.0 */
#include "near.h"

#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

enum { VALUES_MAX = 8, VALUE_LENGTH_MAX = 63 };

void hv_near_add(struct hv_near *near, const struct hv_opts *labels)
{
	size_t at = 0;
	const char *value = hv_selector_miss(near->selector, labels, &at);

	if (!value || at < near->at)
		return;
	if (at > near->at) {
		hv_near_done(near);
		near->at = at;
	}
	for (size_t i = 0; i < near->values.count; i++)
		if (strcmp(near->values.items[i], value) == 0)
			return;
	if (near->values.count == VALUES_MAX || strlen(value) > VALUE_LENGTH_MAX ||
		hv_texts_add(&near->values, value) < 0)
		near->is_cut = true;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(const struct hv_texts *texts, bool is_cut)
{
	char *list = strdup(texts->items[0]);

	for (size_t i = 1; list && i < texts->count + is_cut; i++) {
		hv_auto_free char *before = list;

		list = hv_text_format("%s, %s", before, i < texts->count ? texts->items[i] : "...");
	}
	return list;
}

char *hv_near_tell(const struct hv_near *near)
{
	const char *key = near->selector->labels[near->at].key;
	hv_auto_free char *list = NULL;

	if (near->values.count == 0)
		return NULL;
	qsort(near->values.items, near->values.count, sizeof(char *), compare_texts);
	list = join(&near->values, near->is_cut);
	if (!list)
		return NULL;
	if (near->at == 0)
		return hv_text_format("containers have %s=%s", key, list);
	return hv_text_format("containers with %s=%s have %s=%s", near->selector->labels[0].key,
		near->selector->labels[0].value, key, list);
}

void hv_near_done(struct hv_near *near)
{
	hv_texts_done(&near->values);
	*near = (struct hv_near){.selector = near->selector};
}

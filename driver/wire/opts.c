/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int hv_opts_add(struct hv_opts *opts, const char *key, const char *value)
{
	struct hv_opt *items = reallocarray(opts->items, opts->count + 1, sizeof(*items));
	struct hv_opt *item;

	if (!items)
		return -ENOMEM;
	opts->items = items;
	item = &items[opts->count];
	item->key = strdup(key);
	item->value = strdup(value);
	if (!item->key || !item->value) {
		free(item->key);
		free(item->value);
		return -ENOMEM;
	}
	opts->count++;
	return 0;
}

const char *hv_opts_get(const struct hv_opts *opts, const char *key)
{
	for (size_t i = 0; i < opts->count; i++)
		if (strcmp(opts->items[i].key, key) == 0)
			return opts->items[i].value;
	return NULL;
}

bool hv_opts_is_equal(const struct hv_opts *a, const struct hv_opts *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const char *other = hv_opts_get(b, a->items[i].key);

		if (!other || strcmp(other, a->items[i].value) != 0)
			return false;
	}
	return true;
}

void hv_opts_done(struct hv_opts *opts)
{
	for (size_t i = 0; i < opts->count; i++) {
		free(opts->items[i].key);
		free(opts->items[i].value);
	}
	free(opts->items);
	*opts = (struct hv_opts){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 16 };

/* Where a thing of this name is, or belongs. */
static size_t locate(const struct hv_names *names, const char *name, bool *ret_is_there)
{
	size_t first = 0, end = names->count;

	*ret_is_there = false;
	while (first < end && !*ret_is_there) {
		size_t middle = first + (end - first) / 2;
		int order = strcmp(names->items[middle]->name, name);

		*ret_is_there = order == 0;
		if (order < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return *ret_is_there ? end : first;
}

void hv_names_done(struct hv_names *names)
{
	free(names->items);
	*names = (struct hv_names){0};
}

void *hv_names_find(const struct hv_names *names, const char *name)
{
	bool is_there;
	size_t at = locate(names, name, &is_there);

	return is_there ? names->items[at] : NULL;
}

int hv_names_add(struct hv_names *names, struct hv_named *named)
{
	size_t room = names->room ? names->room * 2 : ROOM_MIN, at;
	bool is_there;

	if (names->count == names->room) {
		void *grown = reallocarray(names->items, room, sizeof(struct hv_named *));

		if (!grown)
			return -ENOMEM;
		names->items = grown;
		names->room = room;
	}
	at = locate(names, named->name, &is_there);
	memmove(names->items + at + 1, names->items + at,
		(names->count - at) * sizeof(struct hv_named *));
	names->items[at] = named;
	names->count++;
	return 0;
}

void hv_names_remove(struct hv_names *names, const char *name)
{
	bool is_there;
	size_t at = locate(names, name, &is_there);

	if (!is_there)
		return;
	names->count--;
	memmove(names->items + at, names->items + at + 1,
		(names->count - at) * sizeof(struct hv_named *));
}

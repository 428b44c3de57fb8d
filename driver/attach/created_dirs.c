/* SPDX-License-Identifier: Apache-2.0 */
#include "created_dirs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_MAX = 2 * 20 + 2 }; /* two numbers of 64 bits, ':' and ' ' */

static char *format(const struct mc_made *made)
{
	size_t size = (size_t)made->count * ITEM_MAX + 2, used = 0;
	char *text = malloc(size);

	if (!text)
		return NULL;
	*text = '\0';
	for (unsigned i = 0; i < made->count; i++)
		used += (size_t)snprintf(text + used, size - used, "%" PRIu64 ":%" PRIu64 " ",
			made->ids[i].dev, made->ids[i].ino);
	if (made->is_file) {
		text[used++] = 'f';
		text[used] = '\0';
	}
	return text;
}

char *hv_made_join(const char *before, const struct mc_made *now)
{
	struct mc_made all;
	unsigned outer;

	hv_made_parse(before ? before : "", &all);
	if (now->count == 0)
		return format(&all);
	outer = all.count > now->count ? all.count - now->count : 0;
	all.count = outer + now->count;
	all.is_file = now->is_file;
	memcpy(all.ids + outer, now->ids, now->count * sizeof(now->ids[0]));
	return format(&all);
}

void hv_made_parse(const char *text, struct mc_made *ret)
{
	struct mc_file_id id;
	char *end;

	ret->count = 0;
	for (; ret->count < MC_MADE_MAX; text = end) {
		id.dev = strtoull(text, &end, 10);
		if (end == text || *end != ':')
			break;
		text = end + 1;
		id.ino = strtoull(text, &end, 10);
		if (end == text)
			break;
		ret->ids[ret->count++] = id;
	}
	ret->is_file = text[strspn(text, " ")] == 'f';
}

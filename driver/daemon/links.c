/* SPDX-License-Identifier: Apache-2.0 */
#include "links.h"

#include <stdlib.h>
#include <string.h>

struct hv_links hv_links_copy(const struct mc_chain *chain)
{
	size_t size = chain->count * sizeof(*chain->links);
	struct hv_links copy = {malloc(size + 1), chain->count};

	if (!copy.items)
		return (struct hv_links){0};
	memcpy(copy.items, chain->links, size);
	return copy;
}

void hv_links_done(struct hv_links *links)
{
	free(links->items);
	*links = (struct hv_links){0};
}

bool hv_links_have(const struct hv_links *links, int wd)
{
	for (unsigned at = 0; at < links->count; at++)
		if (links->items[at].wd == wd)
			return true;
	return false;
}

bool hv_links_are_met(const struct hv_links *links, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	for (unsigned at = 0; at < links->count; at++)
		if (links->items[at].wd == event->wd &&
			(event->len == 0 || strcmp(links->items[at].name, event->name) == 0))
			return true;
	return false;
}

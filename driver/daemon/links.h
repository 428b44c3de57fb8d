/* SPDX-License-Identifier: Apache-2.0 */
/* The names on the way of a walk, with the numbers of their watches. */
#ifndef DAEMON_LINKS_H
#define DAEMON_LINKS_H

#include <stdbool.h>
#include <sys/inotify.h>

#include "mountcore/chain.h"

struct hv_links {
	struct mc_chain_link *items; /* NULL: not known, for want of memory, or there is no walk */
	unsigned count;
};

/* Those of a walk.  Release with hv_links_done(). */
struct hv_links hv_links_copy(const struct mc_chain *chain);
void hv_links_done(struct hv_links *links);

bool hv_links_have(const struct hv_links *links, int wd);

/* Whether it is an event of one of these names, of a directory of theirs as a whole, or was lost.
 */
bool hv_links_are_met(const struct hv_links *links, const struct inotify_event *event);

#endif

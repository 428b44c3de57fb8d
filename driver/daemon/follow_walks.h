/* SPDX-License-Identifier: Apache-2.0 */
/* Walks of the paths that something happened to.  Each watches its path again; a path that may lead
 * elsewhere is handed to a worker. */
#ifndef DAEMON_FOLLOW_WALKS_H
#define DAEMON_FOLLOW_WALKS_H

#include "follow_items.h"
#include "workers.h"

struct hv_follow_walks {
	struct mc_core *core;
	struct hv_follow_items *items;
	struct hv_workers *workers;
	unsigned slow_max;        /* of the workers for paths that may lead to a server */
	unsigned slow_count;      /* jobs */
	const void *events;       /* the data of the shared instance */
	struct mc_mounts *mounts; /* NULL: to be read again */
};

/* Returns in how many milliseconds there is more to do; -1: only when something happens. */
int hv_follow_walks_go(struct hv_follow_walks *walks);

/* The host's mount table has changed. */
void hv_follow_walks_renew(struct hv_follow_walks *walks);

#endif

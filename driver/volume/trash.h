/* SPDX-License-Identifier: Apache-2.0 */
/* Removed data: the directory trash/ of the state, and the thread that empties it. */
#ifndef VOLUME_TRASH_H
#define VOLUME_TRASH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "volume/volume.h"

/* The thread that deletes what was removed; it ends when there is nothing left. */
struct hv_sweeper {
	pthread_t thread;
	bool has_thread; /* to be joined */
	bool is_running;
	bool is_wanted; /* it shall look once more */
	/* finishes removals of users' directories that a crash cut short; or NULL */
	void (*finish_purges)(struct hv_volumes *volumes);
	atomic_bool is_stopping;
};

/* Move volumes/<name> into the trash, whatever is there already.  Returns 0, also if there is none,
 * or a negative errno; -ESTALE: the host has something else at volumes/ than hostvol. */
int hv_trash_put(struct hv_volumes *volumes, const char *name);

/* Have the trash emptied, and return at once.  `finish_purges` (NULL: as it was), which the thread
 * calls first, finishes the removals that are left over. */
void hv_trash_empty(struct hv_volumes *volumes, void (*finish_purges)(struct hv_volumes *volumes));

/* End the thread, before its work is done. */
void hv_trash_stop(struct hv_volumes *volumes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The trash.
 *
 * Sequence of a removal: volumes/NAME is renamed to trash/NAME (or -1, -2 … where something that
 * could not be deleted is in the way), the record is forgotten, the request is answered; then a
 * thread deletes, however long that takes.  It ends with its work, so that an idle daemon has none.
 */
#include "trash.h"

#include <errno.h>
#include <stdio.h>

#include "mountcore/cleanup.h"

#include "state_dir.h"
#include "sweep.h"
#include "volumes.h"

enum { NAME_TRIES = 10000 };

int hv_trash_put(struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd top = hv_volumes_dir(volumes);
	mc_auto_fd trash = hv_state_dir(volumes, "trash");
	char other[32];
	int rc;

	if (top < 0)
		return top;
	if (trash < 0)
		return trash;
	rc = hv_rename_free(top, name, trash, name);
	for (int i = 1; rc == -EEXIST && i < NAME_TRIES; i++) {
		snprintf(other, sizeof(other), "-%d", i); /* no volume's name */
		rc = hv_rename_free(top, name, trash, other);
	}
	return rc == -ENOENT ? 0 : rc;
}

typedef void (*finish_fn)(struct hv_volumes *volumes);

/* Whether there is more to do; if not, the thread is over. */
static bool next_round(struct hv_volumes *volumes, finish_fn *ret_finish_purges)
{
	struct hv_sweeper *sweeper = &volumes->sweeper;
	bool is_wanted;

	pthread_mutex_lock(&volumes->locks.lock);
	is_wanted = sweeper->is_wanted && !sweeper->is_stopping;
	*ret_finish_purges = sweeper->finish_purges;
	sweeper->is_wanted = false;
	sweeper->finish_purges = NULL;
	sweeper->is_running = is_wanted;
	pthread_mutex_unlock(&volumes->locks.lock);
	return is_wanted;
}

static void *work(void *argument)
{
	struct hv_volumes *volumes = argument;
	finish_fn finish_purges;

	while (next_round(volumes, &finish_purges)) {
		mc_auto_fd trash = hv_state_dir(volumes, "trash");

		if (finish_purges)
			finish_purges(volumes);
		/* A file that cannot be deleted (it is immutable) waits for the next time. */
		if (trash >= 0)
			(void)hv_sweep(trash, &volumes->sweeper.is_stopping, 0);
	}
	return NULL;
}

void hv_trash_empty(struct hv_volumes *volumes, void (*finish_purges)(struct hv_volumes *volumes))
{
	struct hv_sweeper *sweeper = &volumes->sweeper;

	pthread_mutex_lock(&volumes->locks.lock);
	if (finish_purges)
		sweeper->finish_purges = finish_purges;
	sweeper->is_wanted = true;
	if (!sweeper->is_running) {
		if (sweeper->has_thread) /* which has ended */
			pthread_join(sweeper->thread, NULL);
		/* Without a thread, for want of memory, the trash waits for the next time. */
		sweeper->is_running = pthread_create(&sweeper->thread, NULL, work, volumes) == 0;
		sweeper->has_thread = sweeper->is_running;
	}
	pthread_mutex_unlock(&volumes->locks.lock);
}

void hv_trash_stop(struct hv_volumes *volumes)
{
	struct hv_sweeper *sweeper = &volumes->sweeper;
	bool has_thread;

	sweeper->is_stopping = true;
	pthread_mutex_lock(&volumes->locks.lock);
	has_thread = sweeper->has_thread;
	pthread_mutex_unlock(&volumes->locks.lock);
	if (has_thread)
		pthread_join(sweeper->thread, NULL);
	*sweeper = (struct hv_sweeper){0};
}

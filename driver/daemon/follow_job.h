/* SPDX-License-Identifier: Apache-2.0 */
/* The replacement of one attachment's mount, by a worker (attach/follow.c).  A path over a file
 * system that may not answer is walked here, with an inotify instance of its own. */
#ifndef DAEMON_FOLLOW_JOB_H
#define DAEMON_FOLLOW_JOB_H

#include "daemon/follower.h"
#include "links.h"
#include "workers.h"

struct hv_follow_job {
	struct hv_work work;
	STAILQ_ENTRY(hv_follow_job) entry;
	char *id;
	char *path;
	bool is_slow;
	int watched; /* 0, or why the path cannot be watched */
	bool was_unwatched;
	int old_inotify; /* of the item: is closed here */
	/* Out. */
	int inotify;
	struct hv_links links; /* of that */
	char *real;
	bool is_over;
	bool is_failed;
	bool is_unwatched;
};

/* NULL: out of memory. */
struct hv_follow_job *hv_follow_job_new(const char *id, const char *path);
void hv_follow_job_free(struct hv_follow_job *job);

/* Do it, in a worker. */
void hv_follow_job_do(const struct hv_follower_args *args, struct hv_follow_job *job);

#endif

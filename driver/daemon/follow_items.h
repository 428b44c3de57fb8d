/* SPDX-License-Identifier: Apache-2.0 */
/* The attachments that follow their paths, with the watches on these.  Of the watcher's thread. */
#ifndef DAEMON_FOLLOW_ITEMS_H
#define DAEMON_FOLLOW_ITEMS_H

#include "attach/attach.h"
#include "mountcore/cleanup.h"

#include "follow_job.h"
#include "links.h"

/* How long a walk or a replacement that failed rests at first. */
enum { HV_FOLLOW_RETRY_MS = 100 };

/* Where a path led to when it was walked last. */
struct hv_follow_known {
	int found;
	struct mc_file_id id;
	uint64_t waits_at;
	uint64_t mounts; /* a hash of the mounts on the way to it and below it */
};

struct hv_follow_item {
	struct hv_followed what; /* owned */
	struct hv_links links;
	int inotify; /* of its own; MC_FD_NONE: the shared one has all of its watches */
	struct hv_links own_links; /* of that one */
	char *real;                /* NULL: it led nowhere, or was never walked */
	struct hv_follow_known known;
	bool is_dirty;                   /* it is to be walked */
	bool is_told;                    /* and followed, whatever the walk says */
	bool is_unwatched;               /* this was noted as its problem */
	bool is_seen;                    /* in the records that were just read */
	const struct hv_follow_job *job; /* that a worker has for it; NULL: none */
	long long tried_ms;              /* when something was done for it last */
	long long rest_ms;               /* not before then */
	long long retry_ms;
};

struct hv_follow_items {
	int epoll_fd; /* borrowed; the data of an item's instance is the item */
	int inotify;  /* shared, owned; MC_FD_NONE: there is none */
	struct hv_follow_item **items;
	size_t count;
};

void hv_follow_items_init(struct hv_follow_items *items, int epoll_fd);
void hv_follow_items_done(struct hv_follow_items *items);

/* Take in the records of a container, or all (NULL); an item that the list lacks goes.  The kept
 * records are taken out of `list`. */
void hv_follow_items_update(
	struct hv_follow_items *items, const char *container_id, struct hv_followed_list *list);

/* Have the shared instance, with that data of its events.  Returns 0 or why there is none: that is
 * told as the problem of those that follow. */
int hv_follow_items_watch(struct hv_follow_items *items, const void *data);

/* Remove those of these watches that no item needs any more. */
void hv_follow_items_leave(
	struct hv_follow_items *items, const struct mc_chain_link *links, unsigned count);

/* Take the events of the instance of one item, or of the shared one (NULL). */
void hv_follow_items_hear(struct hv_follow_items *items, struct hv_follow_item *item);

/* Take what a worker brings.  Returns the container whose records are to be read again, borrowed,
 * or NULL. */
const char *hv_follow_items_take(struct hv_follow_items *items, struct hv_follow_job *job);

/* Leave it alone for so long. */
void hv_follow_item_rest(struct hv_follow_item *item, long long ms);

#endif

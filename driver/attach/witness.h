/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that mount and unmount in containers with attachments, as the kernel tells them. */
#ifndef ATTACH_WITNESS_H
#define ATTACH_WITNESS_H

#include <pthread.h>

#include "mountcore/mounts.h"
#include "mountcore/watch.h"

struct hv_attacher;

enum { HV_WITNESS_MAX = 4096 };

struct hv_witness {
	struct mc_watch *watch;  /* NULL: the kernel does not tell, or `error` */
	int error;               /* why there is no watch: a negative errno */
	pthread_mutex_t reading; /* of the watch; taken before the other */
	pthread_mutex_t lock;    /* everything below */
	unsigned count;          /* of events ever seen; the last ones are kept */
	struct mc_watch_event *seen;
};

/* Without a watch nothing is seen, which is no failure. */
void hv_witness_init(struct hv_witness *witness, const struct mc_core *core);
void hv_witness_done(struct hv_witness *witness);

/* Watch the mount namespace of a container as well.  A failure is noted as the witness's error. */
void hv_witness_add(struct hv_witness *witness, int ns_fd);

/* The process that took the mount of that unique ID out.  Returns whether it was seen. */
bool hv_witness_find_unmount(
	struct hv_witness *witness, uint64_t mount_id, struct mc_watch_event *ret);

/* The process that mounted `mount`, of the mount namespace `ns_fd`. */
bool hv_witness_find_mount(struct hv_attacher *attacher, int ns_fd, const struct mc_mount *mount,
	struct mc_watch_event *ret);

#endif

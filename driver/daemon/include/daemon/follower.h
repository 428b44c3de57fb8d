/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that follow the paths of attachments on the host.
 *
 * One watches the names that the paths lead over (mountcore/chain.h) and the host's mount table.
 * When something there changes, others replace the mounts (attach/attach.h), attachment by
 * attachment. */
#ifndef DAEMON_FOLLOWER_H
#define DAEMON_FOLLOWER_H

#include <stdbool.h>

#include "attach/attach.h"
#include "mountcore/core.h"

#include "daemon/log.h"

struct hv_follower;

/* Borrowed. */
struct hv_follower_args {
	struct mc_core *core;
	struct hv_attacher *attacher;
	const struct hv_log *log;
	/* As of the reconciler. */
	enum hv_code (*open_state)(void *context, struct hv_error *err);
	void *context;
};

/* Start.  NULL if there is no memory, no thread or no descriptor. */
struct hv_follower *hv_follower_start(const struct hv_follower_args *args)
	__attribute__((nonnull, warn_unused_result));

/* Attachments of this container came, went or changed.  Does not wait.  Any thread. */
void hv_follower_poke(struct hv_follower *follower, const char *container_id)
	__attribute__((nonnull));

/* Stop and release.  Returns false when a thread was not done within `timeout_ms`: then it still
 * runs, and everything it uses must stay: exit. */
bool hv_follower_stop(struct hv_follower *follower, int timeout_ms)
	__attribute__((nonnull, warn_unused_result));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A look at several mounts of one mount namespace at once. */
#ifndef MOUNTCORE_MOUNT_LOOK_H
#define MOUNTCORE_MOUNT_LOOK_H

#include "mountcore/mounts.h"

struct mc_mount_look {
	uint64_t mount_id;
	const char *path;    /* borrowed; clean, no symlink in it */
	enum mc_mount_is is; /* out, as mc_mount_look() says it */
};

/* mc_mount_look() for each of them; the namespace is entered once.  A failure leaves
 * MC_MOUNT_UNSURE.  Any thread. */
void mc_mounts_look(struct mc_core *core, int ns_fd, struct mc_mount_look *looks, size_t count)
	__attribute__((nonnull));

#endif

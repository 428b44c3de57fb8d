/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching without open_tree and move_mount (kernels before 5.2).
 *
 * In our own namespace, where the host's is the same: a bind mount.
 *
 * In a container: a bind mount needs its source in the same namespace, so the source's block device
 * is mounted a second time; in a copy of the container's namespace, which the helper makes for
 * itself, never in the container's own.  From there the mount gets into the container by
 * propagation: the target's parent mount is made shared before the namespace is copied, and a mount
 * moved to the target in the copy appears in the container too.  No process in the container sees
 * the device's file system, no device node is created, and nothing has to be frozen.  It refuses:
 * sources that are not on a block device or have mounts inside, containers with a user namespace (a
 * copy of theirs is a slave, from which nothing propagates back), containers that may mount,
 * replacing. */
#ifndef MOUNTCORE_SRC_LEGACY_H
#define MOUNTCORE_SRC_LEGACY_H

#include "attach.h"

/* Whether it is the way to the place: without open_tree, and where it is allowed. */
bool mc_legacy_is_possible(const struct mc_attach *self);

/* Find out by what means the source can be reached from the place, in place of cloning it; the
 * descriptor of the source is in job.fds[MC_FD_TREE].
 * Returns 0, -EOPNOTSUPP (not by this way), -ENODEV (no device node). */
int mc_legacy_find(struct mc_attach *self);

/* Check the place, of which `self` knows what was found, and remember the mount that the target
 * lies on.  Fills `err`: step REPLACE, -ENOSYS; step TARGET. */
int mc_legacy_check(struct mc_attach *self, struct mc_err *err);

/* In the place, in place of moving a clone: mount on the descriptor `to`.  Fills self->tree's mount
 * IDs.  For a job. */
int mc_legacy_put(const struct mc_core *core, struct mc_attach *self, int root, int to);

/* Take out what mc_legacy_put() has mounted, if it has.  For a job. */
void mc_legacy_take_back(const struct mc_core *core, const struct mc_attach *self, int root);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Staging: a copy of our mount namespace that a helper makes for itself, to do with mount(2) what
 * cannot be done to a tree that is attached nowhere.  It is gone with the helper.
 *
 * Every function is for a job in a helper (job.h), in our own mount namespace. */
#ifndef MOUNTCORE_SRC_STAGE_H
#define MOUNTCORE_SRC_STAGE_H

#include <stdbool.h>

#include "mountcore/attr.h"

struct mc_core;

/* Where the staged tree is. */
#define MC_STAGE_PATH "/proc/tree"

/* Make the staging namespace, from which nothing propagates, and attach the detached tree `tree` in
 * it, with the propagation MS_PRIVATE or MS_SLAVE.  Returns 0 or a negative errno.
 * Source: mount_namespaces(7). */
int mc_stage(int tree, bool is_dir, unsigned long propagation);

/* Set `attr` on the tree at `path` of the namespace we are in, its submounts too, by mount(2): for
 * kernels without mount_setattr (before 5.12).  A covered mount keeps its attributes; only a
 * process that may unmount can uncover it.  Returns 0, -ESTALE (mountpoints were renamed under us)
 * or the error of mount(2).  Source: mount(2), MS_BIND | MS_REMOUNT; proc_pid_mountinfo(5). */
int mc_stage_attr(const struct mc_core *core, const char *path, const struct mc_attr *attr);

#endif

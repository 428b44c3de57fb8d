/* SPDX-License-Identifier: Apache-2.0 */
/* The user of a container's process, as the container numbers users and groups. */
#ifndef MOUNTCORE_USER_H
#define MOUNTCORE_USER_H

#include <stdint.h>
#include <sys/types.h>

#include "mountcore/core.h"

enum { MC_USER_GROUPS_MAX = 64 };

struct mc_user {
	uint32_t uid;
	unsigned group_count; /* at least 1: its own group first; more than the maximum are cut */
	uint32_t groups[MC_USER_GROUPS_MAX];
};

/* Read the user and the groups that process `pid` acts as.  A number that its user namespace lacks
 * is 65534.
 * Returns 0, -ESRCH (no such process), -EINVAL (its status makes no sense) or an error of opening
 * the files.  Source: proc_pid_status(5), Uid, Gid, Groups; user_namespaces(7).  Any thread. */
int mc_user_of(const struct mc_core *core, pid_t pid, struct mc_user *ret)
	__attribute__((nonnull, warn_unused_result));

/* Our user and group as the user namespace of process `pid` numbers them; 65534 for one that it
 * lacks.  Errors as above. */
int mc_user_numbers(const struct mc_core *core, pid_t pid, uint32_t *uid, uint32_t *gid)
	__attribute__((nonnull, warn_unused_result));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a control group. */
#ifndef MOUNTCORE_SRC_MEMBERS_H
#define MOUNTCORE_SRC_MEMBERS_H

#include <sys/types.h>

struct mc_core;

enum { MC_GROUP_SIZE = 128 };

typedef void (*mc_member_fn)(void *context, pid_t pid);

/* Call `visit` for each process of a control group and of those below it: of the first one with
 * `group` in its name, on the way to the one that `pid` is in.  A process that starts, ends or
 * moves meanwhile may be left out, or be visited twice.
 * Returns 0, or a negative errno if some were left out: -ENOENT where that group cannot be found,
 * -E2BIG if there are too many below.  Not for jobs.  Source: cgroups(7). */
int mc_members_visit(const struct mc_core *core, pid_t pid, const char *group, mc_member_fn visit,
	void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a control group. */
#ifndef MOUNTCORE_SRC_MEMBERS_H
#define MOUNTCORE_SRC_MEMBERS_H

#include <sys/types.h>

struct mc_core;

typedef void (*mc_member_fn)(void *context, pid_t pid);

/* Call `visit` for each process of the control group that `pid` is in, and of those below it.  One
 * that starts, ends or moves meanwhile may be left out, or be visited twice. Returns 0, or a
 * negative errno if some were left out: -ENOENT where that group cannot be found or is the
 * machine's, -E2BIG if there are too many below.  Not for jobs.  Source: cgroups(7). */
int mc_members_visit(const struct mc_core *core, pid_t pid, mc_member_fn visit, void *context);

#endif

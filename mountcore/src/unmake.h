/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what was made for a target: only where nobody else can have mounted on it.
 *
 * rmdir(2) and unlink(2) of a mountpoint of another mount namespace take the mounts out there
 * without an error.  So it is found out first what may go (a plan, made outside of any job, since
 * it looks at every process), and the job that removes (mc_unmake() in walk.h) keeps to it. */
#ifndef MOUNTCORE_SRC_UNMAKE_H
#define MOUNTCORE_SRC_UNMAKE_H

#include "mountcore/attach.h"

struct mc_core;
struct mc_unmake_plan;

/* Plan for `path` (clean, no symlink in it) of the host, where the directories that hostvol made
 * are nobody's mountpoint unless a mount table says so.  Returns 0, or why it cannot be told. */
int mc_unmake_plan_host(struct mc_core *core, const char *path, struct mc_unmake_plan *ret);

/* Delete the entries in `made`, `path` the deepest, from a place; undeleted ones stay in `made`.
 * In a container (a place with a namespace of its own) entries are deleted only on
 *   - its root mount,
 *   - a tmpfs that no other mount namespace has,
 * because another container may be given a mount on any other at the same moment.  An entry stays
 * if another mount namespace has something mounted on it, or if that is unknown.
 * Any thread but a worker. */
void mc_unmake_in(
	struct mc_core *core, const struct mc_place *place, const char *path, struct mc_made *made);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The owners of an attach's source, as the place is to see them. */
#ifndef MOUNTCORE_SRC_OWNERS_H
#define MOUNTCORE_SRC_OWNERS_H

#include <stdbool.h>

struct mc_attach;

/* Whether the source's owner is to appear as another. */
bool mc_attach_has_as(const struct mc_attach *self);

/* Map the owners of the cloned tree so that the source's owner appears as `as_uid` and `as_gid`
 * say, in one map with `idmap`.  A failure is in job.err. */
int mc_attach_map_owners(struct mc_attach *self);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOUNTCORE_SRC_BUSY_H
#define MOUNTCORE_SRC_BUSY_H

#include "mountcore/attach.h"
#include "mountcore/busy.h"

/* As mc_busy_find_below(), of the place's mount namespace (its key): of the processes in the
 * control group of place->pid if that is given and can be found, else of all processes. */
int mc_busy_find_in(const struct mc_core *core, const struct mc_place *place, const char *path,
	const uint64_t *ids, size_t id_count, struct mc_busy *ret)
	__attribute__((nonnull(1, 2, 3, 6), warn_unused_result));

#endif

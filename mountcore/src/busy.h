/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOUNTCORE_SRC_BUSY_H
#define MOUNTCORE_SRC_BUSY_H

#include "mountcore/busy.h"

#include "attach.h"

/* As mc_busy_find_below(), of the target of a prepared attach: of the processes of its control
 * group, if that is known and can be found, else of all processes. */
int mc_busy_find_users(const struct mc_attach *attach, const uint64_t *ids, size_t id_count,
	struct mc_busy *ret) __attribute__((nonnull(1, 4), warn_unused_result));

#endif

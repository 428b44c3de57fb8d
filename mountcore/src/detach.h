/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that a detach may wait for. */
#ifndef MOUNTCORE_SRC_DETACH_H
#define MOUNTCORE_SRC_DETACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mountcore/detach.h"

struct mc_own_type {
	bool is_slow;   /* a server stands behind the mount, or one below it */
	bool is_remote; /* and it is not only the trap of an automount, whose root answers itself */
	uint64_t key;   /* of those who wait for that server (mc_key_of_dev) */
	size_t mounts;  /* how many there are, itself included */
	size_t at_path; /* how many of them stand at the path itself; not with args->mountinfo_id */
};

/* Examine the mount with args->mountinfo_id, or else all mounts at args->path or below, in the
 * place's own mount table: the last unmount of a file system waits for its server, and by then the
 * source's path may no longer show it.
 * Returns 0, or the error of reading the table, in `err` too (may be NULL). */
int mc_own_type(struct mc_core *core, const struct mc_detach_args *args, struct mc_own_type *ret,
	struct mc_err *err);

#endif

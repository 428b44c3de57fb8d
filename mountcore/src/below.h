/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts below a directory. */
#ifndef MOUNTCORE_SRC_BELOW_H
#define MOUNTCORE_SRC_BELOW_H

#include <stddef.h>

#include "mountcore/mounts.h"

struct mc_below {
	struct mount_below {
		uint64_t id;
		uint64_t dev;
		char *root;
		char *path; /* from the directory on */
	} * items;          /* owned, with the strings */
	size_t count;
};

/* Add those below the directory `path` of the mount `top`, without those that a clone of it does
 * not have.  Returns 0 or -ENOMEM.  Release `ret` with mc_below_done() either way. */
int mc_below_collect(
	struct mc_mounts *mounts, uint64_t top, const char *path, struct mc_below *ret);
void mc_below_done(struct mc_below *below);

/* Whether each mount of `one` is in `two`. */
bool mc_below_is_part(const struct mc_below *one, const struct mc_below *two);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting directory trees of ours, by descriptor. */
#ifndef VOLUME_SWEEP_H
#define VOLUME_SWEEP_H

#include <stdatomic.h>
#include <stdbool.h>

/* Rename a directory to where nothing is.  Returns 0, -EEXIST, or an errno of renameat2(2). */
int hv_rename_free(int from_fd, const char *name, int to_fd, const char *to);

/* Delete everything inside the directory `trash_fd`, which stays, for so many seconds (0: however
 * long it takes).  `stop` (NULL: nobody) is looked at before each entry.
 *
 * Flat: a directory found inside another is first renamed up into the trash, so neither depth nor
 * path length matters, nothing is looked up by a path of more than one component, no symlink is
 * followed, and a mount is never crossed (renaming a mountpoint fails with EBUSY).
 * Returns 0, -ECANCELED (stopped), -ETIME, or the negative errno of the first entry that could not
 * be deleted; the others are deleted all the same.  Source: renameat(2), unlinkat(2). */
int hv_sweep(int trash_fd, const atomic_bool *stop, unsigned seconds);

#endif

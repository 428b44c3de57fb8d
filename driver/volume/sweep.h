/* Deleting directory trees of ours, by descriptor. */
#ifndef VOLUME_SWEEP_H
#define VOLUME_SWEEP_H

/* Delete everything inside the directory `trash_fd`, which stays.
 *
 * Flat: a directory found inside another is first renamed up into the trash, so neither depth nor
 * path length matters, nothing is looked up by a path of more than one component, no symlink is
 * followed, and a mount is never crossed (renaming a mountpoint fails with EBUSY).
 * Returns 0 or the negative errno of the first entry that could not be deleted; the others are
 * deleted all the same.  Source: renameat(2), unlinkat(2). */
int hv_sweep(int trash_fd);

#endif

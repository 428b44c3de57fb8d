/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the host sees the volumes that are mounted for Docker. */
#ifndef VOLUME_MOUNT_ROOT_H
#define VOLUME_MOUNT_ROOT_H

#include "volume/volume.h"

/* Take `path` in our own mount namespace for the managed plugin's mount root, until
 * hv_volumes_free(): mc_mount_root_open().
 * Data that containers have written below it, while the host did not see the volumes, is renamed to
 * .lost.NAME; directories without any are removed.
 * Returns 0 or a negative errno. */
int hv_mount_root_open(struct hv_volumes *volumes, const char *path)
	__attribute__((nonnull, warn_unused_result));

/* Whether all is well.  Returns HV_OK, or with the sentence HV_INTERNAL (the host does not see what
 * is mounted), HV_TARGET_EXISTS (something that is not hostvol's is mounted on a volume's mount).
 */
enum hv_code hv_mount_root_tell(struct hv_volumes *volumes, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Call `visit` with the host's path of each directory of data that a container wrote in place of
 * its volume. */
void hv_mount_root_each_stray(
	struct hv_volumes *volumes, void (*visit)(void *context, const char *path), void *context)
	__attribute__((nonnull(1, 2)));

#endif

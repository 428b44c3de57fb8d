/* The proof that the host sees a volume that was mounted for Docker. */
#ifndef VOLUME_SRC_MOUNT_ROOT_H
#define VOLUME_SRC_MOUNT_ROOT_H

#include "volume/volume.h"

/* Open the directory that volumes are mounted in for Docker (O_PATH).  Returns a descriptor or a
 * negative errno. */
int hv_mount_root_dir(const struct hv_volumes *volumes);

/* Have the host see that directory, before anything is mounted in it.  HV_OK or HV_INTERNAL. */
enum hv_code hv_mount_root_ready(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

/* Prove that the host sees the volume there, or, of a plain daemon, the process that asks for it
 * (0: not known).  HV_OK or HV_INTERNAL: then no container may be started with it. */
enum hv_code hv_mount_root_prove(struct hv_volumes *volumes, const struct hv_volume *volume,
	pid_t client, struct hv_error *err);

#endif

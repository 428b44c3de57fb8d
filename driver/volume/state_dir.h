/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory, and volumes/ and trash/ in it, by descriptor. */
#ifndef VOLUME_STATE_DIR_H
#define VOLUME_STATE_DIR_H

#include <dirent.h>
#include <errno.h>

#include "volume/volume.h"

/* Open <state>/<name> (NULL: the state directory itself), made if missing.
 * Returns a descriptor, -ESTALE where another directory is now (a disk was mounted over it), or
 * another negative errno. */
int hv_state_dir(const struct hv_volumes *volumes, const char *name);

/* Open <state>/volumes, made if missing.  Returns a descriptor, -ESTALE where the host has
 * something else there (a mount that the managed plugin does not see), or another negative errno.
 */
int hv_volumes_dir(const struct hv_volumes *volumes);

/* Whether the state directory may be taken, before the store is opened in it: there are records
 * (hostvol.db), or nothing that has the name of a directory of hostvol's, whose content would be
 * taken for volumes, or deleted as trash.  Of `volumes`, state_host and state_local are used.
 * Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_volumes_check_state(const struct hv_volumes *volumes, struct hv_error *err);

/* Fill `err` with the meaning of -ESTALE.  Returns HV_STATE_UNREADABLE. */
enum hv_code hv_fail_state_shadowed(const struct hv_volumes *volumes, struct hv_error *err);

#define hv_auto_dir HV_AUTO(hv_dir_close)
static inline void hv_dir_close(DIR **dir)
{
	int saved = errno;

	if (*dir)
		closedir(*dir);
	errno = saved;
}

/* The next entry of a directory but "." and "..".  Returns 1, 0 (there is none any more) or a
 * negative errno. */
int hv_dir_next(DIR *dir, const struct dirent **ret);

/* Whether a directory, which it does not close, is empty, but for `spared` (NULL: nothing): 1, 0 or
 * a negative errno. */
int hv_dir_is_empty_but(int fd, const char *spared);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a volume that has none of the user's: volumes/NAME/_data. */
#ifndef VOLUME_MANAGED_DIR_H
#define VOLUME_MANAGED_DIR_H

#include "volume/volume.h"

#include "source.h"

/* Where it is, or will be. */
enum hv_code hv_managed_find(const struct hv_volumes *volumes, const char *name,
	struct hv_source *ret, struct hv_error *err);

/* Make it, durably.  Data that an earlier volume left (hv_managed_keep) stays, and is this one's.
 * Other data is nobody's to take: HV_SOURCE_REFUSED. */
enum hv_code hv_managed_make(struct hv_volumes *volumes, const char *name, struct hv_error *err);

/* Leave it to the next volume of its name, durably; without data it is removed.  Returns 0 or a
 * negative errno; 0 also if it is not there. */
int hv_managed_keep(struct hv_volumes *volumes, const char *name);

/* Give it to the remapped root, if it is empty and still root's, where the options say nothing
 * else.  A failure is ignored: the next use tries again. */
void hv_managed_settle(const struct hv_volumes *volumes, const struct hv_volume *volume);

/* Remove it if it is empty.  Data is never touched. */
void hv_managed_unmake(struct hv_volumes *volumes, const char *name);

/* Whether it is empty: 1, 0 or a negative errno. */
int hv_managed_is_empty(const struct hv_volumes *volumes, const char *name);

/* Refuse `option` where on-remove=keep left data of an earlier volume: a file system would hide the
 * data, a limit would not count it.  HV_OK or HV_SOURCE_REFUSED. */
enum hv_code hv_managed_check_empty(const struct hv_volumes *volumes, const char *name,
	const char *option, struct hv_error *err);

#endif

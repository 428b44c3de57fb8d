/* SPDX-License-Identifier: Apache-2.0 */
/* The directories that volumes may be in (HOSTVOL_ALLOW), and where none may be. */
#ifndef VOLUME_POLICY_H
#define VOLUME_POLICY_H

#include "volume/volume.h"

/* The directories that `path` may be in, to be compared with a source; NULL ends. */
const char *const *hv_allowed(const struct hv_volumes *volumes);

/* Resolve them; an entry that cannot be resolved is taken as it is written.  Returns 0 or
 * -ENOMEM. */
int hv_allow_resolve(struct hv_volumes *volumes);
void hv_allow_done(struct hv_volumes *volumes);

/* Whether `source` is in a directory that volumes may be in, and not in hostvol's own.  Returns
 * HV_OK or HV_SOURCE_REFUSED. */
enum hv_code hv_policy_check(
	const struct hv_volumes *volumes, const char *source, struct hv_error *err);

/* Whether a volume may still be where it is: HOSTVOL_ALLOW may be another one than at create.
 * Returns HV_OK or HV_SOURCE_REFUSED. */
enum hv_code hv_source_check_allowed(
	const struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

#endif

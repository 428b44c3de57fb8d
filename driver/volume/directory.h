/* SPDX-License-Identifier: Apache-2.0 */
/* A volume's directory on the host: its owner, its limit, the mount that it is to be on. */
#ifndef VOLUME_DIRECTORY_H
#define VOLUME_DIRECTORY_H

#include "mountcore/err.h"
#include "volume/volume.h"

/* Fill `err` from what failed with `path`, the directory of a volume, on the host.  Returns the
 * code. */
enum hv_code hv_directory_explain(
	const struct mc_err *cause, const char *name, const char *path, struct hv_error *err);

/* Limit what the volume's directory holds; 0: no more.  HV_OK, HV_UNSUPPORTED, HV_SOURCE_REFUSED.
 */
enum hv_code hv_volume_limit(struct hv_volumes *volumes, const struct hv_volume *volume,
	uint64_t bytes, struct hv_error *err);

/* Option size: limit the directory, if it says so. */
enum hv_code hv_source_limit(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

/* Take the limit away again, also one that `set` left when it was killed, where the data stays. */
void hv_source_unlimit(struct hv_volumes *volumes, const struct hv_volume *volume);

/* Options uid, gid and mode: make the volume's directory what they say. */
enum hv_code hv_volume_own(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

#endif

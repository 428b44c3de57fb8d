/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the user's, by its path on the host. */
#ifndef VOLUME_USER_DIR_H
#define VOLUME_USER_DIR_H

#include "options.h"
#include "source.h"

/* Find the directory of option path: it is there, or, with mkdir, is to be made.  Returns HV_OK,
 * HV_SOURCE_MISSING (and then, if it could be made, ret->missing is how much of it),
 * HV_SOURCE_REFUSED … */
enum hv_code hv_user_dir_find(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err);

/* Make what is missing of the directory, where it was looked for and nowhere else. */
enum hv_code hv_user_dir_make(
	struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err);

/* Remove the directories that were made for it, if they are empty. */
void hv_user_dir_unmake(struct hv_volumes *volumes, const struct hv_volume *volume);

#endif

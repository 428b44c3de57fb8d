/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a new volume. */
#ifndef VOLUME_SOURCE_H
#define VOLUME_SOURCE_H

#include <limits.h>
#include <stdbool.h>

#include "volume/volume.h"

#include "options.h"

struct hv_source {
	char source[PATH_MAX];
	unsigned missing; /* of it: how many directories at the end */
	bool read_only;   /* and so is everything that comes of it */
};

/* Option subpath: go on to a directory inside of the one that was found, which no symlink leads out
 * of. */
enum hv_code hv_source_find_inside(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err);

#endif

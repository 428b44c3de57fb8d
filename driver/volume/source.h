/* The directory that a volume stands for. */
#ifndef VOLUME_SOURCE_H
#define VOLUME_SOURCE_H

#include <limits.h>
#include <stdbool.h>

#include "volume/volume.h"

#include "options.h"

/* Of a new volume. */
struct hv_source {
	char source[PATH_MAX];
	unsigned missing; /* of it: how many directories at the end */
	bool read_only;   /* and so is everything that comes of it */
	bool is_fs;       /* it is another volume's file system, mounted while it is used */
};

/* Where the data of a new volume is, or will be.  `name` is held, and that of option from. */
enum hv_code hv_source_find(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err);

/* Make what is missing of it, and give it the owner and mode of the volume's options.  Fills
 * made_dev and made_ino. */
enum hv_code hv_source_make(
	struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err);

/* Remove what hv_source_make() made, or may have, as far as it is empty. */
void hv_source_unmake(struct hv_volumes *volumes, const struct hv_volume *volume);

#endif

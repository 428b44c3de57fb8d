/* The directory of a volume that has none of the user's: volumes/NAME/_data. */
#ifndef VOLUME_MANAGED_H
#define VOLUME_MANAGED_H

#include "volume/volume.h"

/* Make it, durably.  Data that is there stays. */
enum hv_code hv_managed_make(struct hv_volumes *volumes, const char *name, struct hv_error *err);

/* Remove it if it is empty.  Data is never touched. */
void hv_managed_unmake(struct hv_volumes *volumes, const char *name);

/* Whether it is empty: 1, 0 or a negative errno. */
int hv_managed_is_empty(const struct hv_volumes *volumes, const char *name);

#endif

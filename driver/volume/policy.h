/* The directories that volumes may be in (HOSTVOL_ALLOW), and where none may be. */
#ifndef VOLUME_POLICY_H
#define VOLUME_POLICY_H

#include "volume/volume.h"

/* The directories that `path` may be in, to be compared with a source; NULL ends. */
const char *const *hv_allowed(const struct hv_volumes *volumes);

/* Resolve them; those that cannot be are taken as they are written.  Returns 0 or -ENOMEM. */
int hv_allow_resolve(struct hv_volumes *volumes);
void hv_allow_done(struct hv_volumes *volumes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that were made for a target. */
#ifndef ATTACH_MADE_H
#define ATTACH_MADE_H

#include "mountcore/attach.h"

/* The created directories, as the store keeps them ("dev:ino dev:ino"): `now` is at the end of the
 * same path as `before` (may be NULL).  A directory created in a container stays in its writable
 * layer when it stops, with its inode.  Owned; NULL on ENOMEM. */
char *hv_made_join(const char *before, const struct mc_made *now);
void hv_made_parse(const char *text, struct mc_made *ret);

#endif

/* Directories that were made for a target. */
#ifndef ATTACH_MADE_H
#define ATTACH_MADE_H

#include "mountcore/attach.h"

/* The directories made, as the store keeps them ("dev:ino dev:ino"): those that were made now, at
 * the end of the same path as those of `before` (may be NULL).  What was made for a container stays
 * in its writable layer when it stops, with its inode.  Owned; NULL on ENOMEM. */
char *hv_made_join(const char *before, const struct mc_made *now);
void hv_made_parse(const char *text, struct mc_made *ret);

#endif

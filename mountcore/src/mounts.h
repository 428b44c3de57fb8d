/* The mountinfo file of a mount namespace, for parsing or polling. */
#ifndef MOUNTCORE_SRC_MOUNTS_H
#define MOUNTCORE_SRC_MOUNTS_H

#include "mountcore/core.h"

/* Open mountinfo as seen from the namespace `ns_fd` (MC_FD_NONE: our own).  Returns a descriptor.
 */
int mc_mountinfo_open(struct mc_core *core, int ns_fd, struct mc_err *err);

#endif

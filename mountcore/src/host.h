/* The cached list of the host's slow mounts. */
#ifndef MOUNTCORE_SRC_HOST_H
#define MOUNTCORE_SRC_HOST_H

#include "mountcore/core.h"

/* Start and stop watching the host's mount table.  The workers run. */
int mc_slow_open(struct mc_core *core, struct mc_err *err);
void mc_slow_close(struct mc_core *core);

#endif

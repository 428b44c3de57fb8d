/* The host's mounts with a server behind them, and the cached list of the host's slow mounts. */
#ifndef MOUNTCORE_SRC_HOST_H
#define MOUNTCORE_SRC_HOST_H

#include <stdbool.h>

#include "mountcore/core.h"

/* Whether the server of a file system of this type may never answer. */
bool mc_is_slow_type(const char *fstype);

/* Start and stop watching the host's mount table.  The workers run. */
int mc_slow_open(struct mc_core *core, struct mc_err *err);
void mc_slow_close(struct mc_core *core);

#endif

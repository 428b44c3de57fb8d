/* The host's mounts with a server behind them, and the cached list of the host's slow mounts. */
#ifndef MOUNTCORE_SRC_TABLE_H
#define MOUNTCORE_SRC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "mountcore/core.h"

struct mc_overlays;

/* What is known of the way to a path of the host. */
struct mc_host_way {
	bool is_slow;   /* mc_host_is_slow() */
	bool has_slow;  /* the same, or a mount below the path is of such a file system */
	bool is_cached; /* RESOLVE_CACHED never waits there */
	bool is_fuse;   /* it is on a FUSE mount */
	uint64_t key;   /* of those who wait for it: mc_job.waits_for */
};

/* Find out, from the host's mount table.  `path` is clean and has no symlink in it. */
void mc_host_way(struct mc_core *core, const char *path, struct mc_host_way *ret);

/* The overlays that the host has mounted, for mc_job.overlays; to be given back.  NULL: not known.
 */
struct mc_overlays *mc_overlays_get(struct mc_core *core);
void mc_overlays_put(struct mc_core *core, struct mc_overlays *overlays);

/* Start and stop watching the host's mount table.  The workers run. */
int mc_slow_open(struct mc_core *core, struct mc_err *err);
void mc_slow_close(struct mc_core *core);

#endif

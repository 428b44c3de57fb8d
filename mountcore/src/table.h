/* SPDX-License-Identifier: Apache-2.0 */
/* An extract of the host's mount table: mounts with a server behind them, and overlays. */
#ifndef MOUNTCORE_SRC_TABLE_H
#define MOUNTCORE_SRC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "mountcore/core.h"

struct mc_table;

/* Facts about the way to a path of the host. */
struct mc_host_way {
	bool is_slow;      /* mc_host_is_slow() */
	bool has_slow;     /* the same, or a mount below the path is of such a file system */
	bool is_cached;    /* RESOLVE_CACHED never waits there */
	bool is_fuse;      /* it is on a FUSE mount */
	bool is_on_demand; /* reaching it has something mounted (autofs) */
	uint64_t key;      /* of those who wait for it: mc_job.waits_for */
};

/* The table as it is now, or was since this was called.  With `since_ns` (mc_clock_ns()) one that
 * was read since then will do; and when a machine that mounts much has none of those 50 ms after
 * it, the last one, with `ret_is_old`.  NULL: it could not be read.  It does not change;
 * mc_table_put() it.  Any thread but a worker. */
struct mc_table *mc_table_get(struct mc_core *core, uint64_t since_ns, bool *ret_is_old)
	__attribute__((nonnull, warn_unused_result));

/* NULL is ignored. */
void mc_table_put(struct mc_core *core, struct mc_table *table);

/* Find the way.  `table` may be NULL: the safe one.  `path` is clean and has no symlink in it.
 * For a job, too. */
void mc_table_way(const struct mc_table *table, const char *path, struct mc_host_way *ret);

/* The same, by the table as it is now. */
void mc_table_find_way(struct mc_core *core, const char *path, struct mc_host_way *ret);

/* Whether the table has this overlay, and no known server stands behind it: such are the roots of
 * containers, as their Engine made them.  An overlay that the host does not have may be over
 * anything.  For an old table, whose devices may be reused by now, and a place where nothing has
 * run yet: whether no server stands behind any overlay.  For a job, too. */
bool mc_table_has_overlay(const struct mc_table *table, bool is_old, uint64_t dev);

/* Whether a server stands behind the file system, of those that the table knows.  NULL: it may. */
bool mc_table_is_slow_dev(const struct mc_table *table, uint64_t dev);

/* Start and stop watching the host's mount table.  The workers run. */
int mc_table_watch(struct mc_core *core, struct mc_err *err);
void mc_table_unwatch(struct mc_core *core);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A look at a source, to compare several mounts with. */
#ifndef MOUNTCORE_SOURCE_LOOK_H
#define MOUNTCORE_SOURCE_LOOK_H

#include "mountcore/source.h"

struct mc_source_look;

/* Look where the path leads now; of `args` the mount is not read.  Returns as mc_source_compare().
 * Free `ret` with mc_source_look_free().  Any thread but a worker. */
int mc_source_look(struct mc_core *core, const struct mc_source_args *args,
	struct mc_source_look **ret, struct mc_err *err)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* The path on the host that the source led to, subpath included: no symlink is in it.  Borrowed
 * from `look`. */
const char *mc_source_look_path(const struct mc_source_look *look) __attribute__((nonnull));

/* Compare the mount of `args` with it, as mc_source_compare() does; of `args` the source is not
 * read.  Returns 0 or, with step SETUP, -ENOMEM.  Any thread. */
int mc_source_look_compare(const struct mc_source_look *look, const struct mc_source_args *args,
	enum mc_source_is *ret, struct mc_err *err)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* NULL is ignored. */
void mc_source_look_free(struct mc_source_look *look);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The directory that an attach covers: its users, and its hidden entries. */
#ifndef MOUNTCORE_COVER_H
#define MOUNTCORE_COVER_H

#include "mountcore/attach.h"
#include "mountcore/busy.h"
#include "mountcore/decls.h"
#include "mountcore/mounts.h"

MC_DECLS_BEGIN

enum { MC_COVER_ENTRIES_MAX = 1000 };

struct mc_cover {
	/* In the directory that is covered, without those that something is mounted on;
	 * MC_COVER_ENTRIES_MAX + 1: more.  0 also of a mount of the caller's own, which is taken
	 * out. */
	unsigned entries;
	/* The processes of the place's namespace that have their working directory, their root or
	 * an open file at or below the target: they go on using that.  Only those of the control
	 * group of mc_attach_args.group, if that is given and can be found: then a process that
	 * has entered the namespace from outside is left out. */
	struct mc_busy users;
};

/* Read the mount table of the place of a prepared attach for mc_cover_look().  NULL in `ret`, owned
 * by the caller: nothing is mounted below the target.
 * Returns 0, or the error of mc_mounts_read().  Source: listmount(2), statmount(2).  Any thread. */
int mc_cover_mounts(const struct mc_attach *attach, struct mc_mounts **ret)
	__attribute__((nonnull, warn_unused_result));

/* Examine the directory that a prepared attach is going to cover, if its target exists; `mounts` is
 * the place's table, read since, or NULL of mc_cover_mounts().  Waits a second for a file system
 * that does not answer, and leaves out unknown results.
 * Costs a look at each process of that control group, or without one at each of the machine, and
 * at each open file of the namespace.
 * Source: proc(5), cgroups(7), getdents(2).  Any thread but a worker. */
void mc_cover_look(struct mc_attach *attach, struct mc_mounts *mounts, struct mc_cover *ret)
	__attribute__((nonnull(1, 3)));

MC_DECLS_END

#endif

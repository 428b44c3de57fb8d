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
	 * an open file at or below the target: they go on using that. */
	struct mc_busy users;
};

/* Examine the directory that a prepared attach is going to cover, if its target exists; `mounts` is
 * the place's table, read since.  Waits a second for a file system that does not answer, and leaves
 * out unknown results.
 * Costs a look at each process of the machine, and at each open file of the namespace.
 * Source: proc(5), getdents(2).  Any thread but a worker. */
void mc_cover_look(struct mc_attach *attach, struct mc_mounts *mounts, struct mc_cover *ret)
	__attribute__((nonnull));

MC_DECLS_END

#endif

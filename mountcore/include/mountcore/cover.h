/* What an attach covers: who goes on using it, and how much of it is hidden. */
#ifndef MOUNTCORE_COVER_H
#define MOUNTCORE_COVER_H

#include "mountcore/attach.h"
#include "mountcore/busy.h"
#include "mountcore/mounts.h"

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

/* Look at what a prepared attach is going to cover, if its target exists; `mounts` is the place's
 * table, read since.  A file system that does not answer is waited for a second; what cannot be
 * told is left out.
 * Costs a look at each process of the machine, and one at each open file of the namespace's.
 * Source: proc(5), getdents(2).  Any thread but a worker. */
void mc_cover_look(struct mc_attach *attach, struct mc_mounts *mounts, struct mc_cover *ret)
	__attribute__((nonnull));

#endif

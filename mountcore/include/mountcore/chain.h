/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of names that leads to a path of the host, and watches on it.
 *
 * Each name of the path, and of the symlinks on the way, is looked up in a directory.  The path
 * leads elsewhere only when one of these names is created, deleted or renamed in its directory,
 * which inotify(7) reports, or when a mount comes or goes, which the mount table reports. */
#ifndef MOUNTCORE_CHAIN_H
#define MOUNTCORE_CHAIN_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "mountcore/attach.h"
#include "mountcore/core.h"

enum { MC_CHAIN_MAX = 128 }; /* links; the way of a path to more is not watched (-E2BIG) */

/* A name that is looked up in a directory. */
struct mc_chain_link {
	int wd; /* the watch on the directory */
	char name[NAME_MAX + 1];
};

struct mc_chain_args {
	const char *path; /* absolute; symlinks in it are followed inside the host's root */
	int inotify;      /* borrowed: gets the watches; MC_FD_NONE: none */
	bool may_wait;    /* in a helper: a file system on the way may not answer */
	/* With may_wait: the waits_at of a walk without. */
	uint64_t waits_at;
	/* The same, only look: wait a second and no longer, and not at all for a server that let
	 * another look wait in the last ten seconds (also one of source.h). */
	bool is_look;
};

struct mc_chain {
	/* 0; or why the path leads nowhere: -ENOENT, -ENOTDIR, -ELOOP … */
	int found;
	char real[PATH_MAX]; /* with found == 0: the path without symlinks */
	struct mc_file_id id;
	bool is_dir;
	int watched; /* 0; or why a watch is missing: -ENOSPC (fs.inotify.max_user_watches) … */
	uint64_t waits_at; /* without may_wait: of the mount that a helper is needed for; 0: none */
	unsigned count;
	struct mc_chain_link links[MC_CHAIN_MAX];
};

/* Walk the path on the host.  Each directory is watched before a name is looked up in it, so that
 * no later change is missed; a directory that has a watch already keeps it, and its number.
 * Watches that were added stay, whatever is returned.
 * Without `may_wait` the walk ends at a file system that might not answer, with the links until
 * there and ret->waits_at.
 * Returns 0 with `ret`, which is large; or an error with its step: SETUP (-ENOMEM), ENTER, HELPER
 * (-ETIMEDOUT, -EALREADY, -EUSERS), SOURCE (-EINVAL: the path is not absolute; -ENAMETOOLONG).
 * Source: inotify(7), path_resolution(7).  Any thread but a worker; concurrent calls for one
 * `inotify` are fine, removals of its watches meanwhile are not. */
int mc_chain_walk(struct mc_core *core, const struct mc_chain_args *args, struct mc_chain *ret,
	struct mc_err *err) __attribute__((nonnull(1, 2, 3), warn_unused_result));

#endif

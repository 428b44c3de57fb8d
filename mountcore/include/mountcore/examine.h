/* SPDX-License-Identifier: Apache-2.0 */
/* How directories of the host are, looked at again and again: cheap where nothing is wrong, and
 * under a deadline where something may be. */
#ifndef MOUNTCORE_EXAMINE_H
#define MOUNTCORE_EXAMINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mountcore/attach.h"
#include "mountcore/core.h"

/* One path to look at.  Strings are borrowed. */
struct mc_examined {
	const char *path;    /* clean */
	const char *beneath; /* as in struct mc_attach_args; NULL: nothing */
	bool is_name;        /* as a user wrote it: symlinks are followed */

	/* As of MC_STEP_SOURCE of an attach; MC_STEP_HELPER with -ETIMEDOUT or -EALREADY: the file
	 * system does not answer; any other: it was not looked at.  Code 0 with: */
	struct mc_err err;
	struct mc_file_id id; /* inode 0: the server does not tell */
	uint64_t born_ns;     /* since 1970; 0: not known.  A number of an inode is used again */
	bool is_directory;    /* also true if the server does not tell */
	bool is_mount_root;   /* also false where the kernel does not tell (before 5.8) */
	bool is_read_only;    /* the mount, or the file system */
	/* Of the file system, or of the project quota that the directory is under; 0: not told. */
	uint64_t blocks_used;
	uint64_t blocks_free; /* for users other than root */
	uint64_t inodes_used;
	uint64_t inodes_free;
};

/* The file system with a server behind it that reaching `path` (clean) depends on, as a number that
 * is the same for all paths of that server's; 0: there is none.  `ret_is_on_demand`: to reach it
 * would have something mounted.  Source: proc(5), mountinfo, cached until it changes. */
uint64_t mc_host_server(struct mc_core *core, const char *path, bool *ret_is_on_demand)
	__attribute__((nonnull, warn_unused_result));

/* Look at `count` paths that depend on the same server (mc_host_server()), or on none.
 * Paths without one are looked up in the kernel's cache; only those that it does not have are
 * looked up by a helper.  With a server it is a helper that asks, past the caches, and one for many
 * paths.  Each helper has two seconds; it is not started while an earlier one waits for the same
 * thing, a server or a device: a look leaves room for those who want to use it.  Of paths without a
 * server on a device that does not answer the first is told so, the others were not looked at
 * (-ECANCELED).
 * Returns 0, or -ENOMEM with nothing looked at.
 * Source: openat2(2), RESOLVE_CACHED; statx(2); statfs(2).  Any thread but a worker. */
int mc_host_examine(struct mc_core *core, struct mc_examined *items, size_t count, uint64_t server)
	__attribute__((nonnull, warn_unused_result));

#endif

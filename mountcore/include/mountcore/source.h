/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a mount shows what its source leads to now.
 *
 * A directory on the host can be deleted and made again, renamed, mounted over, unmounted; a server
 * behind it can end.  A mount that was made of it stays what it was. */
#ifndef MOUNTCORE_SOURCE_H
#define MOUNTCORE_SOURCE_H

#include "mountcore/attach.h"
#include "mountcore/decls.h"
#include "mountcore/mounts.h"

MC_DECLS_BEGIN

enum mc_source_is {
	MC_SOURCE_SAME,
	MC_SOURCE_OTHER,  /* the path leads to another directory or file */
	MC_SOURCE_MOUNTS, /* to the same, with other mounts below it */
	MC_SOURCE_NONE,   /* nothing is mounted (mc_source_compare_own) */
};

/* Strings and the table are borrowed. */
struct mc_source_args {
	const char *source; /* these as in struct mc_attach_args */
	const char *beneath;
	const char *subpath;
	/* Only look: wait for a server a second and no longer, and not at all for one that let
	 * another look wait in the last ten seconds. */
	bool is_look;
	/* The mount. */
	struct mc_file_id root; /* as mc_attach_info() told it; inode 0: not compared */
	/* Of its namespace, read now; NULL: mc_mount_look() said just now that it is there. */
	struct mc_mounts *mounts;
	uint64_t mountinfo_id; /* it is in `mounts` */
	bool has_others;       /* mounts of others may be below it, which prove nothing */
	/* Not 0: it was attached with is_slave.  A mount that the host has made on the source since
	 * is on top of it, and is compared in its place. */
	uint64_t is_slave;
	uint64_t reserved[3]; /* 0 (core.h) */
};

/* Compare a mount that stands with its source.
 * The mount holds its root's inode, so no other one of that file system has its number meanwhile.
 * A server may give a number twice: there the mount table tells as well that the root was deleted.
 * A local source costs a worker's few microseconds; one with a server behind it is asked by a
 * helper, past every cache.
 * Returns 0 with `ret`, or
 *   step SOURCE, SUBPATH  as for an attach: the path leads nowhere; mc_err_is_dead(): to a file
 *                         system that does not work; SOURCE with -EINVAL: a reserved word is not 0
 *   step HELPER           -ETIMEDOUT
 *   step SETUP, ENTER     it cannot be told
 * Source: statx(2), proc_pid_mountinfo(5).  Any thread but a worker. */
int mc_source_compare(struct mc_core *core, const struct mc_source_args *args,
	enum mc_source_is *ret, struct mc_err *err)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* The same for what is mounted at `path` (absolute, clean, no symlink in it) of our own namespace,
 * if anything is; of `args` the mount is not read.  `ret_own` tells which one it is, to be
 * replaced.
 */
int mc_source_compare_own(struct mc_core *core, const struct mc_source_args *args, const char *path,
	enum mc_source_is *ret, struct mc_own *ret_own, struct mc_err *err)
	__attribute__((nonnull(1, 2, 3, 4, 5), warn_unused_result));

MC_DECLS_END

#endif

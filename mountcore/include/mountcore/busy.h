/* SPDX-License-Identifier: Apache-2.0 */
/* The users of a mount. */
#ifndef MOUNTCORE_BUSY_H
#define MOUNTCORE_BUSY_H

#include <stdint.h>
#include <sys/types.h>

#include "mountcore/core.h"
#include "mountcore/decls.h"

MC_DECLS_BEGIN

enum mc_busy_why {
	MC_BUSY_CWD,     /* working directory */
	MC_BUSY_ROOT,    /* root directory */
	MC_BUSY_FILE,    /* open file */
	MC_BUSY_MAPPING, /* mapped file, the program itself included */
};

enum { MC_BUSY_MAX = 16, MC_COMMAND_SIZE = 16 };

struct mc_busy_entry {
	pid_t pid; /* as our procfs numbers it */
	enum mc_busy_why why;
	char command[MC_COMMAND_SIZE]; /* /proc/PID/comm: 15 bytes at most, whatever they are */
};

struct mc_busy {
	unsigned count;
	struct mc_busy_entry entries[MC_BUSY_MAX]; /* the first that were found */
};

/* Find the processes in the mount namespace `ns_ino` that use the mounts `ids` (`id_count` of them,
 * column 1 of mountinfo): one entry for each process, with the first reason found.
 * Asks no file system, so a silent server blocks nothing.  A process that starts or ends meanwhile
 * may be missed or be gone already.
 * Returns 0, -ENOMEM, or the error of opening /proc.  Source: proc(5), statx(2).  Any thread. */
int mc_busy_find(const struct mc_core *core, uint64_t ns_ino, const uint64_t *ids, size_t id_count,
	struct mc_busy *ret) __attribute__((nonnull, warn_unused_result));

/* Find the processes in the mount namespace `ns_ino` that have their working directory, their root
 * or an open file at `path` of that namespace (clean, no symlink in it) or below, on one of the
 * mounts `ids`, or on any mount if `id_count` is 0.  As above, but examines at most
 * MC_BUSY_FILES_MAX open files of all processes together. */
enum { MC_BUSY_FILES_MAX = 65536 };
int mc_busy_find_below(const struct mc_core *core, uint64_t ns_ino, const char *path,
	const uint64_t *ids, size_t id_count, struct mc_busy *ret)
	__attribute__((nonnull(1, 3, 6), warn_unused_result));

/* The mount (column 1 of mountinfo) of the working directory of process `pid`, if that is at `path`
 * of its mount namespace (clean, no symlink in it) or below.  Asks no file system.
 * Returns 1; 0 if it is elsewhere; -ESRCH if there is no such process, or the error of statx(2).
 * Source: proc(5).  Any thread. */
int mc_busy_cwd(const struct mc_core *core, pid_t pid, const char *path, uint64_t *ret)
	__attribute__((nonnull, warn_unused_result));

/* "cwd", "root", "open file", "mapping".  Static. */
const char *mc_busy_why_name(enum mc_busy_why why);

MC_DECLS_END

#endif

/* Who keeps a mount busy. */
#ifndef MOUNTCORE_BUSY_H
#define MOUNTCORE_BUSY_H

#include <stdint.h>
#include <sys/types.h>

#include "mountcore/core.h"

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
 * column 1 of mountinfo): one entry for each process, the first reason found.
 * Asks no file system: a server that does not answer holds nothing up.  A process that comes or
 * goes meanwhile may be missed or be gone already.
 * Returns 0, -ENOMEM, or what opening /proc gave.  Source: proc(5), statx(2).  Any thread. */
int mc_busy_find(const struct mc_core *core, uint64_t ns_ino, const uint64_t *ids, size_t id_count,
	struct mc_busy *ret) __attribute__((nonnull, warn_unused_result));

/* Find the processes in the mount namespace `ns_ino` that have their working directory, their root
 * or an open file at `path` of that namespace (clean, no symlink in it) or below, on one of the
 * mounts `ids`; with `id_count` 0 on any.  As above; but what a process has open is looked at only
 * as far as MC_BUSY_FILES_MAX files of all together. */
enum { MC_BUSY_FILES_MAX = 65536 };
int mc_busy_find_below(const struct mc_core *core, uint64_t ns_ino, const char *path,
	const uint64_t *ids, size_t id_count, struct mc_busy *ret)
	__attribute__((nonnull(1, 3, 6), warn_unused_result));

/* The mount (column 1 of mountinfo) that process `pid` has its working directory on, if that is at
 * `path` of its mount namespace (clean, no symlink in it) or below.  Asks no file system.
 * Returns 1; 0 when it is elsewhere; -ESRCH when there is no such process, or what statx(2) gave.
 * Source: proc(5).  Any thread. */
int mc_busy_cwd(const struct mc_core *core, pid_t pid, const char *path, uint64_t *ret)
	__attribute__((nonnull, warn_unused_result));

/* "cwd", "root", "open file", "mapping".  Static. */
const char *mc_busy_why_name(enum mc_busy_why why);

#endif

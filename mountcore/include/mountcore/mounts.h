/* SPDX-License-Identifier: Apache-2.0 */
/* The mount table of a mount namespace, as it was at one moment (libmount). */
#ifndef MOUNTCORE_MOUNTS_H
#define MOUNTCORE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "mountcore/core.h"
#include "mountcore/decls.h"
#include "mountcore/fd.h"

MC_DECLS_BEGIN

struct mc_mounts;

/* One mount; strings are borrowed from the table.  The columns are those of
 * /proc/PID/mountinfo, proc(5). */
struct mc_mount {
	uint64_t id;            /* column 1 */
	uint64_t parent_id;     /* column 2 */
	uint64_t dev;           /* column 3, as makedev() */
	const char *root;       /* column 4 */
	const char *target;     /* column 5 */
	const char *options;    /* column 6 */
	bool is_shared;         /* column 7 has shared:N */
	bool is_slave;          /* column 7 has master:N */
	bool is_unbindable;     /* column 7 has unbindable: a recursive clone leaves it out */
	const char *fstype;     /* column 9 */
	const char *device;     /* column 10 */
	const char *fs_options; /* column 11 */
	uint64_t reserved[2];   /* 0 */
};

/* Open the mount table of the mount namespace `ns_fd` (MC_FD_NONE: our own).  poll(2) and epoll(7)
 * report POLLPRI and POLLERR once if a mount came, went or moved since the open or the last report,
 * but not for a renamed mountpoint.  An open table keeps the namespace, and so its mounts: close it
 * when the last process of the namespace ends.
 * Returns a descriptor, which the caller closes, or the error of entering or opening.
 * Source: proc(5), mounts_poll() of the kernel's fs/proc_namespace.c. */
int mc_mountinfo_open(struct mc_core *core, int ns_fd, struct mc_err *err)
	__attribute__((nonnull(1), warn_unused_result));

/* Read the table that was just opened, once.  Returns as mc_mounts_read(). */
int mc_mounts_read_open(int mountinfo, struct mc_mounts **ret)
	__attribute__((nonnull, warn_unused_result));

/* Read the table of the mount namespace `ns_fd` (MC_FD_NONE: our own).
 * Returns 0, -ENOMEM, -EINVAL (a line that cannot be parsed), or the error of entering or reading.
 * Source: proc(5), libmount's mnt_table_parse_stream.  Free with mc_mounts_free(). */
int mc_mounts_read(struct mc_core *core, int ns_fd, struct mc_mounts **ret, struct mc_err *err)
	__attribute__((nonnull(1, 3), warn_unused_result));

/* The host's table. */
int mc_mounts_read_host(struct mc_core *core, struct mc_mounts **ret)
	__attribute__((nonnull, warn_unused_result));

/* The same from an open stream in mountinfo format, borrowed. */
int mc_mounts_parse(FILE *stream, struct mc_mounts **ret)
	__attribute__((nonnull, warn_unused_result));

/* How many mounts there are. */
size_t mc_mounts_count(const struct mc_mounts *mounts) __attribute__((nonnull));

/* Iterate in the table's order, which is the order of mounting below one parent: set `*at` to 0
 * first.  Returns false at the end. */
bool mc_mounts_next(struct mc_mounts *mounts, size_t *at, struct mc_mount *ret)
	__attribute__((nonnull));

/* Find the mount whose column 1 is `id`.  Returns 0 or -ENOENT. */
int mc_mounts_find(struct mc_mounts *mounts, uint64_t id, struct mc_mount *ret)
	__attribute__((nonnull, warn_unused_result));

/* Whether the mount that the mount namespace `ns_fd` lists as `mountinfo_id` (column 1) is the
 * mount `mount_id`, whose number is never used again.  The kernel gives column 1 of an unmounted
 * mount to the next mount on the machine.  `ret` is true where that cannot be told: before 6.8, and
 * for a `mount_id` that is 0 or column 1 itself. Returns 0, -ENOMEM, or the error of entering.
 * Source: statmount(2).  Asks no file system. */
int mc_mount_has_id(struct mc_core *core, int ns_fd, uint64_t mountinfo_id, uint64_t mount_id,
	bool *ret) __attribute__((nonnull, warn_unused_result));

/* The result of a look at one mount. */
enum mc_mount_is {
	MC_MOUNT_UNSURE, /* the table has to be read */
	MC_MOUNT_THERE,  /* mounted at the path, which leads to it: nothing lies on it or above */
	MC_MOUNT_GONE,   /* it is not in the mount namespace */
};

/* Look at the mount `mount_id` of the mount namespace `ns_fd` without reading the table: for a
 * mount that is on the root mount, at `path` (clean, no symlink in it), with nothing mounted on it
 * or in it, and for one that is gone.  Says the same as mc_mounts_find() and
 * mc_mounts_find_cover(), or that it is not sure, as always before 6.12. Waits for no file system.
 * Source: statmount(2), listmount(2), openat2(2).  Any thread. */
enum mc_mount_is mc_mount_look(struct mc_core *core, int ns_fd, uint64_t mount_id, const char *path)
	__attribute__((nonnull, warn_unused_result));

/* Find the mount that `path` is on, resolved and clean: the last of those with the longest
 * mountpoint. Returns 0 or -ENOENT. */
int mc_mounts_of(struct mc_mounts *mounts, const char *path, struct mc_mount *ret)
	__attribute__((nonnull, warn_unused_result));

/* Whether one of two paths is the other, or inside of it: by name, or because the same part of a
 * file system is mounted elsewhere too. */
bool mc_mounts_overlap(struct mc_mounts *mounts, const char *a, const char *b)
	__attribute__((nonnull));

/* The IDs (column 1) of the mount `id` and of all mounts below it, itself first.
 * Returns 0 with an array that the caller frees, -ENOENT, -ENOMEM. */
int mc_mounts_tree(struct mc_mounts *mounts, uint64_t id, uint64_t **ret_ids, size_t *ret_count)
	__attribute__((nonnull, warn_unused_result));

/* Whether the directory or file that the mount shows was deleted: no path leads to it. */
bool mc_mount_is_deleted(const struct mc_mount *mount) __attribute__((nonnull));

/* Whether the mount `id` cannot be reached by its mountpoint's path, because another mount is in
 * the way: on top of it, or on a directory above.  `ret` is the first such mount from the root on.
 * Decided by the table alone, which has each mount's parent: no file system is asked. */
bool mc_mounts_find_cover(struct mc_mounts *mounts, uint64_t id, struct mc_mount *ret)
	__attribute__((nonnull));

/* Find the mount on top at `target` if it shows the path `source` of the host: the same part of the
 * same file system.  Returns 0, -ENOENT, or the error of reading the host's table. */
int mc_mounts_find_at(struct mc_core *core, struct mc_mounts *mounts, const char *target,
	const char *source, struct mc_mount *ret) __attribute__((nonnull, warn_unused_result));

/* NULL is ignored. */
void mc_mounts_free(struct mc_mounts *mounts);

MC_DECLS_END

#endif

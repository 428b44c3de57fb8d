/* SPDX-License-Identifier: Apache-2.0 */
/* Paths inside a foreign root, by descriptor: resolving, making and removing directories.  Every
 * function is fit for a job: system calls on the caller's memory. */
#ifndef MOUNTCORE_SRC_WALK_H
#define MOUNTCORE_SRC_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountcore/attach.h"

#include "inode.h"
#include "open.h"

struct mc_core;
struct mc_job;

/* Open a directory of the host, of which we found out the path, for more than O_PATH does. */
int mc_open_host_dir(const struct mc_core *core, const char *path);

/* Open `path` (absolute) below `root`, or its deepest existing ancestor.
 * Returns a descriptor (O_PATH) and in `ret_missing` the offset of the first component that does
 * not exist, or of the terminating NUL.  Errors are openat2's: -EXDEV for a mount in the way with
 * RESOLVE_NO_XDEV, -ELOOP for a link that is refused, -ENOTDIR.  With RESOLVE_CACHED it is the
 * deepest one that the kernel has in its cache: `ret_is_known` (may be NULL) tells whether what
 * comes behind it is known not to exist. */
int mc_open_deepest(const struct mc_core *core, int root, const char *path, uint64_t resolve,
	size_t *ret_missing, bool *ret_is_known);

/* Limits of a deletion. */
struct mc_unmake_plan {
	uint64_t mountinfo_id; /* only on this mount */
	bool is_root;          /* which is the root mount of its namespace */
	size_t kept;           /* length of the part of the path that stays */
};

/* How missing parts of a target are made. */
struct mc_making {
	const struct mc_core *core;
	uint32_t uid; /* owner of what is made */
	uint32_t gid;
	bool last_is_file; /* an empty file, 0644, in place of the last directory */
	uint64_t writable; /* mount ID of the place's root: made there although it is read-only */
	int ns_fd;         /* the place's namespace, where the job is */
	bool in_helper;    /* that may leave it for a staging namespace */
	const struct mc_unmake_plan *plan; /* of a removal */
};

/* Create `missing` ("a/b/c", directories 0755) below `fd` and append the new entries to `made`.
 * A directory that appeared meanwhile is used, unless it is below a new one of ours (-EEXIST).
 * On the mount `writable`, if read-only, create through a writable clone of the directory, attached
 * nowhere: the mount itself stays read-only throughout.
 * Returns a descriptor on the last one, which is `fd` if nothing is missing. */
int mc_walk_make(const struct mc_making *making, int fd, const char *missing, struct mc_made *made);

/* Delete the entries in `made`, deepest first, each if it is still the same and empty, and
 * making->plan allows it; stop at the first other one.  `path` is the deepest, or was to become it.
 * Undeleted entries stay in `made`. */
void mc_unmake(const struct mc_making *making, int root, const char *path, uint64_t resolve,
	struct mc_made *made);

/* Open the directory that holds `path` (clean, absolute, no symlink in it) and point `ret_name`
 * at its last component.  Returns a descriptor (O_PATH). */
int mc_open_parent(const struct mc_core *core, int root, const char *path, uint64_t resolve,
	const char **ret_name);

/* The directory that targets of a place are below, for `job`.  Returns a descriptor (O_PATH);
 * -EXDEV where a worker cannot rely on its mount, and is not kept to the kernel's cache. */
int mc_open_root(const struct mc_core *core, struct mc_job *job, const struct mc_place *place);

/* A part of a job in a place; `root` is borrowed. */
typedef int (*mc_place_fn)(const struct mc_core *core, struct mc_job *job, int root);

/* In a place: call `fn` with its root.  Returns its result, or an error with step TARGET. */
int mc_at_root(const struct mc_core *core, struct mc_job *job, const struct mc_place *place,
	mc_place_fn fn);

/* Enter the place, call `fn` with its root, and leave.  Returns as mc_at_root(), or an error with
 * step ENTER. */
int mc_in_place(const struct mc_core *core, struct mc_job *job, const struct mc_place *place,
	mc_place_fn fn);

/* How `job` resolves a path in a place: `flags`, plus those of a worker. */
uint64_t mc_resolve_flags(const struct mc_job *job, uint64_t flags);

/* Describe what is at `name` in `parent`, on top of all that is mounted there, for `job`. */
int mc_describe_top(const struct mc_core *core, const struct mc_job *job, int parent,
	const char *name, struct mc_stat *ret);

#endif

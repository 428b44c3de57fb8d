/* SPDX-License-Identifier: Apache-2.0 */
/* Attach: put a clone of a host directory's mount tree at a path in a mount namespace.
 *
 * The one operation of the library.  A container's namespace and our own (where a mount propagates
 * to the host through a shared parent) differ only in the place.
 *
 *     prepare   clone the source tree in the host's namespace, set its attributes, make it private;
 *               resolve the target in the place; check everything that can be checked
 *     commit    create the missing directories, move the clone, verify it from inside
 *
 * Between the two a caller can record the planned mount: mc_attach_info() describes it.  An attach
 * without a commit leaves nothing behind. */
#ifndef MOUNTCORE_ATTACH_H
#define MOUNTCORE_ATTACH_H

#include <linux/limits.h> /* PATH_MAX, also with -std=c17 */
#include <stdbool.h>
#include <stdint.h>

#include "mountcore/attr.h"
#include "mountcore/core.h"
#include "mountcore/decls.h"
#include "mountcore/fd.h"

MC_DECLS_BEGIN

/* More missing directories than this in one target are refused (-E2BIG). */
enum { MC_MADE_MAX = 64 };

struct mc_file_id {
	uint64_t dev; /* makedev() */
	uint64_t ino; /* 0: not known, matches any */
};

/* Entries created for a target, outermost first; the last one is the target itself. */
struct mc_made {
	unsigned count;
	bool is_file; /* the last one is an empty file, for a source that is no directory */
	struct mc_file_id ids[MC_MADE_MAX];
};

/* Where to mount. */
struct mc_place {
	int ns_fd;     /* mount namespace, borrowed; MC_FD_NONE: our own */
	int root_fd;   /* targets are below this directory, borrowed; MC_FD_NONE: the root */
	int userns_fd; /* its user namespace, borrowed, if it is not ours; 0 or less: none */
	uint32_t uid;  /* its root user and group, as we number them */
	uint32_t gid;
	uint64_t key;    /* operations on one key run one at a time; 0: no limit */
	bool may_mount;  /* a process in it may mount (CAP_SYS_ADMIN): nothing in it is relied on
			  * but an overlay that the host has mounted too */
	bool may_spread; /* the parent mount may be shared: the mount is meant to propagate */
	uint64_t pid;    /* a process in it and in `userns_fd`, needed with mc_attach_args.as_uid,
			  * as_gid and group; 0: none */
	uint64_t reserved[1]; /* 0 (core.h) */
};

/* How to treat a mount at the target.  A mount that is not in mc_attach_args.own is never
 * unmounted: it is covered, and visible again after a detach. */
enum mc_replace {
	MC_REPLACE_NO,
	MC_REPLACE_ATOMIC, /* go beneath one's own mount, then take that out: the target is never
			    * without a mount */
	MC_REPLACE_ANYHOW, /* take one's own mount out, then mount */
};

/* A mount that the caller made, as mc_attach_info() told it. */
struct mc_own {
	uint64_t mount_id;
	struct mc_file_id root; /* info.source: kernels before 6.8 use the numbers again */
};

struct mc_attach_args {
	const char *source;  /* absolute host path, no symlink in it */
	const char *beneath; /* a directory that the source must be reached from, or NULL */
	const char
		*subpath; /* a path inside the source, symlinks allowed that stay in it; or NULL */
	bool alone;       /* without the mounts below the source */
	bool may_be_file; /* the source may be a file, socket … and not only a directory */
	struct mc_attr attr;
	bool idmap; /* with place.userns_fd: owners as that namespace numbers them */
	bool lock;  /* with place.userns_fd: its root cannot clear `attr` */
	struct mc_place place;
	const char *target; /* absolute, clean (mc_path_clean) */
	bool mkdir;         /* make what is missing of the target */
	enum mc_replace replace;
	const struct mc_own *own; /* of this place, for `replace`; borrowed until prepare returns */
	size_t own_count;
	/* CLOCK_MONOTONIC in ns, or 0.  A caller waits since then, and no process of the place has
	 * run yet.  Later mounts of the host may be missed.  If the host mounts so much that its
	 * table cannot be read within 50 ms, an older table is used.  A file system mounted
	 * meanwhile on the way to the source may then block a worker, if its server does not
	 * answer. */
	uint64_t since_ns;
	/* 1 + the user, and 1 + the group, as the place numbers them, that the owner of `source`
	 * (not of `subpath`) appears as; 0: as it is.  That user appears as the owner in turn, all
	 * others as they are: the two IDs are exchanged, in what is read and in what is written.
	 * Nothing on disk is changed.  With `idmap` the rest is mapped as that says; without, the
	 * rest has the host's IDs. */
	uint64_t as_uid;
	uint64_t as_gid;
	/* A part of the name of the control group that has all processes of the place, at most 127
	 * bytes: with place.pid mc_cover_look() looks at the processes of the first group with it
	 * on the way to the one of that process, and at those below.  NULL: it looks at all. */
	const char *group;
	/* Not 0: a mount that the host makes below the source later appears in the place too, and
	 * goes when the host unmounts it; never the other way round (MS_SLAVE).  If the
	 * host mounts something on the source itself, that is on top of the mount.  Such a mount
	 * has the attributes and the owners that it has on the host: `attr`, `idmap`, `as_uid` and
	 * `as_gid` are of the mounts that are there now.  Not with `lock`. */
	uint64_t is_slave;
	uint64_t reserved[4]; /* 0 (core.h) */
};

struct mc_attach_info {
	/* Without open_tree known after commit only, 0 before. */
	uint64_t mount_id;     /* unique where the kernel has that (6.8), else as in mountinfo */
	uint64_t mountinfo_id; /* column 1 of mountinfo */
	struct mc_file_id source;
	char path[PATH_MAX]; /* the mountpoint from the place's root, symlinks resolved */
	bool is_dir;         /* the source */
	unsigned to_make;    /* how many components at the end of path are missing */
	bool is_covering;    /* it goes on top of a mount that is not the caller's own */
	struct mc_made made; /* after commit: created entries */
};

struct mc_attach;

/* Prepare an attach.
 * Returns 0 with `ret` to be given to mc_attach_free(), or
 *   step SOURCE    -ENOENT, -ENOTDIR, -ELOOP (it has become a symlink)
 *   step SUBPATH   -ENOENT, -EXDEV (a symlink leads out), -ENOTDIR, -ELOOP
 *   step CLONE     -EINVAL (unbindable), -ENOSYS (kernel); without open_tree:
 *                  -EOPNOTSUPP (not this source, or not into this container),
 *                  -ENODEV (its block device has no node)
 *   step IDMAP     -EINVAL (the file system cannot, or it is mapped already), -EPERM,
 *                  -EBUSY, -ENOSYS (kernel)
 *   step USERNS    -ERANGE (the place has no such user or group), -ENOSPC (too many user
 *                  namespaces: user.max_user_namespaces), -EPERM, -EINVAL (kernel), -E2BIG
 *   step PROCESS   -ESRCH: place.pid has ended
 *   step LOCK      what making the staging namespace gave
 *   step PROPAGATION  with is_slave: -EINVAL: the source's mount is neither shared nor a slave, so
 *                  nothing can propagate from it; -ENOENT: it was unmounted; -ENOSYS: not without
 *                  open_tree
 *   step ENTER     -EINVAL (the namespace is not one), -EPERM
 *   step TARGET    -ENOENT (missing, and no mkdir), -ELOOP (magic or dangling link), -ENOTDIR,
 *                  -ESTALE (renamed or removed under us)
 *   step MKDIR     -E2BIG: more than MC_MADE_MAX directories are missing
 *   step REFUSED   -EACCES: the root, /proc, /sys, /dev or below
 *   step TYPE      -ENOTDIR: the source is a directory, the target is not; -EISDIR: vice versa
 *   step OCCUPIED  -EBUSY: something is mounted there, and it is not to be replaced
 *   step SHARED    -EINVAL: the parent mount is shared, or the one that would be covered
 *   step REPLACE   -ENOSYS: not without open_tree
 *   step HELPER    -ETIMEDOUT: a file system in the way did not answer; -EALREADY: nor does it
 *                  answer two earlier tries on the same source, or in the same place, which still
 *                  wait; -EUSERS: too many wait, for whatever it is
 *   step SETUP     -ENOMEM, -EINVAL (a reserved word is not 0, an ID is none, place.pid is
 *                  missing, or both lock and is_slave), -ENOSYS (no open_tree, and
 *                  mc_core_args.legacy is not set)
 * Source: open_tree(2), mount_setattr(2), openat2(2), user_namespaces(7), mount_namespaces(7).
 * Any thread but a worker. */
int mc_attach_prepare(struct mc_core *core, const struct mc_attach_args *args,
	struct mc_attach **ret, struct mc_err *err)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* The planned or completed mount; borrowed from `attach`. */
const struct mc_attach_info *mc_attach_info(const struct mc_attach *attach)
	__attribute__((nonnull));

/* Make the mount.  Returns 0 when it was verified to stand where it was asked, with the source's
 * device and inode, or
 *   step MKDIR     what mkdir(2) gives: -EROFS, -EACCES, -ENOSPC …
 *   step REPLACE   -EOPNOTSUPP: this kernel cannot do it atomically (before 6.5), or not here
 *   step MOVE      -ENOENT (the target was removed), -ENOSPC (fs.mount-max)
 *   step VERIFY    -ESTALE: the container moved the target meanwhile
 *   step HELPER    -ETIMEDOUT, -EALREADY, -EUSERS
 * and then no mount remains, and of the directories made those only that others may have mounted on
 * (mc_detach() of detach.h has the rule).  Once for each prepare.
 * Source: move_mount(2), statx(2), proc_sys_fs(5). */
int mc_attach_commit(struct mc_attach *attach, struct mc_err *err)
	__attribute__((nonnull(1), warn_unused_result));

/* Release; a clone that was not committed is gone with it.  NULL is ignored. */
void mc_attach_free(struct mc_attach *attach);

MC_DECLS_END

#endif

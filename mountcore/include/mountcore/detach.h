/* SPDX-License-Identifier: Apache-2.0 */
/* Detach: take out our own mount, or nothing. */
#ifndef MOUNTCORE_DETACH_H
#define MOUNTCORE_DETACH_H

#include "mountcore/attach.h"
#include "mountcore/busy.h"
#include "mountcore/decls.h"

MC_DECLS_BEGIN

struct mc_detach_args {
	struct mc_place place;
	const char *path;       /* the mountpoint, as mc_attach_info() gave it */
	uint64_t mount_id;      /* as mc_attach_info() gave it; 0: whatever is on top there */
	struct mc_file_id root; /* info.source of then: kernels before 6.8 use the numbers of mounts
				 * again; ino 0: not compared */
	uint64_t mountinfo_id;  /* the same; 0: not asked who keeps it busy, no submounts */
	unsigned at_most;     /* if more mounts stand at `path`, the one on top is another's; 0: not
				 asked */
	const char *source;   /* the host path it was cloned from, to know submounts by; or NULL */
	bool lazy;            /* MNT_DETACH: also when files are in use */
	bool is_quick;        /* one try of several: if it is busy, do not look for the processes */
	struct mc_made *made; /* to delete if still ours, empty and unused; or NULL.  The rest
			       * stays in it, at the beginning of the path */
	/* Not 0: it was attached with is_slave.  Mounts that the host has made on the source since
	 * are on top, and go too. */
	uint64_t is_slave;
	uint64_t reserved[7]; /* 0 (core.h) */
};

/* Unmount the attached tree, if it is on top at `path`, with the submounts that came with it.  Then
 * delete the directories and the file created for it that nobody else can have mounted on: those on
 * the place's own root mount and on a tmpfs that no other mount namespace has, unless a mount
 * namespace of another process has something mounted on one.  On any other mount they stay.
 * Returns 0 if the mount is gone, or
 *   step ENTER     as for attach
 *   step IDENTITY  -ENOENT: nothing of ours is at `path` (created entries are deleted all the
 *                  same, where allowed); -ESTALE: something else is on top
 *   step UMOUNT    -EBUSY: in use, and not lazy; `ret_busy` (may be NULL) has the processes, none
 *                  if another mount stands on it, if its file system has a server that the
 *                  search could wait for, or with is_quick
 *   step SETUP     -ENOMEM, -EINVAL (a reserved word is not 0)
 * and then the mount is as it was; or
 *   step HELPER    -ETIMEDOUT, -EIO: not known, a second call finds out; -EALREADY: not tried,
 *                  as earlier tries still wait (attach.h)
 * umount2 takes a path: between the check and the call a process with CAP_SYS_ADMIN in the
 * container can put another mount of its own on top.  That one is unmounted instead, and the check
 * behind the call reports -ESTALE.
 * A tree with submounts cannot be unmounted strictly in one call: it is checked for users and,
 * without any, unmounted lazily.  A process that opens a file in between keeps it until it closes
 * it.
 * Source: umount2(2).  Any thread but a worker. */
int mc_detach(struct mc_core *core, const struct mc_detach_args *args, struct mc_busy *ret_busy,
	struct mc_err *err) __attribute__((nonnull(1, 2), warn_unused_result));

/* Delete the entries created for a target where nothing is mounted any more, as mc_detach() does
 * after the unmount: `path` is the deepest of `made`; the rest stays in `made`, at its beginning.
 * Any thread but a worker. */
void mc_made_remove(struct mc_core *core, const struct mc_place *place, const char *path,
	struct mc_made *made) __attribute__((nonnull));

MC_DECLS_END

#endif

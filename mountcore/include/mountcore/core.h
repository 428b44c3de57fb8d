/* SPDX-License-Identifier: Apache-2.0 */
/* The handle of the library: the host's and our own mount namespace, the workers, the kernel's
 * features.  One for a process; every operation takes it.
 *
 * "Host" is the mount namespace whose directories are attached; "place" (attach.h) is where they
 * go.  mountcore never logs, never exits and reads no environment.  It aborts the process in one
 * case: a thread that cannot come back from a container's mount namespace must not go on.
 *
 * A struct that a caller fills ends in words called `reserved`, which are 0.  Initialise it whole,
 * with the names of members or with {0}, and they are.  A later version of the library gives some
 * of them a name; 0 then means the behaviour before.  A library that does not know the name finds a
 * word that is not 0, and refuses the call with -EINVAL instead of ignoring a wish.  So a program
 * and a library of the same soname go together, whichever is newer. */
#ifndef MOUNTCORE_CORE_H
#define MOUNTCORE_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountcore/decls.h"
#include "mountcore/err.h"

MC_DECLS_BEGIN

struct mc_core;

struct mc_core_args {
	pid_t host_pid;             /* a process in the host's mount namespace; 0: our own is it */
	unsigned workers;           /* mount worker threads at most, 1 to 16 */
	unsigned helper_timeout_ms; /* deadline of a helper process */
	unsigned mount_timeout_ms; /* of one that mounts or unmounts a file system, which may have a
				    * journal to replay; 0: 100 s */
	bool legacy;          /* without open_tree (before 5.2), mount the source's block device */
	unsigned without;     /* enum mc_feature: not to be used although the kernel has them */
	uint64_t reserved[6]; /* 0 */
};

/* Features of the kernel, each probed once at start on our own descriptors. */
enum mc_feature {
	MC_FEATURE_OPEN_TREE = 1,        /* open_tree, move_mount: 5.2 */
	MC_FEATURE_OPENAT2 = 2,          /* 5.6 */
	MC_FEATURE_MOUNT_SETATTR = 4,    /* 5.12 */
	MC_FEATURE_STATMOUNT = 8,        /* 6.8 */
	MC_FEATURE_UNIQUE_ID = 16,       /* STATX_MNT_ID_UNIQUE: 6.8 */
	MC_FEATURE_MOUNT_ID = 32,        /* STATX_MNT_ID, STATX_ATTR_MOUNT_ROOT: 5.8 */
	MC_FEATURE_CACHED = 64,          /* RESOLVE_CACHED: 5.12 */
	MC_FEATURE_MOUNT_WATCH = 128,    /* fanotify on mount namespaces: 6.15 */
	MC_FEATURE_STATMOUNT_NS = 256,   /* of a mount of another mount namespace: 6.12 */
	MC_FEATURE_OPEN_TREE_ATTR = 512, /* 6.15 */
};

/* Open the library: keeps descriptors of both namespaces, starts a worker.  More are started when
 * they are needed, by the thread that needs one.
 * Returns 0, -ENOMEM, -EPERM or -EACCES (no right to open the host's namespace), -ENOENT (no such
 * process), -EAGAIN (no thread), -EINVAL (a reserved word is not 0).  The caller closes `ret` with
 * mc_core_close().
 * Source: namespaces(7), setns(2), proc(5).  Call it before other threads change namespaces. */
int mc_core_open(const struct mc_core_args *args, struct mc_core **ret, struct mc_err *err)
	__attribute__((nonnull(1, 2), warn_unused_result));

/* Stop the workers and release everything.  No operation may be under way.  NULL is ignored. */
void mc_core_close(struct mc_core *core);

/* Run the calling thread's requests in it, without a worker: waking a worker and being woken takes
 * more time than most of the work.  For a thread that does not need its working directory: that
 * becomes the root, and both are private to the thread from now on.  It may start other threads.
 * Returns 0; -EXDEV if the process has another root than its mount namespace (chroot(2)), or the
 * error of unshare(2) or setns(2).  An error changes nothing.  Source: unshare(2), CLONE_FS. */
int mc_core_lend_thread(const struct mc_core *core) __attribute__((nonnull, warn_unused_result));

/* A set of enum mc_feature. */
unsigned mc_core_features(const struct mc_core *core) __attribute__((nonnull));

/* How attaches are made here: "mount-api"; "mount-api-compat", where some calls of it are missing
 * and made up for; "block-device", the way for kernels before 5.2 that mc_core_args.legacy allows;
 * "none".  Static. */
const char *mc_core_engine(const struct mc_core *core) __attribute__((nonnull));

/* The name of one feature for a report ("open_tree"), or NULL.  Static. */
const char *mc_feature_name(unsigned feature);

/* The mount work of the last attaches, in nanoseconds: from the start of the first system call to
 * the end of the verification.  Waiting for a worker is left out; asking a source's server whether
 * it answers is not.  Copies at most `size` samples, newest last, into `ret`; returns how many.
 * Any thread. */
unsigned mc_core_timings(struct mc_core *core, uint64_t *ret, unsigned size)
	__attribute__((nonnull));

MC_DECLS_END

#endif

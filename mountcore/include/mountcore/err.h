/* SPDX-License-Identifier: Apache-2.0 */
/* Where and why an operation of mountcore failed. */
#ifndef MOUNTCORE_ERR_H
#define MOUNTCORE_ERR_H

#include <stdbool.h>

#include "mountcore/decls.h"

MC_DECLS_BEGIN

/* The step that failed.  With the errno it decides what a caller tells its user. */
enum mc_step {
	MC_STEP_NONE,
	MC_STEP_SETUP,       /* memory, descriptors, threads, features of the kernel */
	MC_STEP_SOURCE,      /* opening the source directory on the host */
	MC_STEP_SUBPATH,     /* opening the path inside the source */
	MC_STEP_CLONE,       /* cloning its mount tree, setting the clone's attributes */
	MC_STEP_IDMAP,       /* mapping its owners to the container's user namespace */
	MC_STEP_LOCK,        /* locking its attributes against the container's root */
	MC_STEP_PROCESS,     /* opening the container's process and its mount namespace */
	MC_STEP_ENTER,       /* entering a mount namespace */
	MC_STEP_TARGET,      /* resolving the target inside the container */
	MC_STEP_REFUSED,     /* the target is a place where nothing may be mounted */
	MC_STEP_TYPE,        /* source and target are not of the same type */
	MC_STEP_OCCUPIED,    /* something is mounted at the target already */
	MC_STEP_SHARED,      /* the mount would spread through a shared parent mount */
	MC_STEP_REPLACE,     /* taking the place of the mount at the target */
	MC_STEP_MKDIR,       /* making the mountpoint */
	MC_STEP_OWNER,       /* setting the owner or mode of a directory on the host */
	MC_STEP_QUOTA,       /* limiting what a directory on the host may hold */
	MC_STEP_FS,          /* mounting a file system on the host */
	MC_STEP_MOVE,        /* moving the clone to the target */
	MC_STEP_VERIFY,      /* the mount is not what or where it was asked to be */
	MC_STEP_IDENTITY,    /* the mount to take out is not ours, or is not on top */
	MC_STEP_UMOUNT,      /* unmounting */
	MC_STEP_HELPER,      /* the helper process: not started, or past its deadline */
	MC_STEP_USERNS,      /* making the user namespace that its owners are mapped by */
	MC_STEP_PROPAGATION, /* nothing can propagate from the source's mount */
	MC_STEP_COUNT
};

struct mc_err {
	int code; /* negative errno, or 0 */
	enum mc_step step;
};

/* Fill `err` (may be NULL) unless it is filled already: the first failure is the cause.
 * A `code` of 0 fills nothing.  Returns `code`. */
int mc_err_set(struct mc_err *err, enum mc_step step, int code);

/* The name of a step for a log line: "resolving the target".  Static. */
const char *mc_step_name(enum mc_step step);

/* The kernel or a seccomp filter does not have the call.  A container engine's default profile
 * answers EPERM for calls it does not know, so a probe counts both (`defaultErrnoRet` of the
 * profile). */
bool mc_err_is_unsupported(int code);

/* A file system does not work any more: its server has ended or is out of reach, its disk is gone.
 */
bool mc_err_is_dead(int code);

MC_DECLS_END

#endif

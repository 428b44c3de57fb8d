/* SPDX-License-Identifier: Apache-2.0 */
/* An attach on its way; the files clone.c (the source's half) and prepare.c (the place's half). */
#ifndef MOUNTCORE_SRC_ATTACH_H
#define MOUNTCORE_SRC_ATTACH_H

#include "mountcore/attach.h"

#include "job.h"
#include "members.h"
#include "question.h"
#include "table.h"
#include "walk.h"

/* Of job.fds. */
enum { MC_FD_TREE, MC_FD_TARGET }; /* the tree; without open_tree the source itself */

/* Data for legacy.c. */
struct mc_legacy {
	char device[PATH_MAX]; /* on the host */
	char fstype[PATH_MAX];
	char inside[PATH_MAX]; /* of the source in that file system, absolute */
	char parent[PATH_MAX]; /* the mountpoint in the place of the mount that the target lies on
				*/
	bool is_read_only;     /* the file system on the host */
	bool is_slave;         /* the parent */
};

/* A mount that others may be mounted on. */
struct mc_parent {
	uint64_t id;
	uint64_t propagation; /* statmount's mnt_propagation */
};

/* How far a commit is: a helper goes on with a worker's commit. */
enum mc_commit_stage {
	MC_COMMIT_MOVE,
	MC_COMMIT_VERIFY, /* it was moved */
	MC_COMMIT_UNDO,
};

struct mc_attach {
	struct mc_job job; /* first: the whole struct is job memory */
	struct mc_core *core;
	struct mc_attr attr;
	struct mc_place place;
	enum mc_replace replace;
	bool mkdir;
	bool alone;
	bool may_be_file;
	bool idmap;
	bool lock;
	bool is_slave;
	bool is_mapped;  /* the source's mount, by itself: `idmap` has to be composed with that */
	uint64_t as_uid; /* as in mc_attach_args */
	uint64_t as_gid;
	uint64_t origin;    /* mountinfo ID of the mount that the source was cloned from */
	uint64_t origin_id; /* its unique ID, where the kernel has that */
	struct {
		uint32_t uid;
		uint32_t gid;
	} owner; /* of the source on the host, if it is to appear as another */
	char source[PATH_MAX];
	char beneath[PATH_MAX]; /* "" for none */
	char subpath[PATH_MAX]; /* "" for none */
	char target[PATH_MAX];
	char group[MC_GROUP_SIZE]; /* "": unknown */
	size_t missing;            /* offset into target of what does not exist */
	struct mc_stat tree;
	struct mc_stat found;   /* the target, or its deepest existing ancestor */
	bool is_local;          /* a worker may look up and make things on the mount of `found` */
	struct mc_host_way way; /* to the source */
	struct mc_question question; /* to its server */
	bool is_replacing;           /* the caller's own mount is at the target and is to go */
	uint64_t own_root;           /* mount ID of the place's root */
	/* Where statmount tells: the mount that the target is on, and the one below it if the
	 * target is a mount; the parent will be one of the two. */
	struct mc_parent top;
	struct mc_parent below;
	struct mc_parent parent;
	enum mc_commit_stage stage;
	struct mc_err verdict; /* MC_COMMIT_UNDO: why */
	uint64_t work_ns;
	struct mc_attach_info info;
	struct mc_legacy legacy;
};

#endif

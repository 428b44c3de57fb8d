/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: the straight lists of system calls that run in a foreign mount namespace.
 *
 * A job function runs in a mount worker (a thread that has its own fs_struct, so that it may setns
 * back and forth) or, when something in its way may block for ever, in a forked helper under a
 * deadline.  A worker walks
 *   - mounts on which nobody can make it wait (trust.h), with RESOLVE_NO_XDEV so that it stays
 * there,
 *   - all others by the kernel's cache only (is_cached, RESOLVE_CACHED: 5.12): -EAGAIN says that a
 *     file system might have to be asked, and a helper does that.
 * In both it may call mc_sys_* and the functions of walk.h, on memory it was given, and nothing
 * else:
 *   - malloc and free may open files (an arena trims itself by /proc/sys/vm/overcommit_memory),
 *   - stdio and pthread_exit may load libraries: the container's, at that moment,
 *   - the helper is the fork of a threaded process, where only async-signal-safe calls are allowed.
 *
 * Its memory comes from mc_job_new(): shared with a helper, so the results are there either way.
 * Descriptors it opens for the caller go into fds[]; a helper passes them on before it exits. */
#ifndef MOUNTCORE_SRC_JOB_H
#define MOUNTCORE_SRC_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountcore/err.h"

struct mc_core;
struct mc_table;

enum { MC_JOB_FDS = 2, MC_JOB_KEEP = 4 };

struct mc_job {
	int rc; /* the function's result */
	struct mc_err err;
	uint64_t key;       /* at most one job at work for each key that is not 0 */
	bool in_helper;     /* run in a helper process */
	bool is_cached;     /* in a worker: look up nothing that the kernel has not in its cache */
	uint64_t waits_for; /* a helper may wait for this (mc_key_of) */
	struct mc_table *table; /* for mc_is_local(); NULL: mc_job_run_anywhere() asks for it */
	bool is_table_old;      /* and the place is new */
	uint64_t local_root; /* of the place, as mc_open_root() found it; 0: none, or IDs recur */
	pid_t parent;        /* of a helper */
	int socket;          /* a helper's end */
	atomic_bool has_closed; /* a helper: the descriptors that are not its own */
	unsigned timeout_ms;    /* of the helper; 0: the core's */
	bool is_look;           /* a helper: not to be started beside one that is stuck */
	bool had_helper;        /* a helper has this memory, or had it */
	int keep[MC_JOB_KEEP];  /* descriptors of the caller that the function uses */
	int fds[MC_JOB_FDS];    /* opened by the function, owned by the caller */
	size_t size;            /* of its memory */
};

typedef int (*mc_job_fn)(const struct mc_core *core, struct mc_job *job);

/* Zeroed shared memory of `size` bytes that starts with a struct mc_job; NULL on ENOMEM.
 * Every descriptor in it is MC_FD_NONE. */
void *mc_job_new(size_t size) __attribute__((warn_unused_result));

/* Close fds[] and release the memory.  NULL is ignored. */
void mc_job_free(void *job_memory, size_t size);

/* The same at the end of the scope of a pointer to a job. */
void mc_free_job(void *pointer);

#define mc_auto_job __attribute__((cleanup(mc_free_job)))

/* Release the memory that is kept for the next jobs. */
void mc_jobs_unmap(void);

/* Keys that count the helpers that a file system keeps beyond their deadline: by the text of a
 * path, or by the device of a file system.  Never 0. */
uint64_t mc_key_of(const char *path);
uint64_t mc_key_of_dev(uint64_t dev);

/* Whether a worker can be kept to the kernel's cache. */
bool mc_may_be_cached(const struct mc_core *core);

/* Enter the mount namespace `ns_fd`; MC_FD_NONE is our own and needs no entering. */
int mc_enter(int ns_fd);

/* Come back to our own.  Aborts the process when that fails. */
void mc_leave(const struct mc_core *core, int ns_fd);

#endif

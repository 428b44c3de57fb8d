/* Jobs: the straight lists of system calls that run in a foreign mount namespace.
 *
 * A job function runs in a mount worker (a thread that has its own fs_struct, so that it may setns
 * back and forth) or, when something in its way may block for ever, in a forked helper under a
 * deadline.  In both it may call mc_sys_* and the functions of walk.h, on memory it was given, and
 * nothing else:
 *   - malloc and free may open files (an arena trims itself by /proc/sys/vm/overcommit_memory),
 *   - stdio and pthread_exit may load libraries: the container's, at that moment,
 *   - the helper is the fork of a threaded process, where only async-signal-safe calls are allowed.
 *
 * Its memory comes from mc_job_new(): shared with a helper, so the results are there either way.
 * Descriptors it opens for the caller go into fds[]; a helper passes them on before it exits. */
#ifndef MOUNTCORE_SRC_JOB_H
#define MOUNTCORE_SRC_JOB_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mountcore/err.h"

struct mc_core;

enum { MC_JOB_FDS = 2, MC_JOB_KEEP = 4 };

struct mc_job {
	int rc; /* what the function returned */
	struct mc_err err;
	uint64_t key;          /* at most one job at work for each key that is not 0 */
	bool in_helper;        /* run in a helper process */
	unsigned timeout_ms;   /* of the helper; 0: the core's */
	int keep[MC_JOB_KEEP]; /* descriptors of the caller that the function uses */
	int fds[MC_JOB_FDS];   /* opened by the function, owned by the caller */
};

typedef int (*mc_job_fn)(const struct mc_core *core, struct mc_job *job);

/* Zeroed shared memory of `size` bytes that starts with a struct mc_job; NULL on ENOMEM.
 * Every descriptor in it is MC_FD_NONE. */
void *mc_job_new(size_t size) __attribute__((warn_unused_result));

/* A job on a path of the host, in a helper: what is in its way may not answer. */
struct mc_path_job {
	struct mc_job job;
	char path[PATH_MAX]; /* clean */
};

/* The same memory, of what starts with a struct mc_path_job.  NULL with the reason in `err`, which
 * may be NULL: MC_STEP_SETUP (-ENOMEM), MC_STEP_SOURCE (what mc_path_clean() returned). */
void *mc_path_job_new(size_t size, const char *path, struct mc_err *err)
	__attribute__((warn_unused_result));

/* Close fds[] and release the memory.  NULL is ignored. */
void mc_job_free(void *job_memory, size_t size);

/* Run `fn` on `job` and wait for it.
 * Returns what it returned; in a helper also -ETIMEDOUT at the deadline (step MC_STEP_HELPER), -EIO
 * if the helper died.  Any thread but a worker. */
int mc_job_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

/* The same, and if something is in the way of a worker (-EXDEV: another mount on a path that it
 * walks with RESOLVE_NO_XDEV; -EOVERFLOW: a file system that takes only its user namespace's
 * owners) again in a helper, for which job->in_helper stays set. */
int mc_job_run_anywhere(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

/* Enter the mount namespace `ns_fd`; MC_FD_NONE is our own and needs no entering. */
int mc_enter(int ns_fd);

/* Come back to our own.  Aborts the process when that fails. */
void mc_leave(const struct mc_core *core, int ns_fd);

/* The two halves of mc_job_run (pool.c, helper.c). */
int mc_pool_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job);
int mc_helper_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

/* Start and stop the workers. */
int mc_pool_start(struct mc_core *core, unsigned workers);
void mc_pool_stop(struct mc_core *core);

#endif

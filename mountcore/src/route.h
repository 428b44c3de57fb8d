/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a job: a worker, a worker kept to the kernel's cache, or a helper. */
#ifndef MOUNTCORE_SRC_ROUTE_H
#define MOUNTCORE_SRC_ROUTE_H

#include <limits.h>

#include "job.h"

/* A job on a path of the host, in a helper: a file system on it may not answer. */
struct mc_path_job {
	struct mc_job job;
	char path[PATH_MAX]; /* clean */
};

/* Set up the job that begins with a struct mc_path_job, from mc_job_new().  Returns 0 or, with its
 * step in `err` (may be NULL), -ENOMEM for NULL or the error of mc_path_clean(). */
int mc_path_job_init(struct mc_core *core, void *job_memory, const char *path, struct mc_err *err)
	__attribute__((nonnull(1, 3), warn_unused_result));

/* Run a job as mc_job_run() does, and if something is in the way of a worker again by another way,
 * which is kept in the job: on -EXDEV (a mount that is not to be relied on) by the kernel's cache;
 * on -EAGAIN (that is not enough) and -EOVERFLOW (a file system that takes only its user
 * namespace's owners) in a helper. */
int mc_job_run_anywhere(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The mount workers: threads that may enter a container's mount namespace. */
#ifndef MOUNTCORE_SRC_POOL_H
#define MOUNTCORE_SRC_POOL_H

#include "job.h"

/* Start the first of at most `workers`, and stop them.  Returns 0, -EINVAL (`workers`) or the error
 * of pthread_create(3). */
int mc_pool_start(struct mc_core *core, unsigned workers);
void mc_pool_stop(struct mc_core *core);

/* Run `fn` on `job` in a worker, or in the calling thread if that was lent, and wait for it.
 * Returns what it returned. */
int mc_pool_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

/* The same, always in a worker: processes of `fn` may outlive the calling thread. */
int mc_pool_run_in_worker(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Run a job. */
#ifndef MOUNTCORE_SRC_RUN_H
#define MOUNTCORE_SRC_RUN_H

#include "job.h"

/* Run `fn` on `job` and wait for it.
 * Returns what it returned; in a helper also, with step MC_STEP_HELPER,
 *   -ETIMEDOUT  at the deadline
 *   -EALREADY   earlier helpers still wait for the same thing (waits_for), so this one was not
 *               started
 *   -EUSERS     too many wait, for whatever it is
 *   -EIO        it died
 * Any thread but a worker. */
int mc_job_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

/* The same, with the failed step in `err` (may be NULL) as well. */
int mc_job_run_err(struct mc_core *core, mc_job_fn fn, struct mc_job *job, struct mc_err *err);

#endif

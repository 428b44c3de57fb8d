/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a helper that is kept for them. */
#ifndef MOUNTCORE_SRC_QUESTION_H
#define MOUNTCORE_SRC_QUESTION_H

#include "job.h"
#include "slot.h"

struct mc_kept;

/* A question to a kept helper. */
struct mc_question {
	struct mc_waiting waiting;
	struct mc_kept *kept; /* NULL: nothing is asked */
};

/* Send `fn` and job->fds to a helper that is kept for questions, and go on.  The descriptors stay
 * the caller's.  The function may use `fds`, `rc` and `err` of its job, and no descriptor of the
 * core; `fds` are closed behind it.  The deadline is the core's.  mc_job_answer() follows in any
 * case, and `ret` does not move until then.  Meanwhile the same thread starts no helper with the
 * same waits_for: it could wait for itself. Returns 0, or a negative errno as mc_job_run() with
 * step MC_STEP_HELPER.  Any thread but a worker.
 */
int mc_job_ask(struct mc_core *core, mc_job_fn fn, struct mc_job *job, struct mc_question *ret);

/* Wait for the answer.  `err` may be NULL.
 * Returns the function's result, 0 if nothing is asked, or a negative errno as mc_job_run(). */
int mc_job_answer(struct mc_core *core, struct mc_question *question, struct mc_err *err);

/* End the kept helper.  No job runs. */
void mc_helper_stop(struct mc_core *core);

#endif

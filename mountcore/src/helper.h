/* The helper process: a job under a deadline. */
#ifndef MOUNTCORE_SRC_HELPER_H
#define MOUNTCORE_SRC_HELPER_H

#include "job.h"

struct mc_kept;

/* A helper at work.  In the memory of the thread that waits for it. */
struct mc_waiting {
	uint64_t waits_for;
	struct mc_waiting *next;
};

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

/* The half of mc_job_run() for helpers; the other one is mc_pool_run(). */
int mc_helper_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

/* In a helper: end with the process that started it.  Again behind a change of user, which makes
 * the kernel forget it (commit_creds()). */
void mc_helper_bind(const struct mc_job *job);

/* Wait for the helpers that were just forked to close their copies of our descriptors, which keep
 * mounts busy. */
void mc_helper_settle(struct mc_core *core);

/* End the kept helper.  No job runs. */
void mc_helper_stop(struct mc_core *core);

/* Collect the helpers that were left to themselves at their deadline and have ended since. */
void mc_helper_reap(struct mc_core *core);

#endif

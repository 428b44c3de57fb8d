/* The helper process: a job under a deadline. */
#ifndef MOUNTCORE_SRC_HELPER_H
#define MOUNTCORE_SRC_HELPER_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "job.h"
#include "slot.h"

struct mc_kept;

/* While a helper is started or waited for: a signal would end the wait, and run the caller's
 * handlers in the helper. */
void mc_helper_block_signals(sigset_t *ret_before);

/* In a helper: close all descriptors but these, which are in order. */
void mc_close_all_but(const int *keep, int count);

/* A helper that may have copies of our descriptors still. */
struct mc_starting {
	const struct mc_job *job;
	struct mc_starting *next;
};

void mc_starting_add(struct mc_core *core, struct mc_starting *self);
void mc_starting_remove(struct mc_core *core, const struct mc_starting *self);

/* Fork a helper.  Returns its process and fills `ret_socket`, or a negative errno with its step in
 * job->err. */
int mc_helper_start(const struct mc_core *core, mc_job_fn fn, struct mc_job *job, int *ret_socket);

/* Wait for a message of a helper.  As mc_message_receive(), and -ETIMEDOUT. */
int mc_helper_await(int socket_fd, unsigned timeout_ms, int *fds);

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

#endif

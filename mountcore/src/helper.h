/* SPDX-License-Identifier: Apache-2.0 */
/* The helper process: a job under a deadline. */
#ifndef MOUNTCORE_SRC_HELPER_H
#define MOUNTCORE_SRC_HELPER_H

#include <signal.h>

#include "job.h"

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

/* The half of mc_job_run() for helpers; the other one is mc_pool_run(). */
int mc_helper_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job);

/* In a helper: end with the process that started it.  Again behind a change of user, which makes
 * the kernel forget it (commit_creds()). */
void mc_helper_bind(const struct mc_job *job);

/* Wait for the helpers that were just forked to close their copies of our descriptors, which keep
 * mounts busy. */
void mc_helper_settle(struct mc_core *core);

#endif

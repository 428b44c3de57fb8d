/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a helper that is kept for them.
 *
 * A fork costs milliseconds.  So one helper is kept for questions (mc_job_ask): forked by a worker
 * (PR_SET_PDEATHSIG follows the thread) at the first of them, it is sent each with its descriptors
 * through its socket, closes them and answers.  At a deadline it is abandoned like any other. */
#include "question.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "helper.h"
#include "message.h"
#include "pool.h"
#include "slot.h"
#include "sys.h"

static const int no_fds[MC_JOB_FDS] = {MC_FD_NONE, MC_FD_NONE};

/* Shared with it. */
struct mc_kept {
	struct mc_job job; /* `rc` and `err`: the answer */
	mc_job_fn fn;      /* the question */
	pid_t pid;
	int socket; /* our end */
};

/* Its core is the one at the fork, whose descriptors it has not any more. */
static int serve(const struct mc_core *core, struct mc_job *job)
{
	struct mc_kept *self = (struct mc_kept *)job;
	struct mc_job asked;

	mc_close_all_but(&job->socket, 1);
	mc_message_send(job->socket, no_fds, no_fds);
	for (;;) {
		asked = (struct mc_job){.in_helper = true};
		memcpy(asked.fds, no_fds, sizeof(no_fds));
		if (mc_message_receive(job->socket, asked.fds) < 0)
			return 0; /* the daemon has ended, or wants it no more */
		job->rc = self->fn(core, &asked);
		job->err = asked.err;
		for (int i = 0; i < MC_JOB_FDS; i++)
			mc_sys_close_fd(&asked.fds[i]);
		mc_message_send(job->socket, no_fds, no_fds);
	}
}

/* In a worker. */
static int start_kept(const struct mc_core *core, struct mc_job *job)
{
	struct mc_kept *self = (struct mc_kept *)job;

	self->pid = mc_helper_start(core, serve, job, &self->socket);
	return self->pid;
}

static void drop_kept(struct mc_core *core, struct mc_kept *kept, uint64_t waits_for)
{
	mc_close_fd(&kept->socket);
	if (kept->pid > 0)
		mc_helper_abandon(core, kept->pid, waits_for);
	mc_job_free(kept, sizeof(*kept));
}

static int new_kept(struct mc_core *core, struct mc_kept **ret)
{
	struct mc_kept *kept = mc_job_new(sizeof(*kept));
	struct mc_starting starting = {.job = &kept->job};
	int fds[MC_JOB_FDS], rc;

	if (!kept)
		return -ENOMEM;
	kept->socket = MC_FD_NONE;
	mc_starting_add(core, &starting);
	/* It is to outlive the caller: it ends with the thread that forks it. */
	rc = mc_pool_run_in_worker(core, start_kept, &kept->job);
	if (rc >= 0)
		rc = mc_helper_await(kept->socket, core->helper_timeout_ms, fds);
	mc_starting_remove(core, &starting);
	if (rc < 0)
		drop_kept(core, kept, 0);
	else
		*ret = kept;
	return rc;
}

static struct mc_kept *take_kept(struct mc_core *core)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	return mc_take_ptr(&core->kept);
}

/* One is enough: several at work at once are rare. */
static void put_kept(struct mc_core *core, struct mc_kept *kept)
{
	pthread_mutex_lock(&core->lock);
	if (!core->kept) {
		core->kept = kept;
		kept = NULL;
	}
	pthread_mutex_unlock(&core->lock);
	if (kept)
		drop_kept(core, kept, 0);
}

void mc_helper_stop(struct mc_core *core)
{
	if (core->kept)
		drop_kept(core, take_kept(core), 0);
}

static int send_job(struct mc_kept *kept, mc_job_fn fn, const struct mc_job *job)
{
	ssize_t rc;

	kept->fn = fn;
	rc = mc_message_send(kept->socket, no_fds, job->fds);
	return rc < 0 ? (int)rc : 0;
}

/* Send the question to the kept helper, to a new one if that has ended or is at work. */
static int find_kept(
	struct mc_core *core, mc_job_fn fn, const struct mc_job *job, struct mc_kept **ret)
{
	struct mc_kept *kept = take_kept(core);
	int rc = kept ? send_job(kept, fn, job) : -ECHILD;

	if (kept && rc < 0)
		drop_kept(core, kept, 0);
	if (rc < 0) {
		rc = new_kept(core, &kept);
		if (rc < 0)
			return rc;
		rc = send_job(kept, fn, job);
		if (rc < 0)
			drop_kept(core, kept, 0);
	}
	if (rc == 0)
		*ret = kept;
	return rc;
}

int mc_job_ask(struct mc_core *core, mc_job_fn fn, struct mc_job *job, struct mc_question *ret)
{
	sigset_t before;
	int rc;

	mc_helper_reap(core);
	*ret = (struct mc_question){.waiting.waits_for = job->waits_for};
	mc_helper_block_signals(&before);
	rc = mc_slot_take(core, &ret->waiting);
	if (rc == 0) {
		rc = find_kept(core, fn, job, &ret->kept);
		if (rc < 0)
			mc_slot_release(core, &ret->waiting);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return mc_err_set(&job->err, MC_STEP_HELPER, rc);
}

int mc_job_answer(struct mc_core *core, struct mc_question *question, struct mc_err *err)
{
	struct mc_kept *kept = mc_take_ptr(&question->kept);
	sigset_t before;
	int none[MC_JOB_FDS], rc;

	if (!kept)
		return 0;
	mc_helper_block_signals(&before);
	rc = mc_helper_await(kept->socket, core->helper_timeout_ms, none);
	if (rc < 0) {
		mc_err_set(err, MC_STEP_HELPER, rc);
		drop_kept(core, kept, question->waiting.waits_for);
	} else {
		rc = mc_err_set(err, kept->job.err.step, kept->job.rc);
		put_kept(core, kept);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	mc_slot_release(core, &question->waiting);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The mount workers.
 *
 * Sequence in each: unshare(CLONE_FS) so that setns(CLONE_NEWNS) is allowed in a threaded process,
 * umask 0, every signal blocked; then take a task, run it, say so, again.  One is started with the
 * core, each of the others when a task finds all of them at work. */
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "inode.h"
#include "sys.h"

/* Set by mc_core_lend_thread(). */
static _Thread_local const struct mc_core *lent_to;

/* One job that waits for a worker; lives on the stack of the thread that waits. */
struct mc_task {
	mc_job_fn fn;
	struct mc_job *job;
	bool is_done;
	pthread_cond_t done;
	struct mc_task *next;
};

static struct mc_task *take_task(struct mc_core *core)
{
	struct mc_task *task;

	while (!core->first && !core->stopping)
		pthread_cond_wait(&core->work, &core->lock);
	task = core->first;
	if (task) {
		core->waiting--;
		core->idle_workers--;
		core->first = task->next;
		if (!core->first)
			core->last = NULL;
	}
	return task;
}

static void *work(void *argument)
{
	struct mc_core *core = argument;
	int setup = mc_sys_unshare(CLONE_FS);
	struct mc_task *task;

	if (setup == 0)
		mc_sys_umask(0);
	pthread_mutex_lock(&core->lock);
	while ((task = take_task(core))) {
		pthread_mutex_unlock(&core->lock);
		task->job->rc = setup < 0 ? mc_err_set(&task->job->err, MC_STEP_SETUP, setup)
					  : task->fn(core, task->job);
		pthread_mutex_lock(&core->lock);
		core->idle_workers++;
		task->is_done = true;
		pthread_cond_signal(&task->done);
	}
	pthread_mutex_unlock(&core->lock);
	return NULL;
}

/* With the lock. */
static int add_worker(struct mc_core *core)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited by the worker */
	rc = -pthread_create(&core->workers[core->worker_count], NULL, work, core);
	if (rc == 0) {
		core->worker_count++;
		core->idle_workers++; /* it is about to be */
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int run_here(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	int before = mc_sys_umask(0);

	job->rc = fn(core, job);
	mc_sys_umask((mode_t)before);
	return job->rc;
}

/* A thread that was started by this one since shares its fs_struct, and setns(2) refuses that. */
static bool may_run_here(const struct mc_core *core)
{
	return lent_to == core && mc_sys_unshare(CLONE_FS) == 0;
}

int mc_pool_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	return may_run_here(core) ? run_here(core, fn, job) : mc_pool_run_in_worker(core, fn, job);
}

int mc_pool_run_in_worker(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	struct mc_task task = {.fn = fn, .job = job, .done = PTHREAD_COND_INITIALIZER};

	pthread_mutex_lock(&core->lock);
	if (core->last)
		core->last->next = &task;
	else
		core->first = &task;
	core->last = &task;
	if (++core->waiting > core->idle_workers && core->worker_count < core->worker_max)
		(void)add_worker(core); /* else a worker takes it later */
	pthread_cond_signal(&core->work);
	while (!task.is_done)
		pthread_cond_wait(&task.done, &core->lock);
	pthread_mutex_unlock(&core->lock);
	pthread_cond_destroy(&task.done);
	return job->rc;
}

/* A thread that enters a mount namespace gets its root. */
int mc_core_lend_thread(const struct mc_core *core)
{
	mc_auto_fd root = mc_sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
	struct mc_stat before = {0}, after;
	int rc = root < 0 ? root : mc_sys_unshare(CLONE_FS);

	if (rc == 0)
		rc = mc_describe(core, root, "", &before);
	if (rc == 0)
		rc = mc_sys_setns(core->home_ns, CLONE_NEWNS);
	if (rc < 0)
		return rc;
	rc = mc_describe(core, AT_FDCWD, "/", &after);
	if (rc == 0 && (before.mount_id != after.mount_id || before.ino != after.ino))
		rc = -EXDEV;
	if (rc == 0)
		lent_to = core;
	else if (mc_sys_fchdir(root) < 0 || mc_sys_chroot(".") < 0)
		abort();
	return rc;
}

int mc_pool_start(struct mc_core *core, unsigned workers)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	if (workers < 1 || workers > MC_WORKERS_MAX)
		return -EINVAL;
	core->worker_max = workers;
	return add_worker(core);
}

void mc_pool_stop(struct mc_core *core)
{
	pthread_mutex_lock(&core->lock);
	core->stopping = true;
	pthread_cond_broadcast(&core->work);
	pthread_mutex_unlock(&core->lock);
	for (unsigned i = 0; i < core->worker_count; i++)
		pthread_join(core->workers[i], NULL);
	core->worker_count = 0;
}

#include "job.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "helper.h"
#include "pool.h"
#include "slot.h"
#include "sys.h"
#include "table.h"

/* A key at work; lives on the stack of the thread that runs the job. */
struct mc_gate {
	uint64_t key;
	struct mc_gate *next;
};

void *mc_job_new(size_t size)
{
	struct mc_job *job =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (job == MAP_FAILED)
		return NULL;
	for (int i = 0; i < MC_JOB_FDS; i++)
		job->fds[i] = MC_FD_NONE;
	for (int i = 0; i < MC_JOB_KEEP; i++)
		job->keep[i] = MC_FD_NONE;
	return job;
}

void *mc_path_job_new(struct mc_core *core, size_t size, const char *path, struct mc_err *err)
{
	struct mc_path_job *job = mc_job_new(size);
	struct mc_host_way way;
	int rc;

	if (!job) {
		mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
		return NULL;
	}
	rc = mc_path_clean(path, job->path, sizeof(job->path));
	if (rc < 0) {
		mc_err_set(err, MC_STEP_SOURCE, rc);
		mc_job_free(job, size);
		return NULL;
	}
	job->job.in_helper = true;
	mc_table_find_way(core, job->path, &way);
	job->job.waits_for = way.key;
	return job;
}

void mc_job_free(void *job_memory, size_t size)
{
	struct mc_job *job = job_memory;

	if (!job)
		return;
	for (int i = 0; i < MC_JOB_FDS; i++)
		mc_close_fd(&job->fds[i]);
	munmap(job, size);
}

int mc_enter(int ns_fd)
{
	return ns_fd < 0 ? 0 : mc_sys_setns(ns_fd, CLONE_NEWNS);
}

void mc_leave(const struct mc_core *core, int ns_fd)
{
	if (ns_fd >= 0 && mc_sys_setns(core->home_ns, CLONE_NEWNS) < 0)
		abort();
}

static bool gate_is_taken(const struct mc_core *core, uint64_t key)
{
	for (const struct mc_gate *gate = core->gates; gate; gate = gate->next)
		if (gate->key == key)
			return true;
	return false;
}

static void gate_enter(struct mc_core *core, struct mc_gate *gate)
{
	pthread_mutex_lock(&core->lock);
	while (gate_is_taken(core, gate->key))
		pthread_cond_wait(&core->changed, &core->lock);
	gate->next = core->gates;
	core->gates = gate;
	pthread_mutex_unlock(&core->lock);
}

static void gate_leave(struct mc_core *core, const struct mc_gate *gate)
{
	pthread_mutex_lock(&core->lock);
	for (struct mc_gate **at = &core->gates; *at; at = &(*at)->next) {
		if (*at == gate) {
			*at = gate->next;
			break;
		}
	}
	pthread_cond_broadcast(&core->changed);
	pthread_mutex_unlock(&core->lock);
}

int mc_job_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	struct mc_gate gate = {.key = job->key};
	int rc;

	job->rc = 0;
	job->err = (struct mc_err){0};
	mc_helper_reap(core);
	if (gate.key)
		gate_enter(core, &gate);
	rc = job->in_helper ? mc_helper_run(core, fn, job) : mc_pool_run(core, fn, job);
	if (gate.key)
		gate_leave(core, &gate);
	return rc;
}

static void go_to_helper(struct mc_job *job)
{
	job->in_helper = true;
	job->is_cached = false;
}

static int run_anywhere(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	int rc = mc_job_run(core, fn, job);

	if (rc == -EXDEV && !job->in_helper && !job->is_cached && mc_may_be_cached(core)) {
		job->is_cached = true;
		rc = mc_job_run(core, fn, job);
	}
	if ((rc == -EXDEV || rc == -EAGAIN || rc == -EOVERFLOW) && !job->in_helper) {
		go_to_helper(job);
		rc = mc_job_run(core, fn, job);
	}
	return rc;
}

int mc_job_run_anywhere(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	int rc;

	if (job->table)
		return run_anywhere(core, fn, job);
	job->table = mc_table_get(core, 0, &job->is_table_old);
	rc = run_anywhere(core, fn, job);
	mc_table_put(core, job->table);
	job->table = NULL;
	return rc;
}

bool mc_may_be_cached(const struct mc_core *core)
{
	return core->features & MC_FEATURE_CACHED && core->features & MC_FEATURE_OPEN_TREE;
}

uint64_t mc_key_of(const char *path)
{
	uint64_t key = 0xcbf29ce484222325U; /* FNV-1a */

	for (; *path; path++)
		key = (key ^ (unsigned char)*path) * 0x100000001b3U;
	return key | 1;
}

uint64_t mc_key_of_dev(uint64_t dev)
{
	return dev << 1 | 1;
}

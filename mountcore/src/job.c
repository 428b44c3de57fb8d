#include "job.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "run.h"
#include "sys.h"
#include "table.h"

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

/* Which way a job takes, by the host's mount table. */
#include "route.h"

#include <errno.h>

#include "mountcore/path.h"

#include "run.h"
#include "table.h"

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

/* SPDX-License-Identifier: Apache-2.0 */
/* Which way a job takes, by the host's mount table. */
#include "route.h"

#include <errno.h>

#include "mountcore/path.h"

#include "run.h"
#include "table.h"

int mc_path_job_init(struct mc_core *core, void *job_memory, const char *path, struct mc_err *err)
{
	struct mc_path_job *job = job_memory;
	struct mc_host_way way;
	int rc;

	if (!job)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	rc = mc_path_clean(path, job->path, sizeof(job->path));
	if (rc < 0)
		return mc_err_set(err, MC_STEP_SOURCE, rc);
	job->job.in_helper = true;
	mc_table_find_way(core, job->path, &way);
	job->job.waits_for = way.key;
	return 0;
}

static int run_anywhere(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	int rc = mc_job_run(core, fn, job);

	if (rc == -EXDEV && !job->in_helper && !job->is_cached && mc_may_be_cached(core)) {
		job->is_cached = true;
		rc = mc_job_run(core, fn, job);
	}
	if ((rc == -EXDEV || rc == -EAGAIN || rc == -EOVERFLOW) && !job->in_helper) {
		job->in_helper = true;
		job->is_cached = false;
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

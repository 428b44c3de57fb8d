/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "sys.h"

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
	job->size = size;
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

void mc_free_job(void *pointer)
{
	struct mc_job *job = *(void **)pointer;

	if (job)
		mc_job_free(job, job->size);
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

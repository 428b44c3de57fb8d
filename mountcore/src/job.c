/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "sys.h"

/* Memory of jobs that are over, for the next ones: each munmap(2) interrupts the processors that
 * run another thread of this process.  ROOM is enough for nearly all of them, and takes what is
 * used of it. */
enum { KEPT_MAX = 3, ROOM = 10 << 12 };

static _Atomic(struct mc_job *) kept_jobs[KEPT_MAX];

static size_t room_of(size_t size)
{
	return size > ROOM ? size : ROOM;
}

static struct mc_job *take_kept(size_t size)
{
	struct mc_job *job = NULL;

	for (int i = 0; size <= ROOM && !job && i < KEPT_MAX; i++)
		job = atomic_exchange(&kept_jobs[i], NULL);
	return job ? memset(job, 0, size) : NULL;
}

static struct mc_job *map(size_t size)
{
	void *job = mmap(
		NULL, room_of(size), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return job == MAP_FAILED ? NULL : job;
}

/* Not what a helper was given: a helper that was left behind may write there still. */
static bool keep(struct mc_job *job)
{
	struct mc_job *none = NULL;

	for (int i = 0; job->size <= ROOM && !job->had_helper && i < KEPT_MAX; i++, none = NULL)
		if (atomic_compare_exchange_strong(&kept_jobs[i], &none, job))
			return true;
	return false;
}

void mc_jobs_unmap(void)
{
	for (int i = 0; i < KEPT_MAX; i++) {
		struct mc_job *job = atomic_exchange(&kept_jobs[i], NULL);

		if (job)
			munmap(job, ROOM);
	}
}

void *mc_job_new(size_t size)
{
	struct mc_job *job = take_kept(size);

	if (!job)
		job = map(size);
	if (!job)
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
	if (!keep(job))
		munmap(job, room_of(size));
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Which jobs run at once.  Includes the library's private headers. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "box.h"
#include "job.h"
#include "run.h"

enum { DEADLINE_MS = 10000 };

/* Jobs that note how many of them are inside. */
static atomic_int inside, most;

static int be_inside(const struct mc_core *core, struct mc_job *job)
{
	int now = atomic_fetch_add(&inside, 1) + 1;

	(void)core;
	(void)job;
	if (now > atomic_load(&most))
		atomic_store(&most, now);
	sched_yield();
	atomic_fetch_sub(&inside, 1);
	return 0;
}

static void *run_many(void *argument)
{
	struct mc_core *core = argument;
	struct mc_job *job = mc_job_new(sizeof(*job));

	for (int i = 0; job && i < 200; i++) {
		job->key = 7;
		if (mc_job_run(core, be_inside, job) != 0)
			atomic_store(&most, 99);
	}
	mc_job_free(job, sizeof(*job));
	return NULL;
}

TEST(jobs_with_one_key_run_one_at_a_time)
{
	enum { THREADS = 4 };
	struct mc_core *core = scene_core(THREADS, DEADLINE_MS);
	pthread_t threads[THREADS];

	atomic_store(&most, 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_many, core), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&most), 1);
	mc_core_close(core);
}

struct meeting_job {
	struct mc_job job;
	int pipe[2];
};

static struct meeting_job *new_job(void)
{
	struct meeting_job *job = mc_job_new(sizeof(*job));

	assert_non_null(job);
	return job;
}

/* Each tells the other that it runs and waits to be told: ends only if both run at once. */
static int meet(const struct mc_core *core, struct mc_job *job)
{
	struct meeting_job *self = (struct meeting_job *)job;
	char byte;

	(void)core;
	if (write(self->pipe[1], "", 1) != 1)
		return -EIO;
	return read(self->pipe[0], &byte, 1) == 1 ? 0 : -EIO;
}

struct meeting {
	struct mc_core *core;
	struct meeting_job *job;
	int rc;
};

static void *go_to_meeting(void *argument)
{
	struct meeting *self = argument;

	self->rc = mc_job_run(self->core, meet, &self->job->job);
	return NULL;
}

static void hold_meeting(uint64_t key, uint64_t other_key)
{
	struct mc_core *core = scene_core(2, DEADLINE_MS);
	struct meeting one = {core, new_job(), -1}, two = {core, new_job(), -1};
	int there[2], back[2];
	pthread_t thread;

	assert_int_equal(pipe2(there, O_CLOEXEC) | pipe2(back, O_CLOEXEC), 0);
	one.job->job.key = key;
	two.job->job.key = other_key;
	one.job->pipe[0] = back[0];
	one.job->pipe[1] = there[1];
	two.job->pipe[0] = there[0];
	two.job->pipe[1] = back[1];
	assert_int_equal(pthread_create(&thread, NULL, go_to_meeting, &one), 0);
	go_to_meeting(&two);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(one.rc, 0);
	assert_int_equal(two.rc, 0);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
	mc_job_free(one.job, sizeof(*one.job));
	mc_job_free(two.job, sizeof(*two.job));
	mc_core_close(core);
}

TEST(jobs_with_no_key_or_different_keys_run_at_once)
{
	hold_meeting(0, 0);
	hold_meeting(1, 2);
}

struct big_job {
	struct mc_job job;
	char bytes[5000];
};

TEST(memory_that_was_used_is_zero_for_the_next_job)
{
	enum { JOBS = 8 };
	static const struct big_job zero;
	struct big_job *jobs[JOBS];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < JOBS; i++) {
			jobs[i] = mc_job_new(sizeof(*jobs[i]));
			assert_non_null(jobs[i]);
			assert_memory_equal(jobs[i]->bytes, zero.bytes, sizeof(zero.bytes));
			assert_int_equal(jobs[i]->job.key, 0);
			assert_int_equal(jobs[i]->job.fds[0], MC_FD_NONE);
			memset(jobs[i]->bytes, 'x', sizeof(jobs[i]->bytes));
			jobs[i]->job.key = 7;
		}
		for (int i = 0; i < JOBS; i++)
			mc_job_free(jobs[i], sizeof(*jobs[i]));
	}
}

/* Whether the memory is mapped: it is kept for the next job. */
static bool is_kept(void *memory)
{
	unsigned char there;

	return mincore(memory, 1, &there) == 0;
}

/* It is freed while no other is kept. */
static void run_and_free(struct mc_core *core, bool in_helper, bool is_kept_then)
{
	struct mc_job *job = mc_job_new(sizeof(*job));

	assert_non_null(job);
	job->in_helper = in_helper;
	assert_int_equal(mc_job_run(core, be_inside, job), 0);
	mc_job_free(job, sizeof(*job));
	assert_int_equal(is_kept(job), is_kept_then);
	mc_jobs_unmap();
	assert_false(is_kept(job));
}

TEST(memory_that_a_helper_had_is_not_kept)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);

	mc_jobs_unmap();
	run_and_free(core, false, true);
	run_and_free(core, true, false);
	mc_core_close(core);
}

TEST(memory_that_is_too_large_is_not_kept)
{
	enum { PAGE = 4096, SIZE = 256 * PAGE };
	char *job = mc_job_new(SIZE);

	assert_non_null(job);
	mc_job_free(job, SIZE);
	assert_false(is_kept(job));
	assert_false(is_kept(job + SIZE - PAGE));
}

TEST_MAIN_PRIVILEGED()

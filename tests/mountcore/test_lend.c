/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that does the workers' work itself.  Includes the library's private headers. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "box.h"
#include "core.h"
#include "job.h"
#include "run.h"
#include "scratch.h"

enum { DEADLINE_MS = 10000 };

struct where_job {
	struct mc_job job;
	pid_t thread;
	mode_t mask;
};

static int look_where(const struct mc_core *core, struct mc_job *job)
{
	struct where_job *self = (struct where_job *)job;

	(void)core;
	self->thread = gettid();
	self->mask = umask(0);
	return 42;
}

/* Which thread does a job of ours, and with which umask. */
static struct where_job find_where(struct mc_core *core)
{
	struct where_job *job = mc_job_new(sizeof(*job)), found;

	assert_non_null(job);
	assert_int_equal(mc_job_run(core, look_where, &job->job), 42);
	found = *job;
	mc_job_free(job, sizeof(*job));
	return found;
}

static struct stat stat_of(const char *path)
{
	struct stat stat_now;

	assert_int_equal(stat(path, &stat_now), 0);
	return stat_now;
}

static void expect_same(const char *path, const struct stat *before)
{
	struct stat now = stat_of(path);

	assert_int_equal(now.st_ino, before->st_ino);
	assert_int_equal(now.st_dev, before->st_dev);
}

/* A thread of its own: it stays lent until it ends. */
static void in_thread(void *(*fn)(void *), void *argument)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, fn, argument), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *work_here(void *argument)
{
	struct attach_fixture *scene = argument;
	struct stat root = stat_of("/"), ns = stat_of("/proc/thread-self/ns/mnt");
	struct where_job found;

	assert_int_not_equal(find_where(scene->core).thread, gettid());
	assert_int_equal(mc_core_lend_thread(scene->core), 0);
	umask(027);
	found = find_where(scene->core);
	assert_int_equal(found.thread, gettid());
	assert_int_equal(found.mask, 0);
	assert_int_equal(umask(027), 027);
	assert_int_equal(scene_attach(scene, "/mnt/a"), 0);
	assert_true(box_has_file(&scene->box, "/mnt/a/file"));
	scene_expect_refused(scene,
		&(struct mc_attach_args){.place = {.ns_fd = scene->ns.ns_fd,
						 .root_fd = MC_FD_NONE,
						 .key = scene->ns.ino},
			.source = "/no/such/source",
			.target = "/mnt/b"},
		MC_STEP_SOURCE, -ENOENT);
	assert_int_equal(scene_detach(scene, false), 0);
	expect_same("/", &root);
	expect_same("/proc/thread-self/ns/mnt", &ns);
	return NULL;
}

SCENE_TEST(what_it_asks_for_is_done_in_it_and_leaves_no_trace)
{
	struct stat cwd;

	assert_int_equal(chdir(SOURCE), 0);
	umask(022);
	cwd = stat_of(".");
	in_thread(work_here, scene);
	expect_same(".", &cwd); /* the other threads keep theirs */
	assert_int_equal(umask(022), 022);
	assert_int_not_equal(find_where(scene->core).thread, gettid());
	assert_int_equal(chdir("/"), 0);
}

static void *wait_for_end(void *end)
{
	pthread_barrier_wait(end);
	return NULL;
}

static void *work_beside_a_child(void *argument)
{
	struct attach_fixture *scene = argument;
	pthread_barrier_t end;
	pthread_t child;

	assert_int_equal(mc_core_lend_thread(scene->core), 0);
	assert_int_equal(pthread_barrier_init(&end, NULL, 2), 0);
	assert_int_equal(pthread_create(&child, NULL, wait_for_end, &end), 0);
	assert_int_equal(find_where(scene->core).thread, gettid());
	assert_int_equal(scene_attach(scene, "/mnt/a"), 0);
	assert_int_equal(scene_detach(scene, false), 0);
	pthread_barrier_wait(&end);
	assert_int_equal(pthread_join(child, NULL), 0);
	pthread_barrier_destroy(&end);
	return NULL;
}

/* The kernel lets no thread enter a mount namespace that shares root and working directory. */
SCENE_TEST(a_thread_that_it_started_is_not_in_its_way)
{
	in_thread(work_beside_a_child, scene);
}

static void *try_in_chroot(void *argument)
{
	const struct mc_core *core = argument;
	struct stat root = stat_of("/");

	assert_int_equal(mc_core_lend_thread(core), -EXDEV);
	expect_same("/", &root);
	assert_int_equal(access("/file", F_OK), 0);
	return NULL;
}

SCENE_TEST(a_process_with_a_root_of_its_own_keeps_it)
{
	mc_auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(chroot(SOURCE), 0);
	assert_int_equal(chdir("/"), 0);
	in_thread(try_in_chroot, scene->core);
	assert_int_equal(fchdir(root), 0);
	assert_int_equal(chroot("."), 0);
	assert_int_equal(scene_attach(scene, "/mnt/a"), 0);
}

TEST_MAIN_PRIVILEGED()

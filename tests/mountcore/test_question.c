/* SPDX-License-Identifier: Apache-2.0 */
/* The helper that is kept for questions, and the copies of our descriptors that a new helper has.
 * Includes the library's private headers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"

#include "box.h"
#include "core.h"
#include "job.h"
#include "question.h"
#include "scratch.h"

enum { FD_SCAN = 1024, DEADLINE_MS = 10000, SHORT_MS = 500, CLOSE_WAIT_MS = 200 };

static struct mc_job *new_job(void)
{
	struct mc_job *job = mc_job_new(sizeof(*job));

	assert_non_null(job);
	return job;
}

static int say_pid(const struct mc_core *core, struct mc_job *job)
{
	(void)core;
	(void)job;
	return getpid();
}

static int count_open(const struct mc_core *core, struct mc_job *job)
{
	int count = 0;

	(void)core;
	(void)job;
	for (int fd = 0; fd < FD_SCAN; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* It waits for a byte through the descriptor it was given. */
static int read_byte(const struct mc_core *core, struct mc_job *job)
{
	char byte;

	(void)core;
	return read(job->fds[0], &byte, 1) == 1 ? getpid()
						: mc_err_set(&job->err, MC_STEP_SOURCE, -EIO);
}

static int ask(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	struct mc_question question;
	struct mc_err err = {0};

	assert_int_equal(mc_job_ask(core, fn, job, &question), 0);
	return mc_job_answer(core, &question, &err);
}

static void expect_end_of(pid_t pid)
{
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

TEST(questions_go_to_one_helper_that_ends_with_the_core)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct mc_job *job = new_job();
	pid_t pid = ask(core, say_pid, job);

	assert_true(pid > 0 && pid != getpid());
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(core, say_pid, job), pid);
	mc_core_close(core);
	expect_end_of(pid);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	mc_job_free(job, sizeof(*job));
}

TEST(it_has_its_socket_and_no_descriptor_longer_than_a_question)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct mc_job *job = new_job();

	job->fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(core, count_open, job), 1 + 1);
	mc_close_fd(&job->fds[0]);
	assert_int_equal(ask(core, count_open, job), 1);
	mc_core_close(core);
	mc_job_free(job, sizeof(*job));
}

TEST(the_error_of_a_question_arrives_with_its_step)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct mc_job *job = new_job();
	struct mc_question question;
	struct mc_err err = {0};

	assert_int_equal(mc_job_ask(core, read_byte, job, &question), 0);
	assert_int_equal(mc_job_answer(core, &question, &err), -EIO);
	assert_int_equal(err.code, -EIO);
	assert_int_equal(err.step, MC_STEP_SOURCE);
	assert_int_equal(mc_job_answer(core, &question, &err), 0); /* nothing is asked any more */
	mc_core_close(core);
	mc_job_free(job, sizeof(*job));
}

TEST(one_that_was_killed_is_replaced)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	unsigned fds = hv_count_fds();
	struct mc_job *job = new_job();
	pid_t next, pid = ask(core, say_pid, job);

	for (int i = 0; i < 3; i++, pid = next) {
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
		next = ask(core, say_pid, job);
		assert_true(next > 0 && next != pid);
		expect_end_of(pid);
		assert_int_equal(hv_count_fds(), fds + 1);
	}
	mc_core_close(core);
	mc_job_free(job, sizeof(*job));
}

TEST(a_second_question_does_not_wait_for_the_first)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct mc_job *job = new_job(), *other = new_job();
	struct mc_question question;
	struct mc_err err = {0};
	int pipe_fds[2];
	pid_t first, second;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	job->fds[0] = pipe_fds[0];
	assert_int_equal(mc_job_ask(core, read_byte, job, &question), 0);
	second = ask(core, say_pid, other);
	assert_int_equal(write(pipe_fds[1], "", 1), 1);
	first = mc_job_answer(core, &question, &err);
	assert_true(first > 0 && second > 0 && first != second);
	assert_int_equal(ask(core, say_pid, other), second); /* one is kept */
	expect_end_of(first);
	close(pipe_fds[1]);
	mc_core_close(core);
	mc_job_free(job, sizeof(*job));
	mc_job_free(other, sizeof(*other));
}

TEST(one_past_its_deadline_is_killed_and_the_next_question_answered)
{
	struct mc_core *core = scene_core(1, SHORT_MS);
	struct mc_job *job = new_job(), *other = new_job();
	struct mc_question question;
	struct mc_err err = {0};
	pid_t pid = ask(core, say_pid, job);
	int pipe_fds[2];

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	job->fds[0] = pipe_fds[0];
	assert_int_equal(mc_job_ask(core, read_byte, job, &question), 0);
	assert_int_equal(mc_job_answer(core, &question, &err), -ETIMEDOUT);
	assert_int_equal(err.step, MC_STEP_HELPER);
	expect_end_of(pid);
	assert_true(ask(core, say_pid, other) != pid);
	assert_int_equal(core->abandoned_count, 0);
	close(pipe_fds[1]);
	mc_core_close(core);
	mc_job_free(job, sizeof(*job));
	mc_job_free(other, sizeof(*other));
}

/* A question is counted with the helpers that wait for the same thing. */
TEST(a_question_where_two_wait_is_not_asked)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct mc_job *job = new_job();
	struct mc_question question;
	struct mc_err err = {0};
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	for (int i = 0; i < MC_STUCK_MAX; i++)
		core->abandoned[core->abandoned_count++] = (struct mc_abandoned){pid, 7};
	job->waits_for = 7;
	assert_int_equal(mc_job_ask(core, say_pid, job, &question), -EALREADY);
	assert_int_equal(job->err.step, MC_STEP_HELPER);
	assert_int_equal(mc_job_answer(core, &question, &err), 0);
	job->waits_for = 8;
	assert_true(ask(core, say_pid, job) > 0);
	core->abandoned_count = 0;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	mc_core_close(core);
	mc_job_free(job, sizeof(*job));
}

/* Of a daemon that is killed. */
TEST(it_ends_with_its_process)
{
	atomic_int *pid =
		mmap(NULL, sizeof(*pid), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t daemon;
	int ready[2];
	char byte;
	struct pollfd end = {.events = POLLIN};

	assert_true(pid != MAP_FAILED);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	daemon = fork();
	if (daemon == 0) {
		struct mc_core *core = scene_core(1, DEADLINE_MS);

		atomic_store(pid, ask(core, say_pid, new_job()));
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	end.fd = (int)syscall(SYS_pidfd_open, atomic_load(pid), 0);
	assert_true(end.fd >= 0);
	assert_int_equal(kill(daemon, SIGKILL), 0);
	assert_int_equal(waitpid(daemon, NULL, 0), daemon);
	assert_int_equal(poll(&end, 1, DEADLINE_MS), 1);
	close(end.fd);
	close(ready[0]);
	close(ready[1]);
	munmap(pid, sizeof(*pid));
}

/* --- copies of our descriptors -------------------------------------------------------------- */

static struct {
	atomic_bool is_armed;
	int forked[2];
	int unmounted[2];
} race;

int __real_mc_sys_close_range(unsigned first, unsigned last);
int __wrap_mc_sys_close_range(unsigned first, unsigned last);
int __real_mc_sys_umount2(const char *path, int flags);
int __wrap_mc_sys_umount2(const char *path, int flags);

/* In the helper: no faster than the unmount, if that does not wait for it. */
int __wrap_mc_sys_close_range(unsigned first, unsigned last)
{
	struct pollfd unmounted = {.fd = race.unmounted[0], .events = POLLIN};

	if (atomic_exchange(&race.is_armed, false)) {
		(void)!write(race.forked[1], "", 1);
		(void)!poll(&unmounted, 1, CLOSE_WAIT_MS);
	}
	return __real_mc_sys_close_range(first, last);
}

int __wrap_mc_sys_umount2(const char *path, int flags)
{
	int rc = __real_mc_sys_umount2(path, flags);

	(void)!write(race.unmounted[1], "", 1);
	return rc;
}

static void *run_helper(void *argument)
{
	const struct attach_fixture *scene = argument;
	char real[PATH_MAX];

	assert_int_equal(mc_host_resolve(scene->core, SOURCE, real, NULL, NULL), 0);
	return NULL;
}

NS_TEST(a_detach_is_not_refused_because_of_a_helper_that_was_just_started)
{
	struct attach_fixture scene;
	pthread_t thread;
	char byte;
	int fd;

	assert_int_equal(pipe2(race.forked, O_CLOEXEC), 0);
	assert_int_equal(pipe2(race.unmounted, O_CLOEXEC | O_NONBLOCK), 0);
	scene_open(&scene);
	assert_int_equal(scene_attach(&scene, "/beside"), 0);
	fd = open(box_path(&scene.box, "/beside"), O_PATH | O_CLOEXEC);
	assert_true(fd >= 0);
	atomic_store(&race.is_armed, true);
	assert_int_equal(pthread_create(&thread, NULL, run_helper, &scene), 0);
	assert_int_equal(read(race.forked[0], &byte, 1), 1);
	close(fd);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	scene_close(&scene);
}

TEST_MAIN_PRIVILEGED()

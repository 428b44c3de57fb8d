/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs in a worker and in a helper process.  Includes the library's private headers. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "box.h"
#include "core.h"
#include "helper.h"
#include "job.h"
#include "run.h"
#include "sys.h"

enum { FD_SCAN = 1024, DEADLINE_MS = 10000 };

struct probe_job {
	struct mc_job job;
	int number;
	int closed_fd; /* must not be open in a helper */
	int pipe[2];
	unsigned open_fds;
	mode_t mask;
	pid_t pid;
	bool is_closed;
	bool is_dumpable;
	bool blocks_signals;
};

static struct probe_job *new_job(void)
{
	struct probe_job *job = mc_job_new(sizeof(*job));

	assert_non_null(job);
	return job;
}

static void free_job(struct probe_job *job)
{
	mc_job_free(job, sizeof(*job));
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int look_around(const struct mc_core *core, struct mc_job *job)
{
	struct probe_job *self = (struct probe_job *)job;
	sigset_t blocked;

	(void)core;
	for (int fd = 0; fd < FD_SCAN; fd++)
		self->open_fds += is_open(fd);
	self->is_closed = !is_open(self->closed_fd);
	self->mask = umask(0);
	self->pid = getpid();
	self->is_dumpable = prctl(PR_GET_DUMPABLE) != 0;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	self->blocks_signals = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD);
	self->number = 4711;
	job->fds[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return job->fds[1] < 0 ? -errno : 42;
}

static void check_results(bool in_helper)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	unsigned fds = hv_count_fds();
	struct probe_job *job = new_job();

	umask(022);
	job->job.in_helper = in_helper;
	assert_int_equal(mc_job_run(core, look_around, &job->job), 42);
	assert_int_equal(job->number, 4711);
	assert_int_equal(job->pid == getpid(), !in_helper);
	assert_int_equal(job->mask, 0);
	assert_true(job->blocks_signals);
	assert_int_equal(umask(022), 022);
	assert_int_equal(job->job.err.code, 0);
	assert_int_equal(job->job.fds[0], MC_FD_NONE);
	assert_true(fcntl(job->job.fds[1], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(hv_count_fds(), fds + 1);
	free_job(job);
	assert_int_equal(hv_count_fds(), fds);
	mc_core_close(core);
}

TEST(a_worker_s_results_and_descriptors_arrive)
{
	check_results(false);
}

TEST(a_helper_s_results_and_descriptors_arrive)
{
	check_results(true);
}

/* Wait for the byte of another job, and write one. */
static int meet(const struct mc_core *core, struct mc_job *job)
{
	struct probe_job *self = (struct probe_job *)job;
	char byte = 0;

	(void)core;
	return write(self->pipe[1], &byte, 1) == 1 && read(self->pipe[0], &byte, 1) == 1 ? 0 : -EIO;
}

struct meeting {
	struct mc_core *core;
	struct probe_job *job;
};

static void *go_to_meeting(void *argument)
{
	const struct meeting *meeting = argument;

	(void)!mc_job_run(meeting->core, meet, &meeting->job->job);
	return NULL;
}

/* Each of two jobs ends when the other has begun. */
TEST(a_worker_is_started_when_all_are_at_work)
{
	struct mc_core *core = scene_core(4, DEADLINE_MS);
	struct probe_job *jobs[] = {new_job(), new_job()};
	struct meeting one = {core, jobs[0]};
	int pipes[2][2];
	pthread_t thread;

	assert_int_equal(core->worker_count, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mc_job_run(core, look_around, &jobs[0]->job), 42);
		mc_close_fd(&jobs[0]->job.fds[1]);
	}
	assert_int_equal(core->worker_count, 1);
	assert_int_equal(pipe2(pipes[0], O_CLOEXEC), 0);
	assert_int_equal(pipe2(pipes[1], O_CLOEXEC), 0);
	for (int i = 0; i < 2; i++) {
		jobs[i]->pipe[0] = pipes[i][0];
		jobs[i]->pipe[1] = pipes[1 - i][1];
	}
	assert_int_equal(pthread_create(&thread, NULL, go_to_meeting, &one), 0);
	assert_int_equal(mc_job_run(core, meet, &jobs[1]->job), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(jobs[0]->job.rc, 0);
	assert_int_equal(core->worker_count, 2);
	for (int i = 0; i < 2; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
		free_job(jobs[i]);
	}
	mc_core_close(core);
}

TEST(a_helper_has_only_the_descriptors_it_needs)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct probe_job *job = new_job();
	const struct sockaddr any = {.sa_family = AF_UNIX};
	mc_auto_fd listener = socket(AF_UNIX, SOCK_STREAM, 0); /* not even O_CLOEXEC */
	mc_auto_fd kept = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(bind(listener, &any, sizeof(any.sa_family)), 0);
	assert_int_equal(listen(listener, 1), 0);
	job->job.in_helper = true;
	job->job.keep[0] = kept;
	job->closed_fd = listener;
	assert_int_equal(mc_job_run(core, look_around, &job->job), 42);
	assert_true(job->is_closed);
	assert_false(job->is_dumpable);
	/* The core's two namespaces, root and procfs; the socket home; the one to keep. */
	assert_int_equal(job->open_fds, 4 + 1 + 1);
	free_job(job);
	mc_core_close(core);
}

static int refuse(const struct mc_core *core, struct mc_job *job)
{
	(void)core;
	return mc_err_set(&job->err, MC_STEP_TARGET, -EUCLEAN);
}

TEST(the_error_and_its_step_arrive)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);

	for (int in_helper = 0; in_helper < 2; in_helper++) {
		struct probe_job *job = new_job();

		job->job.in_helper = in_helper;
		assert_int_equal(mc_job_run(core, refuse, &job->job), -EUCLEAN);
		assert_int_equal(job->job.err.code, -EUCLEAN);
		assert_int_equal(job->job.err.step, MC_STEP_TARGET);
		free_job(job);
	}
	mc_core_close(core);
}

static int hang(const struct mc_core *core, struct mc_job *job)
{
	struct probe_job *self = (struct probe_job *)job;

	(void)core;
	self->pid = getpid();
	job->fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	mc_err_set(&job->err, MC_STEP_TARGET, -EIO);
	while (pause() < 0)
		continue;
	return 0;
}

TEST(a_helper_past_its_deadline_is_killed)
{
	struct mc_core *core = scene_core(1, 500); /* until it has said who it is */
	struct probe_job *job = new_job();
	unsigned fds = hv_count_fds();

	job->job.in_helper = true;
	assert_int_equal(mc_job_run(core, hang, &job->job), -ETIMEDOUT);
	assert_int_equal(job->job.err.code, -ETIMEDOUT);
	assert_int_equal(job->job.err.step, MC_STEP_HELPER);
	assert_int_equal(job->job.fds[0], MC_FD_NONE);
	assert_true(job->pid > 0);
	assert_int_equal(kill(job->pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(hv_count_fds(), fds);
	free_job(job);
	mc_core_close(core);
}

static int be_slow(const struct mc_core *core, struct mc_job *job)
{
	(void)core;
	(void)job;
	usleep(500000);
	return 5;
}

TEST(a_job_may_have_a_deadline_of_its_own)
{
	struct mc_core *core = scene_core(1, 100);
	struct probe_job *job = new_job();

	job->job.in_helper = true;
	job->job.timeout_ms = DEADLINE_MS;
	assert_int_equal(mc_job_run(core, be_slow, &job->job), 5);
	job->job.timeout_ms = 0;
	assert_int_equal(mc_job_run(core, be_slow, &job->job), -ETIMEDOUT);
	free_job(job);
	mc_core_close(core);
}

static int die(const struct mc_core *core, struct mc_job *job)
{
	(void)core;
	job->fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return raise(SIGKILL);
}

TEST(a_helper_that_dies_is_an_error_of_its_own)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct probe_job *job = new_job();
	unsigned fds = hv_count_fds();

	job->job.in_helper = true;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(mc_job_run(core, die, &job->job), -EIO);
		assert_int_equal(job->job.err.step, MC_STEP_HELPER);
		assert_int_equal(job->job.fds[0], MC_FD_NONE);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* all reaped */
	assert_int_equal(hv_count_fds(), fds);
	free_job(job);
	mc_core_close(core);
}

static void on_signal(int number)
{
	(void)number;
}

static int wait_for_byte(const struct mc_core *core, struct mc_job *job)
{
	struct probe_job *self = (struct probe_job *)job;
	char byte;

	(void)core;
	self->pid = getpid();
	if (write(job->keep[1], "", 1) != 1)
		return -EIO;
	return read(job->keep[0], &byte, 1) == 1 ? 0 : -EIO;
}

struct poker {
	pthread_t whom;
	int start;
	int finish;
};

enum { POKES = 200 };

/* Signals the thread that waits as soon as the helper runs, then lets the helper end. */
static void *poke(void *argument)
{
	const struct poker *self = argument;
	char byte;

	for (int i = 0; i < POKES; i++)
		if (read(self->start, &byte, 1) != 1 || pthread_kill(self->whom, SIGUSR1) != 0 ||
			write(self->finish, "", 1) != 1)
			break;
	return NULL;
}

TEST(a_signal_in_the_waiting_thread_does_not_end_the_helper)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct probe_job *job = new_job();
	int start[2], finish[2], rc = 0;
	struct poker poker = {.whom = pthread_self()};
	pthread_t thread;

	assert_int_equal(pipe2(start, O_CLOEXEC) | pipe2(finish, O_CLOEXEC), 0);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	poker.start = start[0];
	poker.finish = finish[1];
	job->job.in_helper = true;
	job->job.keep[0] = finish[0];
	job->job.keep[1] = start[1];
	assert_int_equal(pthread_create(&thread, NULL, poke, &poker), 0);
	for (int i = 0; i < POKES && rc == 0; i++)
		rc = mc_job_run(core, wait_for_byte, &job->job);
	close(start[1]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(rc, 0);
	close(start[0]);
	close(finish[0]);
	close(finish[1]);
	free_job(job);
	mc_core_close(core);
}

TEST(too_many_abandoned_helpers_stop_new_ones_until_they_are_gone)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct probe_job *job = new_job();
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	for (unsigned i = 0; i < MC_ABANDONED_MAX; i++)
		core->abandoned[core->abandoned_count++] = (struct mc_abandoned){pid, i + 100};
	job->job.in_helper = true;
	assert_int_equal(mc_job_run(core, look_around, &job->job), -EUSERS);
	assert_int_equal(job->job.err.step, MC_STEP_HELPER);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_int_equal(mc_job_run(core, look_around, &job->job), 42);
	assert_int_equal(core->abandoned_count, 0);
	free_job(job);
	mc_core_close(core);
}

/* Two helpers wait for one thing: no third one is sent there, but others are sent elsewhere. */
TEST(a_third_helper_for_what_two_wait_for_is_not_started)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct probe_job *job = new_job();
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	job->job.in_helper = true;
	job->job.waits_for = 7;
	core->abandoned[core->abandoned_count++] = (struct mc_abandoned){pid, 7};
	core->abandoned[core->abandoned_count++] = (struct mc_abandoned){pid, 8};
	assert_int_equal(mc_job_run(core, look_around, &job->job), 42);
	core->abandoned[core->abandoned_count++] = (struct mc_abandoned){pid, 7};
	mc_close_fd(&job->job.fds[1]);
	assert_int_equal(mc_job_run(core, look_around, &job->job), -EALREADY);
	assert_int_equal(job->job.err.step, MC_STEP_HELPER);
	job->job.waits_for = 8;
	assert_int_equal(mc_job_run(core, look_around, &job->job), 42);
	mc_close_fd(&job->job.fds[1]);
	job->job.waits_for = 7;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_int_equal(mc_job_run(core, look_around, &job->job), 42);
	assert_int_equal(core->abandoned_count, 0);
	free_job(job);
	mc_core_close(core);
}

/* By any job, also one that needs no helper: they are zombies until then. */
TEST(abandoned_helpers_that_ended_are_collected)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct probe_job *job = new_job();
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	core->abandoned[core->abandoned_count++] = (struct mc_abandoned){pid, 7};
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_int_equal(mc_job_run(core, look_around, &job->job), 42);
	assert_int_equal(core->abandoned_count, 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	free_job(job);
	mc_core_close(core);
}

static int change_user(const struct mc_core *core, struct mc_job *job)
{
	int signal = 0, before = 0;

	(void)core;
	prctl(PR_GET_PDEATHSIG, &before);
	if (mc_sys_become(1, 1) < 0)
		return -EPERM;
	mc_helper_bind(job);
	prctl(PR_GET_PDEATHSIG, &signal);
	return before == SIGKILL && signal == SIGKILL ? 42 : -EINVAL;
}

/* The kernel forgets it then (commit_creds()). */
TEST(a_helper_that_changes_its_user_still_ends_with_the_daemon)
{
	struct mc_core *core = scene_core(1, DEADLINE_MS);
	struct probe_job *job = new_job();

	job->job.in_helper = true;
	assert_int_equal(mc_job_run(core, change_user, &job->job), 42);
	free_job(job);
	mc_core_close(core);
}

TEST(new_job_memory_is_empty)
{
	struct probe_job *job = new_job();

	for (int i = 0; i < MC_JOB_FDS; i++)
		assert_int_equal(job->job.fds[i], MC_FD_NONE);
	for (int i = 0; i < MC_JOB_KEEP; i++)
		assert_int_equal(job->job.keep[i], MC_FD_NONE);
	assert_int_equal(job->number, 0);
	free_job(job);
	mc_job_free(NULL, 0);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* The helper process: a job under a deadline.
 *
 * Sequence: socketpair, fork; the child closes every descriptor it does not need, notes that, runs
 * the job, sends what it opened through the socket, exits; the parent waits for that message up to
 * the deadline, then kills the child.  A child that not even SIGKILL ends (a FUSE server that never
 * answers holds it) is abandoned: it holds no lock, no listening socket and no database, and is
 * reaped later.  Two of those on one thing, and nobody else is sent there. */
#include "helper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "message.h"
#include "slot.h"
#include "sys.h"

enum {
	KEEP_MAX = MC_JOB_KEEP + MC_JOB_FDS + 5, /* the job's, the core's four and the socket */
	FD_SCAN_MAX = 1 << 16,                   /* before close_range (5.9) */
	SETTLE_STEP_US = 200,
};

void mc_helper_block_signals(sigset_t *ret_before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, ret_before);
}

static void keep_add(int *keep, int *count, int fd)
{
	int at = *count;

	if (fd < 0)
		return;
	while (at > 0 && keep[at - 1] > fd) {
		keep[at] = keep[at - 1];
		at--;
	}
	keep[at] = fd;
	(*count)++;
}

static void close_gap(int first, int last)
{
	if (first > last || mc_sys_close_range((unsigned)first, (unsigned)last) == 0)
		return;
	/* Before 5.9.  Forced by the tests' deny_syscall close_range. */
	for (int fd = first; fd <= last && fd < FD_SCAN_MAX; fd++)
		mc_sys_close(fd);
}

void mc_close_all_but(const int *keep, int count)
{
	int next = 0;

	for (int i = 0; i < count; i++) {
		close_gap(next, keep[i] - 1);
		next = keep[i] + 1;
	}
	close_gap(next, INT32_MAX);
}

static void close_unneeded(const struct mc_core *core, const struct mc_job *job)
{
	int keep[KEEP_MAX];
	int count = 0;

	keep_add(keep, &count, job->socket);
	keep_add(keep, &count, core->home_ns);
	keep_add(keep, &count, core->host_ns);
	keep_add(keep, &count, core->host_root);
	keep_add(keep, &count, core->proc);
	for (int i = 0; i < MC_JOB_KEEP; i++)
		keep_add(keep, &count, job->keep[i]);
	for (int i = 0; i < MC_JOB_FDS; i++)
		keep_add(keep, &count, job->fds[i]);
	mc_close_all_but(keep, count);
}

void mc_helper_bind(const struct mc_job *job)
{
	mc_sys_prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mc_sys_getppid() != job->parent)
		_exit(1); /* it ended before it was said */
}

static void run_child(const struct mc_core *core, mc_job_fn fn, struct mc_job *job)
	__attribute__((noreturn));

static void run_child(const struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	int fds[MC_JOB_FDS];

	memcpy(fds, job->fds, sizeof(fds));
	mc_helper_bind(job);
	mc_sys_prctl(PR_SET_DUMPABLE, 0);
	mc_sys_umask(0);
	close_unneeded(core, job);
	job->has_closed = true;
	job->rc = fn(core, job);
	mc_message_send(job->socket, fds, job->fds);
	_exit(0);
}

int mc_helper_start(const struct mc_core *core, mc_job_fn fn, struct mc_job *job, int *ret_socket)
{
	int pair[2], pid, rc = mc_sys_socketpair(pair);
	mc_auto_fd ours = MC_FD_NONE, theirs = MC_FD_NONE;

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_SETUP, rc);
	ours = pair[0];
	theirs = pair[1];
	job->parent = getpid();
	job->socket = theirs;
	job->had_helper = true;
	pid = mc_sys_fork();
	if (pid < 0)
		return mc_err_set(&job->err, MC_STEP_HELPER, pid);
	if (pid == 0)
		run_child(core, fn, job);
	*ret_socket = mc_take_fd(&ours);
	return pid;
}

int mc_helper_await(int socket_fd, unsigned timeout_ms, int *fds)
{
	int rc = mc_sys_poll_in(socket_fd, (int)timeout_ms);

	if (rc <= 0)
		return rc < 0 ? rc : -ETIMEDOUT;
	return mc_message_receive(socket_fd, fds);
}

void mc_starting_add(struct mc_core *core, struct mc_starting *self)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	self->next = core->starting;
	core->starting = self;
}

void mc_starting_remove(struct mc_core *core, const struct mc_starting *self)
{
	mc_auto_lock lock = mc_lock(&core->lock);
	struct mc_starting **at = &core->starting;

	while (*at != self)
		at = &(*at)->next;
	*at = self->next;
}

static bool is_any_starting(struct mc_core *core)
{
	mc_auto_lock lock = mc_lock(&core->lock);
	const struct mc_starting *at = core->starting;

	while (at && at->job->has_closed)
		at = at->next;
	return at != NULL;
}

void mc_helper_settle(struct mc_core *core)
{
	while (is_any_starting(core))
		usleep(SETTLE_STEP_US);
}

static int run_once(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	const unsigned timeout_ms = job->timeout_ms ? job->timeout_ms : core->helper_timeout_ms;
	struct mc_starting starting = {.job = job};
	mc_auto_fd ours = MC_FD_NONE;
	int fds[MC_JOB_FDS], pid, rc;

	memcpy(fds, job->fds, sizeof(fds));
	job->has_closed = false;
	mc_starting_add(core, &starting);
	pid = mc_helper_start(core, fn, job, &ours);
	rc = pid < 0 ? pid : mc_helper_await(ours, timeout_ms, fds);
	mc_starting_remove(core, &starting);
	if (pid < 0)
		return pid;
	if (rc < 0)
		mc_helper_abandon(core, pid, job->waits_for);
	else
		waitpid(pid, NULL, 0);
	memcpy(job->fds, fds, sizeof(fds)); /* the child's numbers mean nothing here */
	if (rc == 0)
		return job->rc;
	job->err = (struct mc_err){0};
	return mc_err_set(&job->err, MC_STEP_HELPER, rc);
}

int mc_helper_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	struct mc_waiting waiting = {.waits_for = job->waits_for, .is_look = job->is_look};
	sigset_t before;
	int rc;

	mc_helper_block_signals(&before);
	rc = mc_err_set(&job->err, MC_STEP_HELPER, mc_slot_take(core, &waiting));
	if (rc == 0) {
		rc = run_once(core, fn, job);
		mc_slot_release(core, &waiting);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

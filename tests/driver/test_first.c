/* SPDX-License-Identifier: Apache-2.0 */
/* The first process of a container is the only child of who makes it. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "start/first.h"

static _Atomic pid_t last;
static bool has_namespace = true;

/* Of the runtime: its children, which end with it. */
static _Noreturn void be_child(int ready)
{
	if (has_namespace && unshare(CLONE_NEWNS) < 0)
		_exit(EXIT_FAILURE);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(ready, "", 1) != 1)
		_exit(EXIT_FAILURE);
	for (;;)
		pause();
}

static void fork_child(void)
{
	int ready[2];
	char byte;
	pid_t pid = pipe(ready) == 0 ? fork() : -1;

	if (pid == 0)
		be_child(ready[1]);
	close(ready[1]);
	if (pid > 0 && read(ready[0], &byte, 1) == 1)
		last = pid;
}

/* The thread that forks it stays, as those of Go do. */
static _Noreturn void *fork_child_and_stay(void *argument)
{
	(void)argument;
	fork_child();
	for (;;)
		pause();
}

struct runtime {
	pid_t pid;
	pid_t child; /* its last */
};

static _Noreturn void be_runtime(int children, bool by_thread, int ready)
{
	pthread_t thread;
	pid_t child = 0;

	for (int i = 0; i < children; i++) {
		last = 0;
		if (!by_thread)
			fork_child();
		else if (pthread_create(&thread, NULL, fork_child_and_stay, NULL) != 0)
			_exit(EXIT_FAILURE);
		while (!(child = last))
			usleep(1000);
	}
	if (write(ready, &child, sizeof(child)) != sizeof(child))
		_exit(EXIT_FAILURE);
	for (;;)
		pause();
}

static struct runtime begin(int children, bool by_thread)
{
	struct runtime runtime;
	int ready[2];

	assert_int_equal(pipe(ready), 0);
	runtime.pid = fork();
	assert_true(runtime.pid >= 0);
	if (runtime.pid == 0)
		be_runtime(children, by_thread, ready[1]);
	assert_int_equal(
		read(ready[0], &runtime.child, sizeof(runtime.child)), sizeof(runtime.child));
	close(ready[0]);
	close(ready[1]);
	return runtime;
}

static void end(const struct runtime *runtime)
{
	assert_int_equal(kill(runtime->pid, SIGKILL), 0);
	assert_int_equal(waitpid(runtime->pid, NULL, 0), runtime->pid);
}

TEST(the_only_child_is_found)
{
	for (int by_thread = 0; by_thread < 2; by_thread++) {
		struct runtime runtime = begin(1, by_thread);

		assert_int_equal(hv_first_find(runtime.pid), runtime.child);
		end(&runtime);
	}
}

TEST(several_are_none)
{
	for (int by_thread = 0; by_thread < 2; by_thread++) {
		struct runtime runtime = begin(2, by_thread);

		assert_int_equal(hv_first_find(runtime.pid), -ESRCH);
		end(&runtime);
	}
}

TEST(who_has_none_or_is_none_is_told)
{
	struct runtime runtime = begin(0, false);

	assert_int_equal(hv_first_find(runtime.pid), -ESRCH);
	end(&runtime);
	assert_int_equal(hv_first_find(runtime.pid), -ESRCH);
	assert_int_equal(hv_first_find(0), -ESRCH); /* of another PID namespace */
}

TEST(who_has_the_runtimes_namespace_is_not_set_up)
{
	struct runtime runtime;

	has_namespace = false;
	runtime = begin(1, false);
	has_namespace = true;
	assert_int_equal(hv_first_find(runtime.pid), -ESRCH);
	end(&runtime);
}

TEST_MAIN_PRIVILEGED()

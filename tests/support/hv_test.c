/* SPDX-License-Identifier: Apache-2.0 */
#include "support/hv_test.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char hv_sandbox[] = "/tmp";

static struct hv_test *first, **last = &first;

void hv_add_test(struct hv_test *test)
{
	*last = test;
	last = &test->next;
}

int hv_run_tests(void)
{
	struct CMUnitTest *tests;
	size_t count = 0;
	int failed;

	for (const struct hv_test *test = first; test; test = test->next)
		count++;
	tests = count > 0 ? calloc(count, sizeof(*tests)) : NULL;
	if (!tests) {
		fputs("no tests\n", stderr);
		exit(99);
	}
	count = 0;
	for (const struct hv_test *test = first; test; test = test->next)
		tests[count++] = test->test;
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* a test that is killed has its name told */
	failed = _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
	free(tests);
	return failed;
}

unsigned hv_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 3; /* ".", ".." and the stream's own */
}

static int try_namespace(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) == 0 ? 0 : errno);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return EAGAIN;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
}

int hv_need_privilege(void)
{
	const char *must = getenv("HOSTVOL_MUST_RUN_PRIV");
	int error = try_namespace();

	if (error == 0)
		return 0;
	fprintf(stderr, "cannot make a mount namespace: %s\n", strerror(error));
	return must && strcmp(must, "1") == 0 ? 1 : HV_SKIP;
}

static void run_in_namespace(void (*fn)(void))
{
	/* A failed assertion ends this process, instead of going on with the group's next test. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("hv_sandbox", hv_sandbox, "tmpfs", 0, NULL) < 0 || chdir(hv_sandbox) < 0) {
		perror("hv_in_namespace");
		_exit(99);
	}
	fn();
	exit(0); /* not _exit: LeakSanitizer reports at exit */
}

void hv_in_namespace(void (*fn)(void))
{
	pid_t pid;
	int status = 0;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_in_namespace(fn);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int hv_run_in_namespace(void (*fn)(void))
{
	int rc = hv_need_privilege();

	if (rc == 0)
		hv_in_namespace(fn);
	return rc;
}

int hv_run_tests_privileged(void)
{
	int status = hv_need_privilege();

	return status ? status : hv_run_tests();
}

static void exit_with_tests(void)
{
	exit(hv_run_tests());
}

int hv_run_tests_in_namespace(void)
{
	return hv_run_in_namespace(exit_with_tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The code between the setns into a container's namespace and the setns home must not open a
 * library, grow memory or do anything else that could meet the container's files by accident: its
 * system calls are on a list.  strace is the witness. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/hv_test.h"

enum { THREADS_MAX = 256, NOT_FOUND = 127 };

/* statmount has no name in strace 6.1. */
static const char *const allowed[] = {"openat2", "openat", "open_tree", "statx", "statmount",
	"syscall_0x1c9", "readlinkat", "readlink", "mkdirat", "move_mount", "umount2", "fchdir",
	"close", "read", "unlinkat", "setns", "mount_setattr", "clock_gettime", "fstatfs"};

/* Threads inside, and calls seen. */
struct reading {
	long away[THREADS_MAX];
	unsigned away_count;
	unsigned sections;
	unsigned calls;
	unsigned strangers;
};

static bool is_allowed(const char *name)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(allowed[i], name) == 0)
			return true;
	return false;
}

static unsigned find_away(const struct reading *reading, long tid)
{
	unsigned at = 0;

	while (at < reading->away_count && reading->away[at] != tid)
		at++;
	return at;
}

/* Lines are "TID name(arguments) = result", "TID name(… <unfinished ...>", "TID <... name
 * resumed>…", "TID --- signal" and "TID +++ exit". */
static void read_line(struct reading *reading, const char *line)
{
	char name[64], *rest = NULL;
	long tid = strtol(line, &rest, 10);
	unsigned at;

	if (rest == line || sscanf(rest, " %63[a-z0-9_](", name) != 1)
		return;
	at = find_away(reading, tid);
	if (at < reading->away_count) {
		reading->calls++;
		if (!is_allowed(name)) {
			fprintf(stderr, "inside: %s", line);
			reading->strangers++;
		}
	}
	if (strcmp(name, "setns") != 0)
		return;
	assert_null(strstr(line, "= -1")); /* would be neither in nor out */
	if (at < reading->away_count) {
		reading->away[at] = reading->away[--reading->away_count];
		return;
	}
	assert_true(reading->away_count < THREADS_MAX);
	reading->away[reading->away_count++] = tid;
	reading->sections++;
}

static int run_traced(const char *log)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* cannot work under ptrace */
		execlp("strace", "strace", "-f", "-qq", "-o", log, PURITY, (char *)NULL);
		_exit(errno == ENOENT ? NOT_FOUND : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(only_listed_calls_are_made_inside_a_container_s_namespace)
{
	char log[] = "/tmp/hv_purity_XXXXXX", *line = NULL;
	struct reading reading = {.sections = 0};
	size_t room = 0;
	int fd = mkstemp(log);
	FILE *file;

	assert_true(fd >= 0);
	assert_int_equal(run_traced(log), 0);
	file = fdopen(fd, "re");
	assert_non_null(file);
	while (getline(&line, &room, file) >= 0)
		read_line(&reading, line);
	free(line);
	fclose(file);
	unlink(log);
	assert_int_equal(reading.strangers, 0);
	assert_int_equal(reading.away_count, 0); /* everybody came home */
	/* Otherwise the log was not understood. */
	assert_true(reading.sections >= 50 && reading.sections <= 5000);
	assert_true(reading.calls >= 10 * 50 && reading.calls <= 1000000);
}

/* 0 if strace is there and may trace. */
static int need_strace(void)
{
	const char *must = getenv("HOSTVOL_MUST_RUN_PRIV");

	if (system("strace -f -o /dev/null true 2>/dev/null") == 0)
		return 0;
	fprintf(stderr, "strace is missing or may not trace\n");
	return must && strcmp(must, "1") == 0 ? 1 : HV_SKIP;
}

int main(void)
{
	int missing = hv_need_privilege();

	if (missing == 0)
		missing = need_strace();
	return missing ? missing : hv_run_tests();
}

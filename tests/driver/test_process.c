/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/process.h"
#include "support/hv_test.h"

enum { HOUR = 3600, MINUTE = 60 };

/* Now and so many seconds, as the Engine writes it. */
static void format_time(char buffer[static 64], long offset, const char *rest)
{
	time_t when = time(NULL) + offset;
	struct tm parts;
	size_t used;

	assert_non_null(gmtime_r(&when, &parts));
	used = strftime(buffer, 40, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(buffer + used, 64 - used, "%s", rest);
}

static bool is_sure; /* of the last check */

static int check(int pid, const char *started_at, const char *id)
{
	char when[64], container_id[65];
	struct hv_container container = {.id = container_id, .started_at = when, .pid = pid};

	snprintf(when, sizeof(when), "%s", started_at);
	snprintf(container_id, sizeof(container_id), "%s", id);
	return hv_process_check(&container, &is_sure);
}

static const char unknown_id[] = "00000000000000000000000000000000000000000000000000000000deadbeef";

TEST(a_process_that_began_before_the_engine_said_so_is_it)
{
	static const char *const rests[] = {"Z", ".5Z", ".123456789Z", ".000Z"};
	char when[64];

	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		format_time(when, 1, rests[i]);
		assert_int_equal(check(getpid(), when, unknown_id), 0);
		assert_false(is_sure); /* no cgroup says so */
	}
	format_time(when, HOUR, "Z");
	assert_int_equal(check(getpid(), when, unknown_id), 0);
	format_time(when, 3L * HOUR, ".5+02:00"); /* as Podman writes it */
	assert_int_equal(check(getpid(), when, unknown_id), 0);
}

TEST(a_process_that_began_later_is_another)
{
	char when[64];

	format_time(when, -HOUR, "Z");
	assert_int_equal(check(getpid(), when, unknown_id), -ESRCH);
	format_time(when, -MINUTE, ".999999999Z");
	assert_int_equal(check(getpid(), when, unknown_id), -ESRCH);
	format_time(when, HOUR, ".5+02:00");
	assert_int_equal(check(getpid(), when, unknown_id), -ESRCH);
	assert_int_equal(check(getpid(), "0001-01-01T00:00:00Z", unknown_id), -ESRCH);
}

TEST(times_that_are_none_prove_nothing)
{
	static const char *const cases[] = {"", "now", "2999-01-01", "2999-01-01T00:00:00",
		"2999-01-01T00:00:00.Zx", "2999-01-01 00:00:00Z", "2999-13-41T00:00:00Z",
		"2999-01-01T00:00:00.12"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(check(getpid(), cases[i], unknown_id), -ESRCH);
}

TEST(no_process_is_no_container)
{
	static const int pids[] = {0, -1, 1 << 30};
	char when[64];

	format_time(when, HOUR, "Z");
	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++)
		assert_int_equal(check(pids[i], when, unknown_id), -ESRCH);
}

TEST(one_that_cannot_be_looked_at_is_not_taken_for_another)
{
	struct rlimit before, none;
	char when[64];
	int rc;

	format_time(when, MINUTE, "Z");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc = check(getpid(), when, unknown_id);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, -EMFILE);
}

/* The command's name stands in /proc/PID/stat and may look like the fields behind it. */
TEST(a_command_name_does_not_confuse)
{
	char when[64];
	int ends[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		FILE *file = fopen("/proc/self/comm", "we");

		if (file) {
			fputs(") S 1 1 ) 0 (", file);
			fclose(file);
		}
		(void)!write(ends[1], "r", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	format_time(when, MINUTE, "Z");
	assert_int_equal(check(pid, when, unknown_id), 0);
	format_time(when, -MINUTE, "Z");
	assert_int_equal(check(pid, when, unknown_id), -ESRCH);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ends[0]);
	close(ends[1]);
}

/* Every cgroup path has "/" in it: an ID that is short or empty must not be looked for. */
TEST(a_short_id_is_not_found_in_a_cgroup)
{
	char when[64];

	format_time(when, -HOUR, "Z");
	assert_int_equal(check(getpid(), when, ""), -ESRCH);
	assert_int_equal(check(getpid(), when, "/"), -ESRCH);
	assert_int_equal(check(getpid(), when, "0"), -ESRCH);
}

#define A "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000011111111"
#define B "3f4e8f2b1c0d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"

TEST(a_cgroup_tells_whose_it_is)
{
	static const struct {
		const char *text;
		const char *own;
		enum hv_cgroup expected;
	} cases[] = {
		{"0::/system.slice/docker-" A ".scope\n", "0::/\n", HV_CGROUP_OF_IT},
		{"0::/docker/" A "\n", "0::/\n", HV_CGROUP_OF_IT},
		{"0::/docker/" A "/init\n", "0::/\n", HV_CGROUP_OF_IT},
		{"0::/docker/" B "/docker/" A "\n", "0::/\n", HV_CGROUP_OF_IT}, /* nested */
		{"0::/docker/" B "/docker/" A "\n", "0::/docker/" B "\n", HV_CGROUP_OF_IT},
		{"0::/../docker-" A ".scope\n", "0::/\n", HV_CGROUP_OF_IT}, /* of our namespace */
		{"0::/machine.slice/libpod-" A ".scope/container\n", "0::/\n", HV_CGROUP_OF_IT},
		{"12:pids:/docker/" A "\n1:name=systemd:/docker/" A "\n0::/system.slice/x\n",
			"0::/\n", HV_CGROUP_OF_IT},
		{"0::/docker/" B "\n", "0::/\n", HV_CGROUP_OF_ANOTHER},
		{"0::/machine.slice/libpod-" B ".scope\n", "0::/\n", HV_CGROUP_OF_ANOTHER},
		{"0::/docker/" A "/docker/" B "\n", "0::/docker/" A "\n", HV_CGROUP_OF_IT},
		{"0::/docker/" B "\n", "0::/docker/" B "\n", HV_CGROUP_OF_NONE},
		{"0::/user.slice/session-3.scope\n", "0::/\n", HV_CGROUP_OF_NONE},
		{"0::/\n", "0::/docker/" B "\n", HV_CGROUP_OF_NONE},
		{"0::/docker/" A "0\n", "0::/\n", HV_CGROUP_OF_NONE}, /* one digit too many */
		{"", "", HV_CGROUP_OF_NONE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			hv_cgroup_judge(cases[i].text, cases[i].own, A), cases[i].expected);
	assert_int_equal(hv_cgroup_judge("0::/docker/" B, "", ""), HV_CGROUP_OF_ANOTHER);
	assert_int_equal(hv_cgroup_judge("0::/docker/a", "", "a"), HV_CGROUP_OF_NONE);
}

/* Of version 2, and of version 1. */
static const char *const cgroups[] = {
	"/sys/fs/cgroup/" A, "/sys/fs/cgroup/systemd/" A, "/sys/fs/cgroup/pids/" A};

/* The first cgroup that `pid` can be put into; NULL: none can be made here. */
static const char *put_in_cgroup(pid_t pid)
{
	for (size_t i = 0; i < sizeof(cgroups) / sizeof(cgroups[0]); i++) {
		char path[256];
		bool is_in;
		int fd;

		(void)mkdir(cgroups[i], 0755);
		snprintf(path, sizeof(path), "%s/cgroup.procs", cgroups[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		is_in = fd >= 0 && dprintf(fd, "%d", pid) > 0;
		if (fd >= 0)
			close(fd);
		if (is_in)
			return cgroups[i];
		(void)rmdir(cgroups[i]);
	}
	return NULL;
}

/* The cgroup alone decides whose it is; of which start it is only a time close to it proves. */
TEST(a_cgroup_and_a_time_close_to_it_are_proof)
{
	static const struct {
		long offset;
		bool is_sure;
	} cases[] = {{1, true}, {MINUTE, false}, {HOUR, false}, {-MINUTE, false}};
	const char *cgroup;
	char when[64];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	cgroup = put_in_cgroup(pid);
	for (size_t i = 0; cgroup && i < sizeof(cases) / sizeof(cases[0]); i++) {
		format_time(when, cases[i].offset, "Z");
		assert_int_equal(check(pid, when, A), 0);
		assert_int_equal(is_sure, cases[i].is_sure);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (!cgroup)
		skip();
	while (rmdir(cgroup) < 0 && errno == EBUSY) /* it leaves it a moment later */
		sched_yield();
}

TEST_MAIN()

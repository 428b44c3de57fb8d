/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wire/clock.h"

/* StartedAt is written after the process began: SLACK_MS is left for rounding to clock ticks,
 * SET_UP_MS is more than the runtime usually takes in between. */
enum { SLACK_MS = 1000, SET_UP_MS = 10000, FILE_MAX = 16384, ID_DIGITS = 64 };

#define HEX "0123456789abcdef"

/* Read a small file of a process into `ret` as a string.  Returns 0, -ESRCH when there is no such
 * process, or another negative errno. */
static int read_file(const char *path, char ret[static FILE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t size = 1;
	int rc = 0;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (size > 0 && used < FILE_MAX - 1) {
		size = read(fd, ret + used, FILE_MAX - 1 - used);
		if (size < 0)
			rc = -errno; /* -ESRCH: it ends */
		else
			used += (size_t)size;
	}
	close(fd);
	ret[used] = '\0';
	return rc;
}

/* The next run of exactly 64 hex digits, or NULL. */
static const char *find_id(const char *text)
{
	for (;;) {
		size_t length;

		text += strcspn(text, HEX);
		if (!*text)
			return NULL;
		length = strspn(text, HEX);
		if (length == ID_DIGITS)
			return text;
		text += length;
	}
}

static bool has_id(const char *text, const char *id)
{
	for (const char *at = text; (at = find_id(at)); at += ID_DIGITS)
		if (strncmp(at, id, ID_DIGITS) == 0)
			return true;
	return false;
}

enum hv_cgroup hv_cgroup_judge(const char *text, const char *own, const char *id)
{
	if (strlen(id) == ID_DIGITS && has_id(text, id))
		return HV_CGROUP_OF_IT;
	for (const char *at = text; (at = find_id(at)); at += ID_DIGITS)
		if (!has_id(own, at))
			return HV_CGROUP_OF_ANOTHER;
	return HV_CGROUP_OF_NONE;
}

static int read_cgroup(const struct hv_container *container, enum hv_cgroup *ret)
{
	char path[64], text[FILE_MAX], own[FILE_MAX];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", container->pid);
	rc = read_file(path, text);
	if (rc < 0)
		return rc;
	*ret = hv_cgroup_judge(text, "", container->id);
	if (*ret != HV_CGROUP_OF_ANOTHER)
		return 0;
	rc = read_file("/proc/self/cgroup", own);
	if (rc == 0)
		*ret = hv_cgroup_judge(text, own, container->id);
	return rc;
}

/* Milliseconds since the epoch at which the machine was booted, by today's wall clock. */
static int boot_time(long long *ret)
{
	struct timespec wall, boot;

	if (clock_gettime(CLOCK_REALTIME, &wall) < 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
		return -errno;
	*ret = ((long long)wall.tv_sec - boot.tv_sec) * 1000 +
	       (wall.tv_nsec - boot.tv_nsec) / 1000000;
	return 0;
}

/* Field 22 of stat, counted behind the command's name, which may hold anything. */
int hv_process_start_ticks(int pid, unsigned long long *ret)
{
	char path[64], text[FILE_MAX];
	const char *at;
	char *end;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	rc = read_file(path, text);
	if (rc < 0)
		return rc;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -EINVAL;
	errno = 0;
	*ret = strtoull(at + 1, &end, 10);
	return errno || end == at + 1 ? -EINVAL : 0;
}

/* When the process began, in milliseconds since the epoch. */
static int start_time(int pid, long long *ret_ms)
{
	unsigned long long ticks = 0;
	long long boot_ms = 0;
	int rc = hv_process_start_ticks(pid, &ticks);

	if (rc == 0)
		rc = boot_time(&boot_ms);
	*ret_ms = boot_ms + (long long)(ticks * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
	return rc;
}

/* By the time alone; no process is younger than its container's StartedAt.  `ret_is_near`: it is
 * not much older either.  Else the clock may have been set back since, and any process looks older.
 */
static int check_time(const struct hv_container *container, bool *ret_is_near)
{
	long long process_ms = 0, engine_ms = 0;
	int rc = start_time(container->pid, &process_ms);

	*ret_is_near = false;
	if (rc < 0 || !container->started_at)
		return rc;
	if (!hv_clock_parse_ms(container->started_at, &engine_ms) ||
		process_ms > engine_ms + SLACK_MS)
		return -ESRCH;
	*ret_is_near = process_ms >= engine_ms - SET_UP_MS;
	return 0;
}

int hv_process_check(const struct hv_container *container, bool *ret_is_sure)
{
	enum hv_cgroup cgroup = HV_CGROUP_OF_NONE;
	bool is_near;
	int rc = read_cgroup(container, &cgroup);

	*ret_is_sure = false;
	if (rc < 0 && rc != -ESRCH) /* that: or the kernel knows no cgroups */
		return rc;
	if (cgroup == HV_CGROUP_OF_NONE)
		return check_time(container, &is_near);
	if (cgroup != HV_CGROUP_OF_IT)
		return -ESRCH;
	*ret_is_sure = check_time(container, &is_near) == 0 && is_near;
	return 0;
}

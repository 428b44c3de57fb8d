/* SPDX-License-Identifier: Apache-2.0 */
/* The watched processes, and their cost. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "support/hv_test.h"
#include "wire/clock.h"

#include "daemon/processes.h"

enum { CONTAINERS = 40, ROUNDS = 3 };

static struct hv_seen see(long long pid, uint64_t ns_ino)
{
	struct hv_seen seen = HV_SEEN_NONE;

	seen.repaired.records = 1;
	seen.pid = pid;
	seen.ns_ino = ns_ino;
	seen.pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	seen.mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	assert_true(seen.pidfd >= 0 && seen.mountinfo >= 0);
	return seen;
}

static void set_all(struct hv_processes *processes, uint64_t ns_ino)
{
	char id[16];

	for (int i = 0; i < CONTAINERS; i++) {
		struct hv_seen seen = see(i + 1, ns_ino);

		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(hv_processes_set(processes, id, &seen), 0);
	}
}

/* And never both those of before and new ones of all: descriptors are few. */
TEST(a_process_that_is_the_same_keeps_its_descriptors)
{
	mc_auto_fd epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct hv_processes processes = {.epoll_fd = -1};
	const struct hv_process *first;
	unsigned fds;
	int pidfd;

	assert_int_equal(hv_processes_init(&processes, epoll_fd), 0);
	fds = hv_count_fds();
	set_all(&processes, 1);
	assert_int_equal(hv_count_fds(), fds + 2 * CONTAINERS);
	first = hv_names_find(&processes.containers, "0");
	assert_non_null(first);
	pidfd = first->pidfd;
	for (int i = 0; i < ROUNDS; i++) {
		set_all(&processes, 1);
		assert_int_equal(hv_count_fds(), fds + 2 * CONTAINERS);
		assert_int_equal(first->pidfd, pidfd);
	}
	set_all(&processes, 2); /* each was started anew */
	assert_int_equal(hv_count_fds(), fds + 2 * CONTAINERS);
	hv_processes_done(&processes);
	assert_int_equal(hv_count_fds(), fds - 1);
}

TEST(one_without_records_is_not_watched)
{
	mc_auto_fd epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct hv_processes processes = {.epoll_fd = -1};
	struct hv_seen seen = see(1, 1);
	unsigned fds;

	hv_seen_done(&seen);
	assert_int_equal(hv_processes_init(&processes, epoll_fd), 0);
	fds = hv_count_fds();
	seen = see(1, 1);
	assert_int_equal(hv_processes_set(&processes, "0", &seen), 0);
	assert_int_equal(hv_count_fds(), fds + 2);
	seen = see(1, 1);
	seen.repaired.records = 0;
	assert_int_equal(hv_processes_set(&processes, "0", &seen), 0);
	assert_int_equal(hv_count_fds(), fds);
	assert_null(hv_names_find(&processes.containers, "0"));
	hv_processes_done(&processes);
}

static void count_told(void *context, const char *container_id)
{
	assert_string_equal(container_id, "0");
	++*(unsigned *)context;
}

/* One without a descriptor of its table has changed each time. */
TEST(one_that_changes_all_the_time_is_told_less_and_less)
{
	mc_auto_fd epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct hv_processes processes = {.epoll_fd = -1};
	struct hv_seen seen = HV_SEEN_NONE;
	struct hv_process *process;
	unsigned told = 0;

	seen.repaired.records = 1;
	seen.pid = 1;
	assert_int_equal(hv_processes_init(&processes, epoll_fd), 0);
	assert_int_equal(hv_processes_set(&processes, "0", &seen), 0);
	process = hv_names_find(&processes.containers, "0");
	assert_int_equal(hv_processes_tell_changed(&processes, count_told, &told), 0);
	for (unsigned i = 1; i <= 10; i++) {
		long long before = process->pause_ms;

		assert_int_equal(told, i);
		hv_processes_rest(&processes, "0", 0);
		assert_true(process->rest_until_ms >= before);
		process->rest_until_ms = LLONG_MAX;
		assert_true(hv_processes_tell_changed(&processes, count_told, &told) > 0);
		assert_int_equal(told, i);
		process->rest_until_ms = 0;
		assert_int_equal(hv_processes_tell_changed(&processes, count_told, &told), 0);
		assert_true(process->pause_ms > before || before == 1000);
	}
	assert_int_equal(process->pause_ms, 1000);
	assert_int_equal(hv_processes_tell_changed(&processes, count_told, &told), 0);
	assert_int_equal(process->pause_ms, 10); /* it was quiet */
	hv_processes_done(&processes);
}

TEST(one_that_takes_long_to_look_at_rests_longer)
{
	mc_auto_fd epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct hv_processes processes = {.epoll_fd = -1};
	struct hv_seen seen = HV_SEEN_NONE;
	unsigned told = 0;

	seen.repaired.records = 1;
	seen.pid = 1;
	assert_int_equal(hv_processes_init(&processes, epoll_fd), 0);
	assert_int_equal(hv_processes_set(&processes, "0", &seen), 0);
	hv_processes_rest(&processes, "0", 10000000);
	hv_processes_rest(&processes, "1", 0); /* unknown */
	assert_true(
		hv_processes_tell_changed(&processes, count_told, &told) > hv_clock_ms() + 100000);
	assert_int_equal(told, 0);
	hv_processes_done(&processes);
}

TEST(one_that_is_watched_rests_until_it_ends)
{
	mc_auto_fd epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct hv_processes processes = {.epoll_fd = -1};
	struct hv_seen seen = HV_SEEN_NONE;

	seen.pid = 1;
	seen.repaired.records = 1;
	seen.pidfd = eventfd(0, EFD_CLOEXEC);
	seen.mountinfo = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(hv_processes_init(&processes, epoll_fd), 0);
	assert_int_equal(hv_processes_set(&processes, "0", &seen), 0);
	assert_int_equal(hv_processes_rest_ms(&processes, "0"), 0);
	hv_processes_rest(&processes, "0", 10000000);
	assert_true(hv_processes_rest_ms(&processes, "0") > 100000);
	assert_int_equal(hv_processes_rest_ms(&processes, "1"), 0); /* unknown */
	hv_processes_ended(&processes, hv_names_find(&processes.containers, "0"));
	assert_int_equal(hv_processes_rest_ms(&processes, "0"), 0);
	hv_processes_done(&processes);
}

TEST_MAIN()

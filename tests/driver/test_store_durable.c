/* SPDX-License-Identifier: Apache-2.0 */
/* Acknowledged writes survive a killed process, and cost no more than they must. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"

enum { ROUNDS = 5, ACKNOWLEDGED = 40 };

/* Commit for ever; tell each one when it is acknowledged. */
static void commit_until_killed(const char *dir, int round, int report)
{
	struct hv_store *store = row_store(dir);

	for (int i = 0;; i++) {
		char name[32], container[32];

		snprintf(name, sizeof(name), "v%d-%d", round, i);
		snprintf(container, sizeof(container), "c%d-%d", round, i);
		if (row_add_volume(store, name) != HV_OK ||
			row_put(store, name, name, container, false) != HV_OK ||
			row_put(store, name, name, container, true) != HV_OK ||
			row_ref(store, name, container, 1) != 1 ||
			write(report, &i, sizeof(i)) != (ssize_t)sizeof(i))
			_exit(1);
	}
}

/* Returns the number of the last one that was acknowledged. */
static int run_and_kill(const char *dir, int round)
{
	int ends[2], last = -1, one, status = 0;
	bool is_killed = false;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		commit_until_killed(dir, round, ends[1]);
	close(ends[1]);
	while (read(ends[0], &one, sizeof(one)) == (ssize_t)sizeof(one)) {
		assert_int_equal(one, last + 1);
		last = one;
		if (last >= ACKNOWLEDGED + round * 3 && !is_killed)
			is_killed = kill(pid, SIGKILL) == 0;
	}
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return last;
}

TEST(what_was_acknowledged_survives_kill)
{
	char *dir = scratch_new();

	for (int round = 0; round < ROUNDS; round++) {
		int last = run_and_kill(dir, round);
		struct hv_store *store = row_store(dir);
		size_t volumes = row_count_volumes(store);

		for (int i = 0; i <= last; i++) {
			char name[32], container[32];

			snprintf(name, sizeof(name), "v%d-%d", round, i);
			snprintf(container, sizeof(container), "c%d-%d", round, i);
			assert_true(row_has_volume(store, name));
			assert_int_equal(row_count_records(store, name, name, container), 1);
			assert_int_equal(row_ref(store, name, container, 1), 2);
		}
		assert_true(volumes > (size_t)last);
		hv_store_close(store);
	}
	scratch_free(dir);
}

/* SQLite's calls land here: the program's own symbol goes before libc's. */
static unsigned syncs;
static bool is_failing;       /* the next sync reports that a page could not be written */
static off_t lowest, highest; /* the bytes that were written since */

__attribute__((visibility("default"))) int fdatasync(int fildes)
{
	syncs++;
	if (is_failing) {
		is_failing = false;
		lowest = INT_MAX;
		highest = 0;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fildes);
}

__attribute__((visibility("default"))) ssize_t pwrite64(
	int fd, const void *buf, size_t n, off_t offset)
{
	if (offset < lowest)
		lowest = offset;
	if (offset + (off_t)n > highest)
		highest = offset + (off_t)n;
	return syscall(SYS_pwrite64, fd, buf, n, offset);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static unsigned take_syncs(void)
{
	unsigned count = syncs;

	syncs = 0;
	return count;
}

TEST(an_attach_waits_for_the_disk_twice_and_a_reference_never)
{
	char *dir = scratch_new();
	struct hv_store *store = row_store(dir);

	assert_true(take_syncs() > 0); /* they are counted */
	row_put(store, "a", "data", "c1", false);
	assert_int_equal(take_syncs(), 1);
	row_put(store, "a", "data", "c1", true);
	assert_int_equal(take_syncs(), 1);
	row_ref(store, "data", "id", 1);
	row_ref(store, "data", "id", -1);
	assert_int_equal(take_syncs(), 0);
	row_add_volume(store, "data"); /* durable again after that */
	assert_int_equal(take_syncs(), 1);
	hv_store_close(store);
	scratch_free(dir);
}

/* Each commit before it that did not wait for the disk may be lost with it. */
TEST(failed_sync_writes_the_whole_log_again)
{
	char *dir = scratch_new();
	char *path = scratch_path(dir, "hostvol.db-wal");
	struct hv_store *store = row_store(dir);
	struct stat log;

	row_add_volume(store, "data");
	row_ref(store, "data", "id", 1);
	is_failing = true;
	assert_int_equal(row_add_volume(store, "refused"), HV_STATE_UNREADABLE);
	assert_false(is_failing);
	assert_int_equal(stat(path, &log), 0);
	assert_int_equal(lowest, 0);
	assert_int_equal(highest, log.st_size);
	assert_false(row_has_volume(store, "refused"));
	lowest = 1;
	assert_int_equal(row_add_volume(store, "later"), HV_OK); /* and is not written for each */
	assert_int_equal(lowest, 1);
	hv_store_close(store);
	store = row_store(dir);
	assert_true(row_has_volume(store, "data") && row_has_volume(store, "later"));
	assert_false(row_has_volume(store, "refused"));
	hv_store_close(store);
	free(path);
	scratch_free(dir);
}

TEST(reading_never_waits_for_the_disk)
{
	char *dir = scratch_new();
	struct hv_store *store = row_store(dir);

	row_add_volume(store, "data");
	take_syncs();
	assert_true(row_has_volume(store, "data"));
	assert_int_equal(row_count_volumes(store), 1);
	assert_int_equal(row_count_records(store, NULL, "data", NULL), 0);
	assert_int_equal(take_syncs(), 0);
	hv_store_close(store);
	scratch_free(dir);
}

TEST_MAIN()

/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that cannot be read to their end. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "scratch.h"
#include "state_dir.h"
#include "sweep.h"

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);
static int failing; /* the call, from now on, that fails, as on a bad disk; 0: none */

struct dirent *__wrap_readdir(DIR *dir)
{
	if (failing > 0 && --failing == 0) {
		errno = EIO;
		return NULL;
	}
	return __real_readdir(dir); /* NOLINT(concurrency-mt-unsafe): the caller's stream */
}

static int open_scratch(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

TEST(dir_is_empty_but_unreadable_fails)
{
	char *dir = scratch_new();
	int fd = open_scratch(dir);

	assert_int_equal(hv_dir_is_empty_but(fd, NULL), 1);
	for (int at = 1; at <= 3; at++) { /* ".", "..", the end */
		failing = at;
		assert_int_equal(hv_dir_is_empty_but(fd, NULL), -EIO);
	}
	assert_int_equal(mkdirat(fd, "lost+found", 0700), 0);
	assert_int_equal(hv_dir_is_empty_but(fd, "lost+found"), 1);
	assert_int_equal(hv_dir_is_empty_but(fd, NULL), 0);
	assert_int_equal(failing, 0);
	close(fd);
	scratch_free(dir);
}

TEST(sweep_unreadable_fails)
{
	char *dir = scratch_new();
	int fd = open_scratch(dir);

	assert_int_equal(mkdirat(fd, "data", 0700), 0);
	failing = 1;
	assert_int_equal(hv_sweep(fd, NULL, 0), -EIO);
	assert_int_equal(hv_dir_is_empty_but(fd, NULL), 0);
	assert_int_equal(hv_sweep(fd, NULL, 0), 0);
	assert_int_equal(hv_dir_is_empty_but(fd, NULL), 1);
	close(fd);
	scratch_free(dir);
}

TEST_MAIN()

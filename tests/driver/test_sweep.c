/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "scratch.h"
#include "sweep.h"

enum { DEPTH = 3000, THREADS = 4, WIDTH = 30 };

struct trash {
	char *dir;
	int fd;
};

static int setup(void **state)
{
	struct trash *trash = calloc(1, sizeof(*trash));

	assert_non_null(trash);
	trash->dir = scratch_new();
	trash->fd = open(trash->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(trash->fd >= 0);
	*state = trash;
	return 0;
}

static int teardown(void **state)
{
	struct trash *trash = *state;

	close(trash->fd);
	scratch_free(trash->dir);
	free(trash);
	return 0;
}

static int make_dir(int fd, const char *name)
{
	int dir;

	assert_int_equal(mkdirat(fd, name, 0755), 0);
	dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	return dir;
}

static void make_file(int fd, const char *name)
{
	int file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	close(file);
}

static bool is_empty(struct trash *trash)
{
	return rmdir(trash->dir) == 0 && mkdir(trash->dir, 0755) == 0;
}

#define SWEEP_TEST(name) STATE_TEST(name, struct trash, trash, setup, teardown)

SWEEP_TEST(an_empty_trash_stays)
{
	assert_int_equal(hv_sweep(trash->fd, NULL, 0), 0);
	assert_true(scratch_exists(trash->dir));
}

SWEEP_TEST(any_depth_is_deleted)
{
	unsigned fds = hv_count_fds();
	int at = dup(trash->fd);

	for (int i = 0; i < DEPTH; i++) {
		int next = make_dir(at, "a-directory");

		make_file(at, "file");
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(hv_sweep(trash->fd, NULL, 0), 0);
	assert_true(is_empty(trash));
	assert_int_equal(hv_count_fds(), fds);
}

SWEEP_TEST(symlinks_are_deleted_and_not_followed)
{
	char *outside = scratch_new(), *file = scratch_path(outside, "file");
	int dir = make_dir(trash->fd, "dir");

	scratch_write(file, "text");
	assert_int_equal(symlinkat(outside, trash->fd, "to-dir"), 0);
	assert_int_equal(symlinkat(file, trash->fd, "to-file"), 0);
	assert_int_equal(symlinkat(outside, dir, "to-dir"), 0);
	assert_int_equal(symlinkat("..", dir, "up"), 0);
	assert_int_equal(symlinkat("nowhere", dir, "dangling"), 0);
	close(dir);
	assert_int_equal(hv_sweep(trash->fd, NULL, 0), 0);
	assert_true(is_empty(trash));
	assert_true(scratch_exists(file));
	free(file);
	scratch_free(outside);
}

/* Names that lifted directories could take, too. */
SWEEP_TEST(odd_names_are_deleted)
{
	static const char *const names[] = {" ", "\n", "-rf", "*", "...", ".0", ".1", ".2",
		".hidden", "\xff\xfe", "a\tb", "\\"};
	char longest[NAME_MAX + 1];
	int inner = make_dir(trash->fd, "inner");

	memset(longest, 'x', NAME_MAX);
	longest[NAME_MAX] = '\0';
	close(make_dir(inner, longest));
	make_file(trash->fd, longest);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int dir = make_dir(inner, names[i]);

		make_file(dir, names[i]);
		close(make_dir(dir, "deeper"));
		close(dir);
		if (i % 2)
			make_file(trash->fd, names[i]);
		else
			close(make_dir(trash->fd, names[i]));
	}
	assert_int_equal(mkfifoat(inner, "fifo", 0600), 0);
	close(inner);
	assert_int_equal(hv_sweep(trash->fd, NULL, 0), 0);
	assert_true(is_empty(trash));
}

static void fill_tree(int fd)
{
	for (int i = 0; i < WIDTH; i++) {
		char name[32];
		int dir;

		snprintf(name, sizeof(name), "dir%d", i);
		dir = make_dir(fd, name);
		for (int j = 0; j < WIDTH; j++) {
			snprintf(name, sizeof(name), "sub%d", j);
			close(make_dir(dir, name));
			snprintf(name, sizeof(name), "file%d", j);
			make_file(dir, name);
		}
		close(dir);
	}
}

static void *sweep(void *argument)
{
	const struct trash *trash = argument;

	return (void *)(intptr_t)hv_sweep(trash->fd, NULL, 0);
}

/* Two volumes are removed at once: none of the threads takes the other's work for an error. */
SWEEP_TEST(several_may_sweep_at_once)
{
	pthread_t threads[THREADS];

	for (int round = 0; round < 5; round++) {
		fill_tree(trash->fd);
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, sweep, trash), 0);
		for (int i = 0; i < THREADS; i++) {
			void *rc;

			assert_int_equal(pthread_join(threads[i], &rc), 0);
			if (rc) /* a directory that another thread is emptying */
				assert_int_equal((intptr_t)rc, -ENOTEMPTY);
		}
		assert_int_equal(hv_sweep(trash->fd, NULL, 0), 0);
		assert_true(is_empty(trash));
		close(trash->fd);
		trash->fd = open(trash->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
}

static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void run_mount_inside(void)
{
	struct trash *trash;
	void *state = NULL;
	char *outside = scratch_new(), *file = scratch_path(outside, "file"), *mountpoint;
	int volume, data;

	setup(&state);
	trash = state;
	scratch_write(file, "text");
	volume = make_dir(trash->fd, "volume");
	data = make_dir(volume, "_data");
	mountpoint = scratch_path(trash->dir, "volume/_data/disk");
	close(make_dir(data, "disk"));
	for (int i = 0; i < WIDTH; i++) {
		char name[32];
		int dir;

		snprintf(name, sizeof(name), "dir%d", i);
		dir = make_dir(data, name);
		close(make_dir(dir, "sub"));
		make_file(dir, "file");
		close(dir);
	}
	assert_int_equal(mount(outside, mountpoint, NULL, MS_BIND, NULL), 0);
	close(data);
	close(volume);
	assert_int_equal(hv_sweep(trash->fd, NULL, 0), -EBUSY);
	assert_true(scratch_exists(file));
	free(mountpoint);
	mountpoint = scratch_path(trash->dir, ".0"); /* the lifted _data: nothing but the mount */
	assert_int_equal(count_entries(trash->dir), 1);
	assert_int_equal(count_entries(mountpoint), 1);
	free(mountpoint);
	mountpoint = scratch_path(trash->dir, ".0/disk");
	assert_int_equal(umount2(mountpoint, MNT_DETACH), 0);
	assert_int_equal(hv_sweep(trash->fd, NULL, 0), 0);
	assert_true(is_empty(trash));
	assert_true(scratch_exists(file));
	free(mountpoint);
	free(file);
	scratch_free(outside);
	teardown(&state);
}

TEST(a_mount_inside_is_refused_and_not_crossed)
{
	int rc = hv_need_privilege();

	if (rc == HV_SKIP)
		skip();
	assert_int_equal(rc, 0);
	hv_in_namespace(run_mount_inside);
}

TEST_MAIN()

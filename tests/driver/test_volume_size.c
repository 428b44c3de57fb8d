/* SPDX-License-Identifier: Apache-2.0 */
/* Option size.  Where the kernel has quota (HOSTVOL_HAS_QUOTA in the environment says that it must;
 * so does the machine of scripts/test-kernels) a volume holds what it may and no more; where not,
 * it is refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/fs.h"
#include "support/hv_test.h"

#include "scratch.h"
#include "world.h"

enum { MIB = 1 << 20, NOBODY = 65534 };

static const struct disk {
	const char *type;
	const char *mkfs; /* with what the file system needs for quota */
	int size_mib;     /* about the least that mkfs takes */
} disks[] = {
	{"ext4", "mkfs.ext4 -q -F -O quota,project", 64},
	{"xfs", "mkfs.xfs -q -f", 320},
};

static void make_image(const char *path, const struct disk *disk)
{
	mc_auto_fd image = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	mc_auto_free char *command = NULL;

	assert_int_equal(ftruncate(image, (off_t)disk->size_mib * MIB), 0);
	assert_true(asprintf(&command, "PATH=$PATH:/usr/sbin:/sbin %s %s", disk->mkfs, path) > 0);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): of the table above */
	assert_int_equal(system(command), 0);
}

/* Put the state of the world on such a disk.  false: this kernel cannot mount it with quota. */
static bool move_to(struct volume_fixture *world, const struct disk *disk, const char *place)
{
	mc_auto_free char *image = scratch_path(world->dir, "image");
	mc_auto_free char *state = NULL;
	struct mc_fs fs;
	struct mc_err err = {0};
	char refused[MC_FS_OPTION_SIZE];
	int rc;

	make_image(image, disk);
	assert_int_equal(mc_fs_read(disk->type, image, "prjquota", &fs, refused), 0);
	assert_int_equal(mkdir(place, 0755), 0);
	rc = mc_host_mount(world->core, &fs, place, &err);
	if (rc < 0) {
		print_message("%s with prjquota: %s\n", disk->type, strerror(-rc));
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
		assert_null(getenv("HOSTVOL_HAS_QUOTA"));
		return false;
	}
	assert_int_equal(rc, 1);
	assert_int_equal(asprintf(&state, "%s/state", place), (int)strlen(place) + 6);
	assert_int_equal(mkdir(state, 0711), 0);
	free(world->state);
	world->state = strdup(state);
	world_use_state(world, world->state, world->state);
	return true;
}

/* A write that is cut short by the limit is told what it met by the next one. */
static int write_block(int fd, const char *block, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, block, size);

		if (done < 0)
			return errno;
		block += done;
		size -= (size_t)done;
	}
	return 0;
}

/* As a container does, which has no CAP_SYS_RESOURCE: ext4 limits nobody who has it. */
static int write_as_nobody(const char *path, int mib)
{
	static char block[MIB];
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd, rc = 0;

		memset(block, 1, sizeof(block));
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(99);
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		for (int i = 0; fd >= 0 && i < mib && rc == 0; i++)
			rc = write_block(fd, block, sizeof(block));
		if (fd < 0)
			rc = errno;
		if (rc == 0 && fsync(fd) < 0)
			rc = errno;
		_exit(rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static int write_to(struct volume_fixture *world, const char *name, const char *file, int mib)
{
	mc_auto_free char *path = NULL;

	assert_true(asprintf(&path, "%s/%s/%s", world->mounts, name, file) > 0);
	return write_as_nobody(path, mib);
}

static void expect_full(struct volume_fixture *world, const char *name, const char *file, int mib)
{
	int rc = write_to(world, name, file, mib);

	if (rc != -ENOSPC && rc != -EDQUOT)
		fail_msg("%s: %d MiB were written: %s", name, mib, strerror(-rc));
}

static void set_size(
	struct volume_fixture *world, const char *name, const char *size, enum hv_code expected)
{
	struct hv_opts opts = {0};

	assert_int_equal(hv_opts_add(&opts, "size", size), 0);
	hv_error_done(&world->err);
	assert_int_equal(hv_volume_set(world->volumes, name, &opts, &world->err), expected);
	hv_opts_done(&opts);
}

static void use_sizes(struct volume_fixture *world)
{
	assert_int_equal(world_create(world, "small", "size=4m", "mode=0777"), HV_OK);
	assert_int_equal(world_create(world, "other", "size=4 MiB", "mode=0777"), HV_OK);
	assert_int_equal(world_create(world, "free", "mode=0777", NULL), HV_OK);
	assert_int_equal(world_mount(world, "small", "a"), HV_OK);
	assert_int_equal(world_mount(world, "other", "a"), HV_OK);
	assert_int_equal(world_mount(world, "free", "a"), HV_OK);
	assert_int_equal(write_to(world, "small", "f", 3), 0);
	expect_full(world, "small", "g", 3);
	assert_int_equal(write_to(world, "other", "f", 3), 0); /* of its own */
	assert_int_equal(write_to(world, "free", "f", 12), 0);
	set_size(world, "small", "16m", HV_OK);
	assert_int_equal(write_to(world, "small", "h", 6), 0);
	expect_full(world, "small", "i", 10);
	set_size(world, "small", "", HV_OK);
	assert_int_equal(write_to(world, "small", "j", 10), 0);
	set_size(world, "free", "20m", HV_VOLUME_IN_USE);
	assert_true(world_told(world, "would not be counted"));
	for (const char *const *name = (const char *const[]){"small", "other", "free", NULL}; *name;
		name++) {
		assert_int_equal(world_unmount(world, *name, "a"), HV_OK);
		assert_int_equal(world_remove(world, *name), HV_OK);
	}
	world_wait_for_trash(world);
	/* Nothing of the old limit is left for the next one. */
	assert_int_equal(world_create(world, "small", "mode=0777", NULL), HV_OK);
	assert_int_equal(world_mount(world, "small", "a"), HV_OK);
	assert_int_equal(write_to(world, "small", "f", 12), 0);
	assert_int_equal(world_unmount(world, "small", "a"), HV_OK);
	assert_int_equal(world_remove(world, "small"), HV_OK);
}

/* The data stays, its limit does not: nothing would show it. */
static void keep_without_limit(struct volume_fixture *world)
{
	assert_int_equal(world_create(world, "kept", "size=4m", "mode=0777"), HV_OK);
	assert_int_equal(world_set(world, "kept", "on-remove=keep", NULL), HV_OK);
	assert_int_equal(world_remove(world, "kept"), HV_OK);
	assert_int_equal(world_create(world, "kept", "mode=0777", NULL), HV_OK);
	assert_int_equal(world_mount(world, "kept", "a"), HV_OK);
	assert_int_equal(write_to(world, "kept", "f", 12), 0);
	assert_int_equal(world_unmount(world, "kept", "a"), HV_OK);
	assert_int_equal(world_remove(world, "kept"), HV_OK);
}

static void expect_refused(struct volume_fixture *world)
{
	mc_auto_free char *path = NULL;

	assert_int_equal(world_create(world, "small", "size=4m", NULL), HV_UNSUPPORTED);
	assert_true(world_told(world, "project quota") && world_told(world, "prjquota"));
	assert_true(asprintf(&path, "%s/volumes/small", world->state) > 0);
	assert_false(scratch_exists(path));
	assert_int_equal(world_create(world, "small", NULL, NULL), HV_OK);
	set_size(world, "small", "4m", HV_UNSUPPORTED);
	assert_int_equal(world_remove(world, "small"), HV_OK);
}

static void test_on(struct volume_fixture *world, const struct disk *disk)
{
	mc_auto_free char *place = scratch_path(world->dir, "disk");
	mc_auto_free char *image = scratch_path(world->dir, "image");

	expect_refused(world); /* on a tmpfs */
	if (move_to(world, disk, place)) {
		use_sizes(world);
		world_wait_for_trash(world);
		keep_without_limit(world);
		hv_volumes_close(world->volumes); /* which may have the disk in use */
		assert_int_equal(mc_host_unmount(world->core, disk->type, image, place, NULL), 0);
	}
}

WORLD_TEST(on_ext4)
{
	test_on(world, &disks[0]);
}

WORLD_TEST(on_xfs)
{
	test_on(world, &disks[1]);
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence: openat(/dev), for each loop device in it openat, ioctl(GET_STATUS64): the file's
 * existing device is used, because two devices would be two file systems that write into one file,
 * without knowing of each other.  Without one openat(loop-control), ioctl(CTL_GET_FREE), openat,
 * ioctl(CONFIGURE), again if another process was quicker.
 *
 * Without stdio and opendir: see job.h. */
#include "loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "inode.h"
#include "sys.h"

enum { LOOP_TRIES = 64, DIR_SIZE = 4096, DIGITS_MAX = 10 };

static const char prefix[] = "/dev/loop";

/* Whether the name in /dev is a loop device's ("loop7", not "loop-control"), and its path. */
static bool name_path(const char *name, char ret[static MC_LOOP_PATH_SIZE])
{
	static const char start[] = "loop";
	const size_t start_size = sizeof(start) - 1;
	const char *digits = name + start_size;
	size_t count;

	if (strncmp(name, start, start_size) != 0)
		return false;
	count = strspn(digits, "0123456789");
	if (count == 0 || count > DIGITS_MAX || digits[count])
		return false;
	memcpy(ret, prefix, sizeof(prefix) - 1);
	memcpy(ret + sizeof(prefix) - 1, digits, count + 1);
	return true;
}

/* Returns 0 if this is the device of `file`, -ENOENT if not. */
static int compare(int loop, const struct stat *file, bool read_only)
{
	struct loop_info64 info = {0};
	int rc = mc_sys_ioctl(loop, LOOP_GET_STATUS64, &info);

	if (rc < 0)
		return rc == -ENXIO ? -ENOENT : rc; /* it is free */
	if (info.lo_device != file->st_dev || info.lo_inode != file->st_ino)
		return -ENOENT;
	if (info.lo_offset || info.lo_sizelimit)
		return -EBUSY;
	return (info.lo_flags & LO_FLAGS_READ_ONLY) && !read_only ? -EBUSY : 0;
}

/* While it is open it does not go, and is not given another file. */
static int try(const char *path, const struct stat *file, bool read_only)
{
	mc_sys_auto_fd loop = mc_sys_openat(AT_FDCWD, path, O_RDONLY);
	int rc;

	if (loop < 0)
		return loop == -ENXIO ? -ENOENT : loop; /* it is just being removed */
	rc = compare(loop, file, read_only);
	return rc < 0 ? rc : mc_take_fd(&loop);
}

/* The next that /dev tells of its names; -ENOENT at their end too. */
static int find_in(
	int dev, const struct stat *file, bool read_only, char ret_path[static MC_LOOP_PATH_SIZE])
{
	_Alignas(struct dirent64) char names[DIR_SIZE];
	ssize_t size;
	int rc = -ENOENT;

	while (rc == -ENOENT && (size = mc_sys_getdents(dev, names, sizeof(names))) != 0) {
		if (size < 0)
			return (int)size;
		for (ssize_t at = 0; rc == -ENOENT && at < size;) {
			const struct dirent64 *entry = (const void *)(names + at);

			if (name_path(entry->d_name, ret_path))
				rc = try(ret_path, file, read_only);
			at += entry->d_reclen;
		}
	}
	return rc;
}

static int find(int file, bool read_only, char ret_path[static MC_LOOP_PATH_SIZE])
{
	mc_sys_auto_fd dev = MC_FD_NONE;
	struct stat stat;

	if (fstat(file, &stat) < 0)
		return -errno;
	dev = mc_sys_openat(AT_FDCWD, "/dev", O_RDONLY | O_DIRECTORY);
	return dev < 0 ? dev : find_in(dev, &stat, read_only, ret_path);
}

static int take(int control, int file, bool read_only, char ret_path[static MC_LOOP_PATH_SIZE])
{
	const struct loop_config config = {
		.fd = (unsigned)file,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0),
	};
	mc_sys_auto_fd loop = MC_FD_NONE;
	int rc, number = mc_sys_ioctl(control, LOOP_CTL_GET_FREE, NULL);

	if (number < 0)
		return number;
	mc_number_name(prefix, number, ret_path);
	loop = mc_sys_openat(AT_FDCWD, ret_path, read_only ? O_RDONLY : O_RDWR);
	if (loop < 0)
		return loop;
	rc = mc_sys_ioctl(loop, LOOP_CONFIGURE, &config);
	return rc < 0 ? rc : mc_take_fd(&loop);
}

int mc_loop_open(int file, bool read_only, char ret_path[static MC_LOOP_PATH_SIZE])
{
	mc_sys_auto_fd control = MC_FD_NONE;
	int loop = find(file, read_only, ret_path);

	if (loop != -ENOENT)
		return loop;
	control = mc_sys_openat(AT_FDCWD, "/dev/loop-control", O_RDWR);
	if (control < 0)
		return -ENOTBLK;
	loop = -EBUSY;
	for (int i = 0; i < LOOP_TRIES && loop == -EBUSY; i++) /* somebody else took that one */
		loop = take(control, file, read_only, ret_path);
	return loop;
}

int mc_loop_is_of(int device, const struct stat *file)
{
	struct loop_info64 info = {0};
	int rc = mc_sys_ioctl(device, LOOP_GET_STATUS64, &info);

	if (rc < 0) /* another block device, or one without a file */
		return rc == -ENOTTY || rc == -EINVAL || rc == -ENXIO ? 0 : rc;
	return !file || (info.lo_device == file->st_dev && info.lo_inode == file->st_ino);
}

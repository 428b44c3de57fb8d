/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "mountcore/err.h"
#include "support/hv_test.h"

int scratch_try_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void scratch_write(const char *path)
{
	assert_int_equal(scratch_try_write(path), 0);
}

int scratch_owner(const char *path)
{
	struct stat found;

	if (lstat(path, &found) < 0)
		return -errno;
	return found.st_uid == found.st_gid ? (int)found.st_uid : -EXDEV;
}

void scratch_mkdir(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

void scratch_mount_tmpfs(const char *path)
{
	assert_int_equal(mount("scratch", path, "tmpfs", 0, NULL), 0);
}

void scratch_make_shared(const char *path)
{
	assert_int_equal(mount("none", path, NULL, MS_SHARED, NULL), 0);
}

void scratch_make_unbindable(const char *path)
{
	assert_int_equal(mount("none", path, NULL, MS_UNBINDABLE, NULL), 0);
}

void scratch_bind(const char *source, const char *target)
{
	assert_int_equal(mount(source, target, NULL, MS_BIND, NULL), 0);
}

void scratch_mount_overlay(const char *lower, const char *path)
{
	char options[256], up[64], work[64];

	snprintf(up, sizeof(up), "%s.up", path);
	snprintf(work, sizeof(work), "%s.work", path);
	scratch_mkdir(up);
	scratch_mkdir(work);
	scratch_mkdir(path);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s", lower, up, work);
	assert_int_equal(mount("overlay", path, "overlay", 0, options), 0);
}

void scratch_umount(const char *path)
{
	assert_int_equal(umount2(path, 0), 0);
}

bool scratch_exists(const char *path)
{
	struct stat found;

	return lstat(path, &found) == 0;
}

unsigned scratch_count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

bool scratch_kernel_goes_beneath(void)
{
	enum { CLONE = 1, EMPTY_FROM = 4, BENEATH = 0x200 };
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, hv_sandbox, CLONE | O_CLOEXEC);
	long rc;

	assert_true(tree >= 0);
	scratch_mkdir("/tmp/beneath");
	scratch_mount_tmpfs("/tmp/beneath");
	rc = syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp/beneath", EMPTY_FROM | BENEATH);
	close(tree);
	for (int mounts = rc == 0 ? 2 : 1; mounts > 0; mounts--)
		scratch_umount("/tmp/beneath");
	assert_int_equal(rmdir("/tmp/beneath"), 0);
	return rc == 0;
}

bool scratch_kernel_is_from(unsigned major, unsigned minor)
{
	unsigned here[2] = {0, 0};
	struct utsname name;

	assert_int_equal(uname(&name), 0);
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	assert_int_equal(sscanf(name.release, "%u.%u", &here[0], &here[1]), 2);
	return here[0] > major || (here[0] == major && here[1] >= minor);
}

int scratch_mount_silent(const char *path)
{
	char options[96];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("silent", path, "fuse", 0, options) == 0)
		return fd;
	close(fd);
	return -1;
}

int scratch_dead_code(const char *path)
{
	struct stat stat;
	int code = lstat(path, &stat) < 0 ? -errno : 0;

	assert_true(mc_err_is_dead(code));
	return code;
}

int in_mount_silent(const char *path)
{
	return scratch_mount_silent(path) < 0 ? -EIO : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The inode behind a descriptor or a name. */
#include "inode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "sys.h"

void mc_number_name(const char *prefix, int number, char ret[static MC_FD_NAME_SIZE])
{
	char digits[12];
	size_t count = 0, used = strlen(prefix);

	memcpy(ret, prefix, used);
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (count > 0)
		ret[used++] = digits[--count];
	ret[used] = '\0';
}

void mc_fd_name(int fd, char ret[static MC_FD_NAME_SIZE])
{
	mc_number_name("thread-self/fd/", fd, ret);
}

int mc_fd_mount(const struct mc_core *core, int fd, uint64_t *ret)
{
	static const char key[] = "mnt_id:\t";
	char name[MC_FD_NAME_SIZE], text[512];
	const char *digit;
	mc_sys_auto_fd info = MC_FD_NONE;
	ssize_t size;

	mc_number_name("thread-self/fdinfo/", fd, name);
	info = mc_sys_openat(core->proc, name, O_RDONLY);
	size = info < 0 ? info : mc_sys_read(info, text, sizeof(text) - 1);
	if (size < 0)
		return (int)size;
	text[size] = '\0';
	digit = strstr(text, key);
	if (!digit)
		return -EOPNOTSUPP;
	*ret = 0;
	for (digit += sizeof(key) - 1; *digit >= '0' && *digit <= '9'; digit++)
		*ret = *ret * 10 + (uint64_t)(*digit - '0');
	return 0;
}

/* For kernels whose statx does not tell the mount (before 5.8).  Whether it is a mount's root they
 * do not tell at all (find_mount_root() in prepare.c). */
static int describe_mount(
	const struct mc_core *core, int dirfd, const char *name, struct mc_stat *ret)
{
	int rc, fd = *name ? mc_sys_openat(dirfd, name, O_PATH | O_NOFOLLOW) : dirfd;

	if (fd < 0)
		return fd;
	rc = mc_fd_mount(core, fd, &ret->mount_id);
	ret->mountinfo_id = ret->mount_id;
	ret->is_mount_root = false;
	if (fd != dirfd)
		mc_sys_close(fd);
	return rc;
}

int mc_describe(const struct mc_core *core, int dirfd, const char *name, struct mc_stat *ret)
{
	const int flags =
		AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	struct statx stat;
	int rc = mc_sys_statx(dirfd, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, &stat);

	if (rc < 0)
		return rc;
	*ret = (struct mc_stat){
		.mode = stat.stx_mode,
		.nlink = stat.stx_nlink,
		.ino = stat.stx_ino,
		.size = stat.stx_size,
		.uid = stat.stx_uid,
		.gid = stat.stx_gid,
		.dev = makedev(stat.stx_dev_major, stat.stx_dev_minor),
		.mount_id = stat.stx_mnt_id,
		.mountinfo_id = stat.stx_mnt_id,
		.is_mount_root = stat.stx_attributes & STATX_ATTR_MOUNT_ROOT,
	};
	if (!(core->features & MC_FEATURE_MOUNT_ID))
		return describe_mount(core, dirfd, name, ret);
	if (!(core->features & MC_FEATURE_UNIQUE_ID))
		return 0;
	rc = mc_sys_statx(dirfd, name, flags, MC_STATX_MNT_ID_UNIQUE, &stat);
	ret->mount_id = stat.stx_mnt_id;
	return rc;
}

int mc_copy_path(char ret[static PATH_MAX], const char *path)
{
	size_t length = path ? strlen(path) : 0;

	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	if (path)
		memcpy(ret, path, length + 1);
	return 0;
}

const char *mc_next_component(const char *path, char ret[static MC_NAME_ROOM])
{
	size_t length;

	path += strspn(path, "/");
	length = strcspn(path, "/");
	if (length == 0)
		return NULL;
	if (length >= MC_NAME_ROOM)
		length = MC_NAME_ROOM - 1;
	memcpy(ret, path, length);
	ret[length] = '\0';
	return path + length;
}

static int read_fd_link(const struct mc_core *core, int fd, char ret[static PATH_MAX])
{
	char name[MC_FD_NAME_SIZE];
	ssize_t size;

	mc_fd_name(fd, name);
	size = mc_sys_readlinkat(core->proc, name, ret, PATH_MAX);
	if (size < 0)
		return (int)size;
	if (size >= PATH_MAX)
		return -ENAMETOOLONG;
	ret[size] = '\0';
	return 0;
}

int mc_fd_path(const struct mc_core *core, int root, int fd, char ret[static PATH_MAX])
{
	char base[PATH_MAX];
	size_t length;
	int rc = read_fd_link(core, fd, ret);

	if (rc < 0 || root < 0)
		return rc;
	rc = read_fd_link(core, root, base);
	if (rc < 0)
		return rc;
	length = strlen(base);
	if (length <= 1 || !mc_path_is_below(ret, base))
		return 0;
	memmove(ret, ret + length, strlen(ret + length) + 1);
	if (!*ret)
		memcpy(ret, "/", 2);
	return 0;
}

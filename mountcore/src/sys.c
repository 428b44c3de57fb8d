/* SPDX-License-Identifier: Apache-2.0 */
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* glibc declares these in headers that clash with linux/mount.h. */
int setns(int fd, int type);
int unshare(int flags);
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	const void *data);
int umount2(const char *path, int flags);

#ifndef SYS_listmount
#define SYS_listmount 458
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_statmount
#define SYS_statmount 457 /* the same number on every architecture */
#endif

struct mnt_id_request {
	uint32_t size;
	uint32_t mnt_ns_fd;
	uint64_t mnt_id;
	uint64_t param;
	uint64_t mnt_ns_id;
};

enum { REQUEST_SIZE_6_8 = 24 };

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

#define CALL(type, name, parameters, call)                                                         \
	type mc_sys_##name parameters                                                              \
	{                                                                                          \
		return result(call);                                                               \
	}

CALL(int, openat, (int dirfd, const char *path, int flags), openat(dirfd, path, flags | O_CLOEXEC))

int mc_sys_openat2(int dirfd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .resolve = resolve};

	return result(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
}

CALL(int, open_tree, (int dirfd, const char *path, unsigned flags),
	syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC))
CALL(int, open_tree_attr, (int fd, unsigned flags, const struct mount_attr *attr),
	syscall(SYS_open_tree_attr, fd, "", flags | AT_EMPTY_PATH | OPEN_TREE_CLOEXEC, attr,
		sizeof(*attr)))
CALL(int, move_mount, (int from_fd, int to_fd, unsigned flags),
	syscall(SYS_move_mount, from_fd, "", to_fd, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | flags))
CALL(int, move_mount_to, (int from_fd, const char *path),
	syscall(SYS_move_mount, from_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH))
CALL(int, mount_setattr, (int fd, unsigned flags, const struct mount_attr *attr),
	syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, attr, sizeof(*attr)))
CALL(int, mount, (const char *source, const char *target, const char *type, unsigned long flags),
	mount(source, target, type, flags, NULL))
CALL(int, mount_fs,
	(const char *source, const char *target, const char *type, unsigned long flags,
		const char *data),
	mount(source, target, type, flags, data))
CALL(int, ioctl, (int fd, unsigned long request, const void *argument),
	ioctl(fd, request, argument))
CALL(int, quotactl, (unsigned command, const char *device, uint32_t id, void *ret),
	syscall(SYS_quotactl, command, device, id, ret))
CALL(int, quotactl_fd, (int fd, unsigned command, uint32_t id, void *ret),
	syscall(SYS_quotactl_fd, fd, command, id, ret))
CALL(int, umount2, (const char *path, int flags), umount2(path, flags))
CALL(int, setns, (int fd, int type), setns(fd, type))
CALL(int, unshare, (int flags), unshare(flags))
CALL(int, statx, (int dirfd, const char *path, int flags, unsigned mask, struct statx *ret),
	statx(dirfd, path, flags, mask, ret))

int mc_sys_statmount(uint64_t mount_id, uint64_t mask, struct mc_statmount *ret)
{
	struct mnt_id_request request = {
		.size = REQUEST_SIZE_6_8,
		.mnt_id = mount_id,
		.param = mask,
	};

	return result(syscall(SYS_statmount, &request, ret, sizeof(*ret), 0));
}

int mc_sys_statmount_in(
	int ns_fd, uint64_t mount_id, uint64_t mask, struct mc_statmount *ret, size_t size)
{
	struct mnt_id_request request = {
		.size = sizeof(request),
		.mnt_ns_fd = (uint32_t)ns_fd,
		.mnt_id = mount_id,
		.param = mask,
	};

	return result(syscall(SYS_statmount, &request, ret, size, 0));
}

int mc_sys_listmount_in(int ns_fd, uint64_t mount_id, uint64_t *ret, size_t size)
{
	struct mnt_id_request request = {
		.size = sizeof(request),
		.mnt_ns_fd = (uint32_t)ns_fd,
		.mnt_id = mount_id,
	};

	return result(syscall(SYS_listmount, &request, ret, size, 0));
}

CALL(ssize_t, getdents, (int fd, void *ret, size_t size), getdents64(fd, ret, size))
CALL(ssize_t, read, (int fd, void *ret, size_t size), read(fd, ret, size))
CALL(ssize_t, write, (int fd, const void *bytes, size_t size), write(fd, bytes, size))

int mc_sys_fstatfs_type(int fd, int64_t *ret)
{
	struct statfs stat;
	int rc = result(fstatfs(fd, &stat));

	*ret = stat.f_type;
	return rc;
}

CALL(int, fstatfs, (int fd, struct statfs *ret), fstatfs(fd, ret))
CALL(int, inotify_add_watch, (int fd, const char *path, unsigned mask),
	inotify_add_watch(fd, path, mask))
CALL(ssize_t, readlinkat, (int dirfd, const char *path, char *ret, size_t size),
	readlinkat(dirfd, path, ret, size))
CALL(int, mkdirat, (int dirfd, const char *path, mode_t mode), mkdirat(dirfd, path, mode))
CALL(int, create, (int dirfd, const char *path, mode_t mode),
	openat(dirfd, path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_NONBLOCK | O_CLOEXEC,
		mode))
CALL(int, unlinkat, (int dirfd, const char *path), unlinkat(dirfd, path, 0))
CALL(int, fchmod, (int fd, mode_t mode), fchmod(fd, mode))
CALL(int, fsync, (int fd), fsync(fd))

/* Not sys/fanotify.h: it lacks some of these, and a newer one would clash with them. */
enum {
	CLOEXEC = 0x1,
	NONBLOCK = 0x2,
	UNLIMITED_MARKS = 0x20,
	REPORT_MNT = 0x4000,
	MARK_MNTNS = 0x110,
};

CALL(int, fanotify_init, (void),
	syscall(SYS_fanotify_init, CLOEXEC | NONBLOCK | UNLIMITED_MARKS | REPORT_MNT, O_RDONLY))
CALL(int, fanotify_mark, (int group, unsigned action, int ns_fd),
	syscall(SYS_fanotify_mark, group, action | MARK_MNTNS,
		(uint64_t)(MC_FAN_MNT_ATTACH | MC_FAN_MNT_DETACH), ns_fd, NULL))

CALL(int, fchown, (int fd, uid_t uid, gid_t gid), fchownat(fd, "", uid, gid, AT_EMPTY_PATH))

/* The raw calls: glibc's would change every thread of the process. */
int mc_sys_become(uid_t uid, gid_t gid)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
		syscall(SYS_setresuid, uid, uid, uid) < 0)
		return -errno;
	return 0;
}

CALL(int, rmdirat, (int dirfd, const char *path), unlinkat(dirfd, path, AT_REMOVEDIR))
CALL(int, fchdir, (int fd), fchdir(fd))
CALL(int, chroot, (const char *path), chroot(path))
CALL(int, close, (int fd), close(fd))
CALL(int, close_range, (unsigned first, unsigned last), syscall(SYS_close_range, first, last, 0))
CALL(int, pidfd_open, (pid_t pid), syscall(SYS_pidfd_open, pid, 0))
CALL(int, pidfd_send_signal, (int pidfd, int signal),
	syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0))
CALL(int, kill, (pid_t pid, int signal), kill(pid, signal))
CALL(int, prctl, (int option, unsigned long value), prctl(option, value, 0, 0, 0))
CALL(int, umask, (mode_t mask), umask(mask))
CALL(int, fork, (void), fork())

/* The raw call, which without a stack is fork(2): glibc's clone() wants one, and a function.  No
 * library function that keeps state of its own may run in the child. */
int mc_sys_fork_userns(void)
{
	const unsigned long flags = CLONE_NEWUSER | CLONE_FILES | SIGCHLD;

#ifdef __s390__ /* CONFIG_CLONE_BACKWARDS2 */
	return result(syscall(SYS_clone, 0, flags, NULL, NULL, 0));
#else
	return result(syscall(SYS_clone, flags, 0, NULL, NULL, 0));
#endif
}

int mc_sys_getppid(void)
{
	return getppid();
}

CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
	sendmsg(fd, message, flags))
CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), recvmsg(fd, message, flags))
CALL(int, socketpair, (int ret_fds[2]),
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds))

int mc_sys_poll_in(int fd, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return result(poll(&poll_fd, 1, timeout_ms));
}

int mc_sys_poll_pri(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLPRI};

	return result(poll(&poll_fd, 1, 0));
}

uint64_t mc_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
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

#ifndef SYS_statmount
#define SYS_statmount 457 /* the same number on every architecture */
#endif

struct mnt_id_request {
	uint32_t size;
	uint32_t spare;
	uint64_t mnt_id;
	uint64_t param;
};

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

int mc_sys_openat(int dirfd, const char *path, int flags)
{
	return result(openat(dirfd, path, flags | O_CLOEXEC));
}

int mc_sys_openat2(int dirfd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .resolve = resolve};

	return result(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
}

int mc_sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return result(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int mc_sys_move_mount(int from_fd, int to_fd, unsigned flags)
{
	return result(syscall(SYS_move_mount, from_fd, "", to_fd, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | flags));
}

int mc_sys_move_mount_to(int from_fd, const char *path)
{
	return result(
		syscall(SYS_move_mount, from_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH));
}

int mc_sys_mount_setattr(int fd, unsigned flags, const struct mount_attr *attr)
{
	return result(
		syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, attr, sizeof(*attr)));
}

int mc_sys_mount(const char *source, const char *target, const char *type, unsigned long flags)
{
	return result(mount(source, target, type, flags, NULL));
}

int mc_sys_mount_fs(const char *source, const char *target, const char *type, unsigned long flags,
	const char *data)
{
	return result(mount(source, target, type, flags, data));
}

int mc_sys_ioctl(int fd, unsigned long request, const void *argument)
{
	return result(ioctl(fd, request, argument));
}

int mc_sys_quotactl(unsigned command, const char *device, uint32_t id, void *ret)
{
	return result(syscall(SYS_quotactl, command, device, id, ret));
}

int mc_sys_quotactl_fd(int fd, unsigned command, uint32_t id, void *ret)
{
	return result(syscall(SYS_quotactl_fd, fd, command, id, ret));
}

int mc_sys_umount2(const char *path, int flags)
{
	return result(umount2(path, flags));
}

int mc_sys_setns(int fd, int type)
{
	return result(setns(fd, type));
}

int mc_sys_unshare(int flags)
{
	return result(unshare(flags));
}

int mc_sys_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *ret)
{
	return result(statx(dirfd, path, flags, mask, ret));
}

int mc_sys_statmount(uint64_t mount_id, uint64_t mask, struct mc_statmount *ret)
{
	struct mnt_id_request request = {
		.size = sizeof(request),
		.mnt_id = mount_id,
		.param = mask,
	};

	return result(syscall(SYS_statmount, &request, ret, sizeof(*ret), 0));
}

ssize_t mc_sys_getdents(int fd, void *ret, size_t size)
{
	return result(getdents64(fd, ret, size));
}

ssize_t mc_sys_read(int fd, void *ret, size_t size)
{
	return result(read(fd, ret, size));
}

int mc_sys_fstatfs_type(int fd, int64_t *ret)
{
	struct statfs stat;
	int rc = result(fstatfs(fd, &stat));

	*ret = stat.f_type;
	return rc;
}

ssize_t mc_sys_readlinkat(int dirfd, const char *path, char *ret, size_t size)
{
	return result(readlinkat(dirfd, path, ret, size));
}

int mc_sys_mkdirat(int dirfd, const char *path, mode_t mode)
{
	return result(mkdirat(dirfd, path, mode));
}

int mc_sys_create(int dirfd, const char *path, mode_t mode)
{
	return result(openat(dirfd, path,
		O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_NONBLOCK | O_CLOEXEC, mode));
}

int mc_sys_unlinkat(int dirfd, const char *path)
{
	return result(unlinkat(dirfd, path, 0));
}

int mc_sys_fchmod(int fd, mode_t mode)
{
	return result(fchmod(fd, mode));
}

int mc_sys_fsync(int fd)
{
	return result(fsync(fd));
}

int mc_sys_fchown(int fd, uid_t uid, gid_t gid)
{
	return result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
}

/* The raw calls: glibc's would change every thread of the process. */
int mc_sys_become(uid_t uid, gid_t gid)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
		syscall(SYS_setresuid, uid, uid, uid) < 0)
		return -errno;
	return 0;
}

int mc_sys_rmdirat(int dirfd, const char *path)
{
	return result(unlinkat(dirfd, path, AT_REMOVEDIR));
}

int mc_sys_fchdir(int fd)
{
	return result(fchdir(fd));
}

int mc_sys_chroot(const char *path)
{
	return result(chroot(path));
}

int mc_sys_close(int fd)
{
	return result(close(fd));
}

int mc_sys_close_range(unsigned first, unsigned last)
{
	return result(syscall(SYS_close_range, first, last, 0));
}

int mc_sys_pidfd_open(pid_t pid)
{
	return result(syscall(SYS_pidfd_open, pid, 0));
}

int mc_sys_pidfd_send_signal(int pidfd, int signal)
{
	return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int mc_sys_kill(pid_t pid, int signal)
{
	return result(kill(pid, signal));
}

int mc_sys_prctl(int option, unsigned long value)
{
	return result(prctl(option, value, 0, 0, 0));
}

int mc_sys_umask(mode_t mask)
{
	return result(umask(mask));
}

int mc_sys_fork(void)
{
	return result(fork());
}

int mc_sys_getppid(void)
{
	return getppid();
}

ssize_t mc_sys_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return result(sendmsg(fd, message, flags));
}

ssize_t mc_sys_recvmsg(int fd, struct msghdr *message, int flags)
{
	return result(recvmsg(fd, message, flags));
}

int mc_sys_socketpair(int ret_fds[2])
{
	return result(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds));
}

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

/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each kernel call, in a file of its own.
 *
 * No logic but the sign of errno.  Not inline: the failure sweep of the tests replaces these with
 * the linker's --wrap, which reaches only calls that cross a file.  Everything that runs inside a
 * container's mount namespace calls these and nothing else (see job.h). */
#ifndef MOUNTCORE_SYS_H
#define MOUNTCORE_SYS_H

#include <linux/mount.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct statfs;
struct statx;
struct msghdr;

/* statmount(2), kernel 6.8: uapi/linux/mount.h of that kernel, as far as it is used here. */
struct mc_statmount {
	uint32_t size;
	uint32_t mnt_opts;
	uint64_t mask;
	uint32_t sb_dev_major;
	uint32_t sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags;
	uint32_t fs_type;
	uint64_t mnt_id;
	uint64_t mnt_parent_id;
	uint32_t mnt_id_old;
	uint32_t mnt_parent_id_old;
	uint64_t mnt_attr;
	uint64_t mnt_propagation;
	uint64_t mnt_peer_group;
	uint64_t mnt_master;
	uint64_t propagate_from;
	uint32_t mnt_root;
	uint32_t mnt_point;
	uint64_t mnt_ns_id;
	uint64_t spare[3];
	uint64_t supported_mask;
	uint32_t mnt_uidmap_num; /* 6.15 */
	uint32_t mnt_uidmap;
	uint32_t mnt_gidmap_num;
	uint32_t mnt_gidmap;
	uint64_t spare2[43];
};

/* The same with room for its texts, each at its member's offset in `text`. */
struct mc_statmount_text {
	struct mc_statmount mount;
	char text[4352]; /* a path and a type */
};

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200 /* 6.5 */
#endif

/* fanotify(7) on mount namespaces, kernel 6.15: uapi/linux/fanotify.h of that kernel. */
enum {
	MC_FAN_MARK_ADD = 0x1,
	MC_FAN_MARK_REMOVE = 0x2,
	MC_FAN_INFO_MNT = 7,
	MC_FAN_Q_OVERFLOW = 0x4000,
	MC_FAN_MNT_ATTACH = 0x01000000,
	MC_FAN_MNT_DETACH = 0x02000000,
};

struct mc_fanotify_event {
	uint32_t length;
	uint8_t version;
	uint8_t reserved;
	uint16_t metadata_length;
	uint64_t mask;
	int32_t fd;
	int32_t pid;
};

struct mc_fanotify_mount {
	uint8_t type;
	uint8_t pad;
	uint16_t length;
	uint32_t spare; /* of the alignment: the ID is not packed */
	uint64_t mount_id;
};

/* umount2(2): MNT_DETACH and UMOUNT_NOFOLLOW, whose header clashes with linux/mount.h. */
enum { MC_UMOUNT_LAZY = 2, MC_UMOUNT_NOFOLLOW = 8 };

#define MC_STATMOUNT_SB_BASIC 0x1U  /* sb_dev_major … fs_type */
#define MC_STATMOUNT_MNT_BASIC 0x2U /* mnt_id … mnt_master */
#define MC_STATMOUNT_MNT_POINT 0x10U
#define MC_STATMOUNT_FS_TYPE 0x20U
#define MC_STATMOUNT_MNT_UIDMAP 0x2000U
#define MC_STATMOUNT_MNT_GIDMAP 0x4000U
#define MC_STATX_MNT_ID_UNIQUE 0x4000U

/* All return 0 (or what is said) or a negative errno.  Descriptors are opened with O_CLOEXEC. */
int mc_sys_openat(int dirfd, const char *path, int flags);
int mc_sys_openat2(int dirfd, const char *path, int flags, uint64_t resolve);
int mc_sys_open_tree(int dirfd, const char *path, unsigned flags);
/* Of the descriptor itself: 6.15. */
int mc_sys_open_tree_attr(int fd, unsigned flags, const struct mount_attr *attr);
int mc_sys_move_mount(int from_fd, int to_fd, unsigned flags);
int mc_sys_move_mount_to(int from_fd, const char *path);
int mc_sys_mount_setattr(int fd, unsigned flags, const struct mount_attr *attr);
int mc_sys_mount(const char *source, const char *target, const char *type, unsigned long flags);
int mc_sys_mount_fs(const char *source, const char *target, const char *type, unsigned long flags,
	const char *data);
int mc_sys_ioctl(int fd, unsigned long request, const void *argument);
int mc_sys_quotactl(unsigned command, const char *device, uint32_t id, void *ret);
int mc_sys_quotactl_fd(int fd, unsigned command, uint32_t id, void *ret);
int mc_sys_umount2(const char *path, int flags);
int mc_sys_setns(int fd, int type);
int mc_sys_unshare(int flags);
int mc_sys_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *ret);
int mc_sys_statmount(uint64_t mount_id, uint64_t mask, struct mc_statmount *ret);
/* Of a mount of the mount namespace `ns_fd`, from outside: 6.12. */
int mc_sys_statmount_in(
	int ns_fd, uint64_t mount_id, uint64_t mask, struct mc_statmount *ret, size_t size);
/* The unique IDs of the mounts of that mount namespace that lie on `mount_id` or below, at most
 * `size`.  Returns how many. */
int mc_sys_listmount_in(int ns_fd, uint64_t mount_id, uint64_t *ret, size_t size);
ssize_t mc_sys_getdents(int fd, void *ret, size_t size);
ssize_t mc_sys_read(int fd, void *ret, size_t size);
ssize_t mc_sys_write(int fd, const void *bytes, size_t size);
int mc_sys_fstatfs_type(int fd, int64_t *ret);
int mc_sys_fstatfs(int fd, struct statfs *ret);
int mc_sys_inotify_add_watch(int fd, const char *path, unsigned mask);
ssize_t mc_sys_readlinkat(int dirfd, const char *path, char *ret, size_t size);
int mc_sys_mkdirat(int dirfd, const char *path, mode_t mode);
int mc_sys_create(int dirfd, const char *path, mode_t mode);
int mc_sys_rmdirat(int dirfd, const char *path);
int mc_sys_unlinkat(int dirfd, const char *path);
int mc_sys_fchown(int fd, uid_t uid, gid_t gid);
int mc_sys_fchmod(int fd, mode_t mode);
int mc_sys_fsync(int fd);
/* A group that tells the unique IDs of mounts.  Never waits. */
int mc_sys_fanotify_init(void);
/* Mounts that come and go in the mount namespace `ns_fd`.  `action`: MC_FAN_MARK_… */
int mc_sys_fanotify_mark(int group, unsigned action, int ns_fd);
int mc_sys_become(uid_t uid, gid_t gid);
int mc_sys_fchdir(int fd);
int mc_sys_chroot(const char *path);
int mc_sys_close(int fd);
int mc_sys_close_range(unsigned first, unsigned last);
int mc_sys_pidfd_open(pid_t pid);
int mc_sys_pidfd_send_signal(int pidfd, int signal);
int mc_sys_kill(pid_t pid, int signal);
int mc_sys_prctl(int option, unsigned long value);
int mc_sys_umask(mode_t mask);
int mc_sys_fork(void);
/* A child in a new user namespace, which has no copies of our descriptors: it shares them. */
int mc_sys_fork_userns(void);
int mc_sys_getppid(void);
ssize_t mc_sys_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t mc_sys_recvmsg(int fd, struct msghdr *message, int flags);
int mc_sys_socketpair(int ret_fds[2]);
int mc_sys_poll_in(int fd, int timeout_ms);
int mc_sys_poll_pri(int fd);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t mc_clock_ns(void);

/* As mc_auto_fd, by the call that the failure sweep replaces. */
static inline void mc_sys_close_fd(const int *fd)
{
	if (*fd >= 0)
		mc_sys_close(*fd);
}

#define mc_sys_auto_fd __attribute__((cleanup(mc_sys_close_fd))) int

#endif

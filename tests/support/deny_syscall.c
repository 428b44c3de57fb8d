/* SPDX-License-Identifier: Apache-2.0 */
/* deny_syscall NAME ERRNO -- COMMAND [ARGUMENT…]
 *
 * Runs COMMAND under a seccomp filter that answers the system call NAME with ERRNO (ENOSYS, ENOSPC,
 * EPERM or EINVAL) and lets all others through: the fallbacks for old kernels and for Docker's
 * default profile are tested on a kernel that has everything.  move_mount_beneath is move_mount
 * with that flag. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_statmount
#define SYS_statmount 457 /* the same number on every architecture */
#endif

enum { USAGE = 64, NOT_DENIED = 65, NOT_RUN = 127 };

static const struct {
	const char *name;
	unsigned number;
	unsigned flag; /* only with this one in the fifth argument; 0: always */
} calls[] = {
	{"close_range", SYS_close_range, 0},
	{"fanotify_init", SYS_fanotify_init, 0},
	{"fanotify_mark", SYS_fanotify_mark, 0},
	{"mount_setattr", SYS_mount_setattr, 0},
	{"move_mount", SYS_move_mount, 0},
	{"move_mount_beneath", SYS_move_mount, 0x200}, /* MOVE_MOUNT_BENEATH, linux/mount.h */
	{"inotify_add_watch", SYS_inotify_add_watch, 0},
	{"open_tree", SYS_open_tree, 0},
	{"open_tree_attr", SYS_open_tree_attr, 0},
	{"openat2", SYS_openat2, 0},
	{"pidfd_open", SYS_pidfd_open, 0},
	{"pidfd_send_signal", SYS_pidfd_send_signal, 0},
	{"statmount", SYS_statmount, 0},
};

static int find_call(const char *name, unsigned *ret_number, unsigned *ret_flag)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) == 0) {
			*ret_number = calls[i].number;
			*ret_flag = calls[i].flag;
			return 0;
		}
	}
	return -ENOENT;
}

static int find_errno(const char *name)
{
	if (strcmp(name, "ENOSYS") == 0)
		return ENOSYS;
	if (strcmp(name, "ENOSPC") == 0)
		return ENOSPC;
	if (strcmp(name, "EINVAL") == 0)
		return EINVAL;
	return strcmp(name, "EPERM") == 0 ? EPERM : 0;
}

/* One architecture only: the number is looked at and not the ABI it was called by. */
static int deny(unsigned number, unsigned flag, int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
		BPF_JUMP(BPF_JMP | BPF_JA, flag ? 0 : 2, 0, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flag, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)code & SECCOMP_RET_DATA)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

/* A test that passes because nothing was denied would prove nothing. */
static int check_denied(unsigned number, unsigned flag, int code)
{
	return syscall(number, -1, 0, 0, 0, flag) == -1 && errno == code;
}

int main(int argc, char **argv)
{
	unsigned number = 0, flag = 0;
	int code, rc;

	if (argc < 5 || strcmp(argv[3], "--") != 0 || find_call(argv[1], &number, &flag) < 0) {
		fprintf(stderr, "usage: %s NAME ERRNO -- COMMAND [ARGUMENT…]\n", argv[0]);
		return USAGE;
	}
	code = find_errno(argv[2]);
	if (code == 0) {
		fprintf(stderr, "%s is neither ENOSYS nor EPERM nor EINVAL\n", argv[2]);
		return USAGE;
	}
	rc = deny(number, flag, code);
	if (rc < 0 || !check_denied(number, flag, code)) {
		fprintf(stderr, "cannot deny %s: %s\n", argv[1], strerror(-rc));
		return NOT_DENIED;
	}
	execvp(argv[4], argv + 4);
	perror(argv[4]);
	return NOT_RUN;
}

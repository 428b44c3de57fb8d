/* deny_syscall NAME ERRNO -- COMMAND [ARGUMENT…]
 *
 * Runs COMMAND under a seccomp filter that answers the system call NAME with ERRNO (ENOSYS or
 * EPERM) and lets all others through: the fallbacks for old kernels and for Docker's default
 * profile are tested on a kernel that has everything. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_statmount
#define SYS_statmount 457 /* the same number on every architecture */
#endif

enum { USAGE = 64, NOT_DENIED = 65, NOT_RUN = 127 };

static const struct {
	const char *name;
	unsigned number;
} calls[] = {
	{"close_range", SYS_close_range},
	{"mount_setattr", SYS_mount_setattr},
	{"move_mount", SYS_move_mount},
	{"open_tree", SYS_open_tree},
	{"openat2", SYS_openat2},
	{"pidfd_open", SYS_pidfd_open},
	{"pidfd_send_signal", SYS_pidfd_send_signal},
	{"statmount", SYS_statmount},
};

static int find_call(const char *name, unsigned *ret_number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) == 0) {
			*ret_number = calls[i].number;
			return 0;
		}
	}
	return -ENOENT;
}

static int find_errno(const char *name)
{
	if (strcmp(name, "ENOSYS") == 0)
		return ENOSYS;
	return strcmp(name, "EPERM") == 0 ? EPERM : 0;
}

/* One architecture only: the number is looked at and not the ABI it was called by. */
static int deny(unsigned number, int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
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
static int check_denied(unsigned number, int code)
{
	return syscall(number, -1, 0, 0, 0, 0) == -1 && errno == code;
}

int main(int argc, char **argv)
{
	unsigned number = 0;
	int code, rc;

	if (argc < 5 || strcmp(argv[3], "--") != 0 || find_call(argv[1], &number) < 0) {
		fprintf(stderr, "usage: %s NAME ERRNO -- COMMAND [ARGUMENT…]\n", argv[0]);
		return USAGE;
	}
	code = find_errno(argv[2]);
	if (code == 0) {
		fprintf(stderr, "%s is neither ENOSYS nor EPERM\n", argv[2]);
		return USAGE;
	}
	rc = deny(number, code);
	if (rc < 0 || !check_denied(number, code)) {
		fprintf(stderr, "cannot deny %s: %s\n", argv[1], strerror(-rc));
		return NOT_DENIED;
	}
	execvp(argv[4], argv + 4);
	perror(argv[4]);
	return NOT_RUN;
}

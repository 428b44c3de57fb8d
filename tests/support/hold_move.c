/* SPDX-License-Identifier: Apache-2.0 */
/* hold_move DIR -- COMMAND [ARGUMENT…]
 *
 * Runs COMMAND, holds its next move_mount(2) when a test wants that, and then fails it: the test
 * acts in the middle of COMMAND.  DIR has two FIFOs for the test:
 *   control  "hold" holds the next call, "fail" fails the held call with ENOSPC
 *   held     has a line for each held call
 * All other calls go on as they would, also while one waits.
 *
 * A seccomp filter hands the calls to another process, which decides (seccomp_unotify(2)); COMMAND
 * keeps this process's number.
 */
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 64, NOT_HELD = 65, NOT_RUN = 127 };

struct supervisor {
	int calls_fd;
	int control_fd;
	int held_fd;
	int pidfd; /* of COMMAND */
	bool is_to_hold;
	__u64 held; /* the call that waits; 0 for none */
};

/* One architecture only: the number is looked at and not the ABI it was called by. */
static int listen_to_moves(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_move_mount, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* For reading and writing: opening waits for nobody, and the other end may come and go. */
static int open_fifo(const char *dir, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDWR | O_CLOEXEC);
}

static void answer(const struct supervisor *self, __u64 id, int error, unsigned flags)
{
	struct seccomp_notif_resp response = {.id = id, .error = error, .flags = flags};

	(void)ioctl(self->calls_fd, SECCOMP_IOCTL_NOTIF_SEND, &response); /* it may be gone */
}

static void take_call(struct supervisor *self)
{
	struct seccomp_notif call = {.id = 0};

	if (ioctl(self->calls_fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return;
	if (!self->is_to_hold) {
		answer(self, call.id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
		return;
	}
	self->is_to_hold = false;
	self->held = call.id;
	(void)!write(self->held_fd, "held\n", 5);
}

static void take_order(struct supervisor *self)
{
	char order[16] = "";

	if (read(self->control_fd, order, sizeof(order) - 1) <= 0)
		return;
	self->is_to_hold = strcmp(order, "hold\n") == 0;
	if (strcmp(order, "fail\n") == 0 && self->held != 0) {
		answer(self, self->held, -ENOSPC, 0);
		self->held = 0;
	}
}

/* Until COMMAND ends. */
static void supervise(struct supervisor *self)
{
	for (;;) {
		struct pollfd fds[] = {{self->pidfd, POLLIN, 0}, {self->calls_fd, POLLIN, 0},
			{self->control_fd, POLLIN, 0}};

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			return;
		if (fds[2].revents & POLLIN) /* which were given before the calls */
			take_order(self);
		if (fds[1].revents & POLLIN)
			take_call(self);
	}
}

/* No child of COMMAND's: it would wait for that. */
static int start_supervisor(struct supervisor *self)
{
	int status;
	pid_t pid = fork();

	if (pid == 0 && fork() == 0)
		supervise(self);
	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, &status, 0) == pid ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct supervisor self = {.held = 0};

	if (argc < 4 || strcmp(argv[2], "--") != 0) {
		fprintf(stderr, "usage: %s DIR -- COMMAND [ARGUMENT…]\n", argv[0]);
		return USAGE;
	}
	self.control_fd = open_fifo(argv[1], "control");
	self.held_fd = open_fifo(argv[1], "held");
	self.pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	self.calls_fd = listen_to_moves();
	if (self.control_fd < 0 || self.held_fd < 0 || self.pidfd < 0 || self.calls_fd < 0 ||
		start_supervisor(&self) < 0) {
		fprintf(stderr, "cannot hold calls of %s: %s\n", argv[3], strerror(errno));
		return NOT_HELD;
	}
	fcntl(self.calls_fd, F_SETFD, FD_CLOEXEC);
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return NOT_RUN;
}

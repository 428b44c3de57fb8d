/* SPDX-License-Identifier: Apache-2.0 */
/* kill_at N -- COMMAND [ARGUMENT…]
 *
 * Runs COMMAND and kills it with SIGKILL when it is about to make its Nth call that changes a file,
 * a directory, a mount table or a socket's stream, in whichever thread: the call is not made.
 * Counts from SIGUSR1 to this process on; with N below 0, from COMMAND's start on.  Prints the
 * call's name and exits with 0; with COMMAND's status if that ends by itself; SIGTERM is passed on
 * to it.
 *
 * A seccomp filter lets only these calls stop (seccomp(2), SECCOMP_RET_TRACE; ptrace(2)), so that
 * COMMAND runs as it is, without a hook in it, and about as fast as ever.
 */
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 64, NOT_TRACED = 65, NOT_RUN = 127 };

#define CALL(name)                                                                                 \
	{                                                                                          \
#name, __NR_##name                                                                 \
	}

static const struct {
	const char *name;
	unsigned number;
} calls[] = {
	CALL(write),
	CALL(pwrite64),
	CALL(writev),
	CALL(pwritev),
	CALL(pwritev2),
	CALL(sendto),
	CALL(sendmsg),
	CALL(fsync),
	CALL(fdatasync),
	CALL(ftruncate),
	CALL(fallocate),
	CALL(fchmod),
	CALL(fchmodat),
	CALL(fchown),
	CALL(fchownat),
	CALL(openat), /* with O_CREAT or O_TRUNC */
	CALL(mkdirat),
	CALL(mknodat),
	CALL(linkat),
	CALL(symlinkat),
	CALL(unlinkat),
	CALL(renameat2),
	CALL(umount2),
	CALL(mount),
	CALL(open_tree),
	CALL(move_mount),
	CALL(mount_setattr),
	CALL(fsopen),
	CALL(fsmount),
#ifdef __x86_64__
	CALL(open), /* with O_CREAT or O_TRUNC */
	CALL(chmod),
	CALL(chown),
	CALL(mkdir),
	CALL(rmdir),
	CALL(link),
	CALL(symlink),
	CALL(unlink),
	CALL(rename),
	CALL(renameat),
#endif
};

#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))

static volatile sig_atomic_t is_counting;
static volatile sig_atomic_t is_ended;

static void on_signal(int signal)
{
	if (signal == SIGUSR1)
		is_counting = 1;
	else
		is_ended = 1;
}

/* One architecture only: the number is looked at and not the ABI it was called by. */
static int trace_calls(void)
{
	struct sock_filter filter[2 * CALL_COUNT + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = {.len = 2 * CALL_COUNT + 2, .filter = filter};
	size_t i;

	for (i = 0; i < CALL_COUNT; i++) {
		filter[2 * i + 1] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
		filter[2 * i + 2] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_TRACE | (unsigned)i);
	}
	filter[2 * i + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

static void run(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0 || trace_calls() < 0)
		_exit(NOT_TRACED);
	execvp(command[0], command);
	perror(command[0]);
	_exit(NOT_RUN);
}

/* Whether the call that `thread` is about to make counts; its name. */
static bool is_counted(pid_t thread, const char **ret_name)
{
	struct __ptrace_syscall_info info = {0};
	const char *name;
	unsigned long flags = 0;

	if (!is_counting || ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) < 0 ||
		info.op != PTRACE_SYSCALL_INFO_SECCOMP || info.seccomp.ret_data >= CALL_COUNT)
		return false;
	name = calls[info.seccomp.ret_data].name;
	*ret_name = name;
	if (strcmp(name, "openat") == 0)
		flags = info.seccomp.args[2];
	else if (strcmp(name, "open") == 0)
		flags = info.seccomp.args[1];
	else
		return true;
	return (flags & (O_CREAT | O_TRUNC)) != 0;
}

/* The signal to deliver to a thread that stopped so: none for the stops of the tracing itself. */
static int signal_of(int status)
{
	int signal = WSTOPSIG(status);

	if (status >> 16 != 0 || signal == SIGSTOP)
		return 0;
	return signal;
}

/* Until `pid` has ended, by `countdown` or by itself; its status, or 0 if it was killed. */
static int follow(pid_t pid, long countdown)
{
	const char *name = NULL;
	int status;

	for (;;) {
		pid_t thread = waitpid(-1, &status, __WALL);

		if (thread < 0 && errno != EINTR)
			return NOT_TRACED;
		if (thread < 0 && is_ended)
			kill(pid, SIGTERM);
		if (thread < 0 || (thread != pid && !WIFSTOPPED(status)))
			continue;
		if (!WIFSTOPPED(status))
			break;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8) &&
			is_counted(thread, &name) && --countdown == 0)
			kill(pid, SIGKILL); /* stopped as it is, it does not go on before that */
		else
			ptrace(PTRACE_CONT, thread, NULL, signal_of(status));
	}
	if (countdown > 0)
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	puts(name);
	return 0;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP;
	long countdown = argc < 4 ? 0 : strtol(argv[1], NULL, 10);
	int status;
	pid_t pid;

	if (countdown == 0 || strcmp(argv[2], "--") != 0) {
		fprintf(stderr, "usage: %s N -- COMMAND [ARGUMENT…]\n", argv[0]);
		return USAGE;
	}
	is_counting = countdown < 0;
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	pid = fork();
	if (pid == 0)
		run(argv + 3);
	if (pid < 0 || waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, pid, NULL, options) < 0 ||
		ptrace(PTRACE_CONT, pid, NULL, 0) < 0) {
		fprintf(stderr, "cannot trace %s: %s\n", argv[3], strerror(errno));
		return NOT_TRACED;
	}
	return follow(pid, labs(countdown));
}

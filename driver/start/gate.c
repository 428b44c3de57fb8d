/* SPDX-License-Identifier: Apache-2.0 */
#include "start/gate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "guard.h"

enum {
	SOCKET_BYTES = 4 << 20, /* news of some thousand containers */
	END_WAIT_MS = 1000,
};

/* In the child: no signal ends it but SIGKILL; it ends with the socket. */
static void be_gate(struct guard *guard, int host_root, int other_end)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	close(other_end);
	guard_run(guard, host_root);
}

/* With the memory that the child is to have. */
static int start(struct guard *guard, int host_root, struct hv_gate *ret)
{
	const int bytes = SOCKET_BYTES;
	mc_auto_fd ours = MC_FD_NONE, theirs = MC_FD_NONE;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	for (int i = 0; i < 2; i++) /* the usual size will do as well */
		(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	guard->socket = theirs;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		be_gate(guard, host_root, ours);
	ret->socket = mc_take_fd(&ours);
	ret->pid = pid;
	return 0;
}

/* Released by hand: the analyzer of clang does not know the attribute. */
int hv_gate_start(int host_root, unsigned hold_ms, struct hv_gate *ret)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	int rc;

	if (!guard)
		return -ENOMEM;
	guard->hold_ms = hold_ms;
	rc = start(guard, host_root, ret);
	free(guard);
	return rc;
}

void hv_gate_end(struct hv_gate *gate)
{
	const struct timespec step = {.tv_nsec = 1000000};

	mc_close_fd(&gate->socket);
	for (int left_ms = END_WAIT_MS; left_ms > 0; left_ms--) {
		if (waitpid(gate->pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&step, NULL);
	}
	(void)kill(gate->pid, SIGKILL);
	(void)waitpid(gate->pid, NULL, 0);
}

int hv_gate_read(const struct hv_gate *gate, struct hv_gate_news *ret)
{
	union hv_control control = {.bytes = {0}};
	struct iovec data = {.iov_base = ret, .iov_len = sizeof(*ret)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t size;

	do
		size = recvmsg(gate->socket, &message, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (size != (ssize_t)sizeof(*ret))
		return -EPIPE;
	ret->fd = MC_FD_NONE;
	if (message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(&ret->fd, CMSG_DATA(&control.header), sizeof(int));
	return 0;
}

static int order(const struct hv_gate *gate, struct hv_order *order, const char *name)
{
	size_t length = strlen(name);

	if (length >= sizeof(order->name))
		return -ENAMETOOLONG;
	memcpy(order->name, name, length + 1);
	length += offsetof(struct hv_order, name) + 1;
	if (send(gate->socket, order, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	return errno == ECONNRESET ? -EPIPE : -errno;
}

int hv_gate_follow(const struct hv_gate *gate, const char *root)
{
	return order(gate, &(struct hv_order){.kind = HV_ORDER_FOLLOW}, root);
}

int hv_gate_know(const struct hv_gate *gate, const char *id)
{
	return order(gate, &(struct hv_order){.kind = HV_ORDER_KNOW}, id);
}

int hv_gate_forget(const struct hv_gate *gate, const char *id)
{
	return order(gate, &(struct hv_order){.kind = HV_ORDER_FORGET}, id);
}

int hv_gate_mark(const struct hv_gate *gate, const char *id, bool must_deny)
{
	return order(gate, &(struct hv_order){.kind = HV_ORDER_MARK, .must_deny = must_deny}, id);
}

int hv_gate_release(const struct hv_gate *gate, uint32_t seq, bool is_early)
{
	return order(gate,
		&(struct hv_order){.kind = HV_ORDER_RELEASE, .seq = seq, .is_early = is_early}, "");
}

int hv_gate_refuse(const struct hv_gate *gate, uint32_t seq)
{
	return order(gate, &(struct hv_order){.kind = HV_ORDER_REFUSE, .seq = seq}, "");
}

int hv_gate_look(const struct hv_gate *gate, const char *id)
{
	return order(gate, &(struct hv_order){.kind = HV_ORDER_LOOK}, id ? id : "");
}

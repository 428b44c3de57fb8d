/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors in a message: from a helper, and to one. */
#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "job.h"
#include "sys.h"

/* Room for the descriptors of one message, aligned as cmsg(3) wants it. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int) * MC_JOB_FDS)];
};

ssize_t mc_message_send(int socket_fd, const int *had, const int *fds)
{
	char present[MC_JOB_FDS] = {0};
	int passed[MC_JOB_FDS];
	size_t count = 0;
	union control control;
	struct iovec data = {.iov_base = present, .iov_len = sizeof(present)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	for (int i = 0; i < MC_JOB_FDS; i++) {
		if (fds[i] < 0 || fds[i] == had[i])
			continue;
		present[i] = 1;
		passed[count++] = fds[i];
	}
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.header), passed, sizeof(int) * count);
	}
	return mc_sys_sendmsg(socket_fd, &message, MSG_NOSIGNAL);
}

int mc_message_receive(int socket_fd, int *fds)
{
	char present[MC_JOB_FDS] = {0};
	union control control = {.bytes = {0}};
	struct iovec data = {.iov_base = present, .iov_len = sizeof(present)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	const unsigned char *passed = CMSG_DATA(&control.header), *end;
	ssize_t size = mc_sys_recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);

	if (size < 0)
		return (int)size;
	if (size != (ssize_t)sizeof(present))
		return -EIO; /* the helper died before it could answer */
	end = (const unsigned char *)&control + message.msg_controllen;
	for (int i = 0; i < MC_JOB_FDS; i++) {
		if (!present[i] || passed + sizeof(int) > end)
			continue;
		memcpy(&fds[i], passed, sizeof(int));
		passed += sizeof(int);
	}
	/* Cut: this process may not have more.  The caller closes the received ones. */
	return message.msg_flags & MSG_CTRUNC ? -EMFILE : 0;
}
